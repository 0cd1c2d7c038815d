-- What the snapshots of a batch add to the counters of a lifetime; of max_* the largest counts.
insert into dt.combat as c
select character_id, mob_id, cell, sum(attacks), sum(failed), sum(crits), sum(normal_damage), max(max_normal), sum(crit_damage), max(max_crit)
from stage_combat group by character_id, mob_id, cell
on conflict (character_id, mob_id, cell) do update set attacks = c.attacks + excluded.attacks, failed = c.failed + excluded.failed,
	crits = c.crits + excluded.crits, normal_damage = c.normal_damage + excluded.normal_damage, max_normal = greatest(c.max_normal, excluded.max_normal),
	crit_damage = c.crit_damage + excluded.crit_damage, max_crit = greatest(c.max_crit, excluded.max_crit)
