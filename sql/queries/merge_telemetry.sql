-- Telemetry that might be there already: a row per character and time.
with new as (
	insert into dt.telemetry
	select distinct on (character_id, "timestamp") * from stage_telemetry order by character_id, "timestamp", received_at
	on conflict (character_id, "timestamp") do nothing
	returning 1
)
select count(*) as merged_telemetry from new
