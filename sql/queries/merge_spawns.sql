-- Spawns that might be there already: equal in every column.
with new as (
	insert into dt.spawns
	select distinct * from stage_spawns g
	where not exists (
		select from dt.spawns s
		where s.character_id = g.character_id and s."timestamp" = g."timestamp" and s.mob_id = g.mob_id
		and s.ew = g.ew and s.ns = g.ns and s.z is not distinct from g.z
	)
	returning 1
)
select count(*) as merged_spawns from new
