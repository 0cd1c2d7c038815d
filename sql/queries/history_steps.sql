-- GET /history, by steps of $8 seconds, several buckets of $7 seconds (60, 600, 3600, 21600) each: of the buckets that begin from $1 up to $2 (the first step
-- may be cut by $1), of character $3 (null: of all), at most $4 rows, by time and character; after the step $5 of character_id $6 (null: from the beginning).
select f.step as "timestamp", c.name as character_name, l.ew, l.ns, l.z,
	l.kills, (f.kills_per_hour_sum / nullif(f.kills_per_hour_n, 0))::real as kills_per_hour, l.onlinetime, l.deaths, l.rares_found,
	l.prismatic_taper_count, l.vt_state, l.char_tag, s.session as session_id, l.total_deaths,
	(f.mem_mb_sum / nullif(f.mem_mb_n, 0))::real as mem_mb, (f.cpu_pct_sum / nullif(f.cpu_pct_n, 0))::real as cpu_pct,
	(f.mem_handles_sum / nullif(f.mem_handles_n, 0))::real as mem_handles, (f.latency_ms_sum / nullif(f.latency_ms_n, 0))::real as latency_ms,
	f.character_id
from (
	select date_bin(make_interval(secs => $8::float8), r.bucket, timestamptz '2000-01-01 00:00:00+00') as step, r.character_id, max(r.bucket) as last_bucket,
		sum(r.kills_per_hour_n) as kills_per_hour_n, sum(r.kills_per_hour_sum) as kills_per_hour_sum, sum(r.mem_mb_n) as mem_mb_n,
		sum(r.mem_mb_sum) as mem_mb_sum, sum(r.cpu_pct_n) as cpu_pct_n, sum(r.cpu_pct_sum) as cpu_pct_sum, sum(r.mem_handles_n) as mem_handles_n,
		sum(r.mem_handles_sum) as mem_handles_sum, sum(r.latency_ms_n) as latency_ms_n, sum(r.latency_ms_sum) as latency_ms_sum
	from dt.telemetry_rollup r
	where r.tier = $7::int and r.bucket >= greatest($1::timestamptz, $5::timestamptz) and r.bucket < $2::timestamptz
	and ($3::text is null or r.character_id = (select k.id from dt.characters k where k.name = $3::text))
	group by 1, 2
	having $5::timestamptz is null
		or (date_bin(make_interval(secs => $8::float8), max(r.bucket), timestamptz '2000-01-01 00:00:00+00'), r.character_id) > ($5::timestamptz, $6::int)
	order by 1, 2
	limit $4::bigint
) f
join dt.telemetry_rollup l on l.tier = $7::int and l.character_id = f.character_id and l.bucket = f.last_bucket
join dt.characters c on c.id = f.character_id
left join dt.sessions s on s.id = l.session_id
order by f.step, f.character_id;
