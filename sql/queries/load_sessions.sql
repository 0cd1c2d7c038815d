select id, character_id, session, (extract(epoch from first_at) * 1000000)::bigint as first_us,
	(extract(epoch from last_at) * 1000000)::bigint as last_us, kills, deaths
from dt.sessions
