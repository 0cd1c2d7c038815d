-- The newest state of each character's equipment.
with new as (
	insert into dt.equipment_cantrips as e
	select distinct on (character_id) character_id, at, received_at, event from stage_equipment_cantrips order by character_id, at desc, seq desc
	on conflict (character_id) do update set at = excluded.at, received_at = excluded.received_at, event = excluded.event
	where excluded.at >= e.at
	returning 1
)
select count(*) as merged_equipment_cantrips from new
