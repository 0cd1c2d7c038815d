-- The newest map of each dungeon, its landblock written as the table has it.
with new as (
	insert into dt.dungeon_maps as d
	select distinct on (landblock) landblock, at, received_at, character_id, event || jsonb_build_object('landblock', landblock)
	from stage_dungeon_maps order by landblock, at desc, seq desc
	on conflict (landblock) do update set at = excluded.at, received_at = excluded.received_at, character_id = excluded.character_id, event = excluded.event
	where excluded.at >= d.at
	returning 1
)
select count(*) as merged_dungeon_maps from new
