-- Spawns that might be there already: equal in every column.  What is new counts in its cell.
with new as (
	insert into dt.spawns
	select distinct * from stage_spawns g
	where not exists (
		select from dt.spawns s
		where s.character_id = g.character_id and s."timestamp" = g."timestamp" and s.mob_id = g.mob_id
		and s.ew = g.ew and s.ns = g.ns and s.z is not distinct from g.z
	)
	returning "timestamp", ew, ns, mob_id
), counted as (
	insert into stage_spawn_cells
	select dt.bucket(3600, "timestamp"), round(ew * 10), round(ns * 10), mob_id, 1 from new
)
select count(*) as merged_spawns from new
