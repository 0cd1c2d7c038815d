-- What the roll-ups have to be, by brute force from the raw rows: views that tests compare with the tables.
create view want_rollup as
	select t.tier, r.character_id, dt.bucket(t.tier, r."timestamp") as bucket, max(r."timestamp") as last_at, count(*) as n,
		(array_agg(r.session_id order by r."timestamp" desc))[1] as session_id,
		(array_agg(r.ew order by r."timestamp" desc))[1] as ew, (array_agg(r.ns order by r."timestamp" desc))[1] as ns,
		(array_agg(r.z order by r."timestamp" desc))[1] as z, (array_agg(r.kills order by r."timestamp" desc))[1] as kills, max(r.kills) as kills_max,
		(array_agg(r.deaths order by r."timestamp" desc))[1] as deaths, (array_agg(r.total_deaths order by r."timestamp" desc))[1] as total_deaths,
		(array_agg(r.rares_found order by r."timestamp" desc))[1] as rares_found,
		(array_agg(r.prismatic_taper_count order by r."timestamp" desc))[1] as prismatic_taper_count,
		count(r.kills_per_hour) as kills_per_hour_n, count(r.mem_mb) as mem_mb_n, count(r.cpu_pct) as cpu_pct_n,
		count(r.mem_handles) as mem_handles_n, count(r.latency_ms) as latency_ms_n,
		round(coalesce(sum(r.kills_per_hour::numeric), 0), 3) as kills_per_hour_sum, round(coalesce(sum(r.mem_mb::numeric), 0), 3) as mem_mb_sum,
		round(coalesce(sum(r.cpu_pct::numeric), 0), 3) as cpu_pct_sum, round(coalesce(sum(r.mem_handles::numeric), 0), 3) as mem_handles_sum,
		round(coalesce(sum(r.latency_ms::numeric), 0), 3) as latency_ms_sum,
		(array_agg(r.onlinetime order by r."timestamp" desc))[1] as onlinetime, (array_agg(r.char_tag order by r."timestamp" desc))[1] as char_tag,
		(array_agg(r.vt_state order by r."timestamp" desc))[1] as vt_state
	from dt.telemetry r cross join (values (60), (600), (3600), (21600)) as t (tier)
	group by 1, 2, 3;

create view have_rollup as
	select r.tier, r.character_id, r.bucket, r.last_at, r.n::bigint as n, r.session_id, r.ew, r.ns, r.z, r.kills, r.kills_max, r.deaths, r.total_deaths,
		r.rares_found, r.prismatic_taper_count, r.kills_per_hour_n::bigint as kills_per_hour_n, r.mem_mb_n::bigint as mem_mb_n, r.cpu_pct_n::bigint as cpu_pct_n, r.mem_handles_n::bigint as mem_handles_n,
		r.latency_ms_n::bigint as latency_ms_n, round(r.kills_per_hour_sum::numeric, 3) as kills_per_hour_sum, round(r.mem_mb_sum::numeric, 3) as mem_mb_sum, round(r.cpu_pct_sum::numeric, 3) as cpu_pct_sum,
		round(r.mem_handles_sum::numeric, 3) as mem_handles_sum, round(r.latency_ms_sum::numeric, 3) as latency_ms_sum, r.onlinetime, r.char_tag, r.vt_state
	from dt.telemetry_rollup r;

create view want_cells as
	select dt.bucket(3600, s."timestamp") as hour, round(s.ew * 10)::smallint as ew10, round(s.ns * 10)::smallint as ns10, s.mob_id, count(*)::int as n
	from dt.spawns s group by 1, 2, 3, 4;

create view rollup_differences as
	select 'missing' as what, m::text as which from (select * from want_rollup except all select * from have_rollup) m
	union all select 'extra', x::text from (select * from have_rollup except all select * from want_rollup) x
	union all select 'missing', m::text from (select * from want_cells except all select * from dt.spawn_cells_1h) m
	union all select 'extra', x::text from (select * from dt.spawn_cells_1h except all select * from want_cells) x;
