select id, character_id, session, (extract(epoch from first_at) * 1000000)::bigint as first_us,
	(extract(epoch from last_at) * 1000000)::bigint as last_us, kills, deaths,
	(extract(epoch from coalesce(deaths_at, last_at)) * 1000000)::bigint as deaths_us, kills_sum, deaths_sum
from dt.sessions
