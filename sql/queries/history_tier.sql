-- GET /history, by minute ($7 = 60), ten minutes (600), hour (3600) or six hours (21600): buckets that begin from $1 up to $2, of character $3 (null: of all),
-- at most $4 rows, by time and character; after the bucket $5 of character_id $6 (null: from the beginning).
-- Averages of what has a rate or a size, else what the last row of the bucket says.
select r.bucket as "timestamp", c.name as character_name, r.ew, r.ns, r.z,
	r.kills, (r.kills_per_hour_sum / nullif(r.kills_per_hour_n, 0))::real as kills_per_hour, r.onlinetime, r.deaths, r.rares_found,
	r.prismatic_taper_count, r.vt_state, r.char_tag, s.session as session_id, r.total_deaths,
	(r.mem_mb_sum / nullif(r.mem_mb_n, 0))::real as mem_mb, (r.cpu_pct_sum / nullif(r.cpu_pct_n, 0))::real as cpu_pct,
	(r.mem_handles_sum / nullif(r.mem_handles_n, 0))::real as mem_handles, (r.latency_ms_sum / nullif(r.latency_ms_n, 0))::real as latency_ms,
	r.character_id
from (
	select b.*
	from dt.telemetry_rollup b
	where b.tier = $7::int and b.bucket >= greatest($1::timestamptz, $5::timestamptz) and b.bucket < $2::timestamptz
	and ($3::text is null or b.character_id = (select k.id from dt.characters k where k.name = $3::text))
	and ($5::timestamptz is null or (b.bucket, b.character_id) > ($5::timestamptz, $6::int))
	order by b.bucket, b.character_id
	limit $4::bigint
) r
join dt.characters c on c.id = r.character_id
left join dt.sessions s on s.id = r.session_id
order by r.bucket, r.character_id;
