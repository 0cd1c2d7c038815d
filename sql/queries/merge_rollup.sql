-- The new rows of a batch, by minute in stage_rollup, into every tier.  A bucket may be staged more than once.
insert into dt.telemetry_rollup as r
select distinct on (t.tier, g.character_id, b.bucket) t.tier, g.character_id, b.bucket, g."timestamp", sum(g.n) over w, g.session_id, g.ew, g.ns, g.z,
	g.kills, max(g.kills_max) over w, g.deaths, g.total_deaths, g.rares_found, g.prismatic_taper_count,
	sum(g.kills_per_hour_n) over w, sum(g.mem_mb_n) over w, sum(g.cpu_pct_n) over w, sum(g.mem_handles_n) over w, sum(g.latency_ms_n) over w,
	sum(g.kills_per_hour_sum) over w, sum(g.mem_mb_sum) over w, sum(g.cpu_pct_sum) over w, sum(g.mem_handles_sum) over w, sum(g.latency_ms_sum) over w,
	g.onlinetime, g.char_tag, g.vt_state
from stage_rollup g
cross join (values (60), (600), (3600), (21600)) as t (tier)
cross join lateral (select dt.bucket(t.tier, g."timestamp") as bucket) b
where dt.bucket(60, g."timestamp") >= (select dt.counts_from('telemetry'))
window w as (partition by t.tier, g.character_id, b.bucket)
order by t.tier, g.character_id, b.bucket, g."timestamp" desc
on conflict (tier, character_id, bucket) do update set
	n = r.n + excluded.n,
	kills_max = greatest(r.kills_max, excluded.kills_max),
	kills_per_hour_n = r.kills_per_hour_n + excluded.kills_per_hour_n,
	kills_per_hour_sum = r.kills_per_hour_sum + excluded.kills_per_hour_sum,
	mem_mb_n = r.mem_mb_n + excluded.mem_mb_n,
	mem_mb_sum = r.mem_mb_sum + excluded.mem_mb_sum,
	cpu_pct_n = r.cpu_pct_n + excluded.cpu_pct_n,
	cpu_pct_sum = r.cpu_pct_sum + excluded.cpu_pct_sum,
	mem_handles_n = r.mem_handles_n + excluded.mem_handles_n,
	mem_handles_sum = r.mem_handles_sum + excluded.mem_handles_sum,
	latency_ms_n = r.latency_ms_n + excluded.latency_ms_n,
	latency_ms_sum = r.latency_ms_sum + excluded.latency_ms_sum,
	last_at = greatest(r.last_at, excluded.last_at),
	session_id = case when excluded.last_at >= r.last_at then excluded.session_id else r.session_id end,
	ew = case when excluded.last_at >= r.last_at then excluded.ew else r.ew end,
	ns = case when excluded.last_at >= r.last_at then excluded.ns else r.ns end,
	z = case when excluded.last_at >= r.last_at then excluded.z else r.z end,
	kills = case when excluded.last_at >= r.last_at then excluded.kills else r.kills end,
	deaths = case when excluded.last_at >= r.last_at then excluded.deaths else r.deaths end,
	total_deaths = case when excluded.last_at >= r.last_at then excluded.total_deaths else r.total_deaths end,
	rares_found = case when excluded.last_at >= r.last_at then excluded.rares_found else r.rares_found end,
	prismatic_taper_count = case when excluded.last_at >= r.last_at then excluded.prismatic_taper_count else r.prismatic_taper_count end,
	onlinetime = case when excluded.last_at >= r.last_at then excluded.onlinetime else r.onlinetime end,
	char_tag = case when excluded.last_at >= r.last_at then excluded.char_tag else r.char_tag end,
	vt_state = case when excluded.last_at >= r.last_at then excluded.vt_state else r.vt_state end
