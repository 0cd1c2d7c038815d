select id, name, total_kills, total_deaths, (extract(epoch from deaths_at) * 1000000)::bigint as deaths_us,
	(extract(epoch from telemetry_at) * 1000000)::bigint as telemetry_us, (extract(epoch from spawn_at) * 1000000)::bigint as spawn_us,
	session_id, (extract(epoch from session_at) * 1000000)::bigint as session_us, tapers, (extract(epoch from tapers_at) * 1000000)::bigint as tapers_us
from dt.characters
