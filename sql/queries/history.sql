-- GET /history: telemetry from $1 up to $2, of character $3 (null: of all), at most $4 rows, oldest first.
select to_char(t."timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "timestamp", t.character_name, t.ew, t.ns, t.z,
	t.kills, t.kills_per_hour, t.onlinetime, t.deaths, t.rares_found, t.prismatic_taper_count, t.vt_state,
	t.char_tag, t.session_id, t.total_deaths, t.mem_mb, t.cpu_pct, t.mem_handles, t.latency_ms
from telemetry_events t
where t."timestamp" >= $1::timestamptz and t."timestamp" < $2::timestamptz and ($3::text is null or t.character_name = $3::text)
order by t."timestamp", t.character_name
limit $4::bigint;
