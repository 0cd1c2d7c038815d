-- GET /history?bucket=: the same as averages over $5 seconds; of counters the last value, that is the largest.
select to_char(b.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "timestamp", b.character_name, b.ew, b.ns, b.z,
	b.kills, b.kills_per_hour, b.onlinetime, b.deaths, b.rares_found, b.prismatic_taper_count, b.vt_state,
	b.char_tag, b.session_id, b.total_deaths, b.mem_mb, b.cpu_pct, b.mem_handles, b.latency_ms
from (
	select date_bin(make_interval(secs => $5::float8), t."timestamp", timestamptz '2000-01-01 00:00:00+00') as at, t.character_name,
		avg(t.ew)::real as ew, avg(t.ns)::real as ns, avg(t.z)::real as z, max(t.kills) as kills, avg(t.kills_per_hour)::real as kills_per_hour,
		max(t.onlinetime) as onlinetime, max(t.deaths) as deaths, max(t.rares_found) as rares_found,
		avg(t.prismatic_taper_count)::real as prismatic_taper_count, max(t.vt_state) as vt_state, max(t.char_tag) as char_tag,
		max(t.session_id) as session_id, max(t.total_deaths) as total_deaths, avg(t.mem_mb)::real as mem_mb, avg(t.cpu_pct)::real as cpu_pct,
		avg(t.mem_handles)::real as mem_handles, avg(t.latency_ms)::real as latency_ms
	from telemetry_events t
	where t."timestamp" >= $1::timestamptz and t."timestamp" < $2::timestamptz and ($3::text is null or t.character_name = $3::text)
	group by 1, 2
) b
order by b.at, b.character_name
limit $4::bigint;
