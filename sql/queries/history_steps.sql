-- GET /history, by steps of $8 seconds, several buckets of $7 seconds (60, 600, 3600, 21600) each: of the buckets that begin from $1 up to $2 (the first step
-- may be cut by $1), of character $3 (null: of all), at most $4 rows, by time and character; after the step $5 of character_id $6 (null: from the beginning).
-- One sort does it all: the last bucket of a step comes first of its group and carries the sums of them all.
select f.step as "timestamp", c.name as character_name, f.ew, f.ns, f.z,
	f.kills, (f.kills_per_hour_sum / nullif(f.kills_per_hour_n, 0))::real as kills_per_hour, f.onlinetime, f.deaths, f.rares_found,
	f.prismatic_taper_count, f.vt_state, f.char_tag, s.session as session_id, f.total_deaths,
	(f.mem_mb_sum / nullif(f.mem_mb_n, 0))::real as mem_mb, (f.cpu_pct_sum / nullif(f.cpu_pct_n, 0))::real as cpu_pct,
	(f.mem_handles_sum / nullif(f.mem_handles_n, 0))::real as mem_handles, (f.latency_ms_sum / nullif(f.latency_ms_n, 0))::real as latency_ms,
	f.character_id
from (
	select distinct on (b.step, b.character_id) b.step, b.character_id, b.ew, b.ns, b.z, b.kills, b.onlinetime, b.deaths, b.rares_found,
		b.prismatic_taper_count, b.vt_state, b.char_tag, b.session_id, b.total_deaths,
		sum(b.kills_per_hour_n) over w as kills_per_hour_n, sum(b.kills_per_hour_sum) over w as kills_per_hour_sum,
		sum(b.mem_mb_n) over w as mem_mb_n, sum(b.mem_mb_sum) over w as mem_mb_sum,
		sum(b.cpu_pct_n) over w as cpu_pct_n, sum(b.cpu_pct_sum) over w as cpu_pct_sum,
		sum(b.mem_handles_n) over w as mem_handles_n, sum(b.mem_handles_sum) over w as mem_handles_sum,
		sum(b.latency_ms_n) over w as latency_ms_n, sum(b.latency_ms_sum) over w as latency_ms_sum
	from (
		select date_bin(make_interval(secs => $8::float8), r.bucket, timestamptz '2000-01-01 00:00:00+00') as step, r.*
		from dt.telemetry_rollup r
		where r.tier = $7::int and r.bucket >= greatest($1::timestamptz, $5::timestamptz) and r.bucket < $2::timestamptz
		and ($3::text is null or r.character_id = (select k.id from dt.characters k where k.name = $3::text))
	) b
	where $5::timestamptz is null or (b.step, b.character_id) > ($5::timestamptz, $6::int)
	window w as (partition by b.step, b.character_id order by b.bucket desc rows between unbounded preceding and unbounded following)
	order by b.step, b.character_id, b.bucket desc
	limit $4::bigint
) f
join dt.characters c on c.id = f.character_id
left join dt.sessions s on s.id = f.session_id
order by f.step, f.character_id;
