-- Telemetry that might be there already: a row per character and time.  What is new counts in the roll-ups.
with new as (
	insert into dt.telemetry
	select distinct on (character_id, "timestamp") * from stage_telemetry order by character_id, "timestamp", received_at
	on conflict (character_id, "timestamp") do nothing
	returning *
), rolled as (
	insert into stage_rollup
	select *, 1, kills, (kills_per_hour is not null)::int, coalesce(kills_per_hour, 0), (mem_mb is not null)::int, coalesce(mem_mb, 0),
		(cpu_pct is not null)::int, coalesce(cpu_pct, 0), (mem_handles is not null)::int, coalesce(mem_handles, 0),
		(latency_ms is not null)::int, coalesce(latency_ms, 0)
	from new
)
select count(*) as merged_telemetry from new
