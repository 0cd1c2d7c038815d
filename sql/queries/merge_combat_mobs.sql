-- The same for what is counted per monster.
insert into dt.combat_mobs as c
select character_id, mob_id, sum(kills), sum(aetheria_surges), sum(cloak_surges) from stage_combat_mobs group by character_id, mob_id
on conflict (character_id, mob_id) do update set kills = c.kills + excluded.kills, aetheria_surges = c.aetheria_surges + excluded.aetheria_surges,
	cloak_surges = c.cloak_surges + excluded.cloak_surges
