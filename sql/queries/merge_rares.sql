-- Rares: once per character, name and second of their own time.  They count when they are first stored, or when one that a replay
-- brought is later told to count.
with new as (
	insert into dt.rares as r ("timestamp", character_id, second, name, tier, ew, ns, z, counted)
	select distinct on (g.character_id, g.name, g.second) g."timestamp", g.character_id, g.second, g.name, g.tier, g.ew, g.ns, g.z, g.counted
	from stage_rares g
	order by g.character_id, g.name, g.second, g.counted desc
	on conflict (character_id, name, second) do update set counted = true where excluded.counted and not r.counted
	returning r.character_id, r.counted, r.xmax = 0 as inserted
), by_character as (
	update dt.characters c set total_rares = c.total_rares + n.n
	from (select character_id, count(*) as n from new where counted group by 1) n where c.id = n.character_id
)
select count(*) as merged_rares from new where inserted
