-- What became of items since version $1, in the order in which it happened: items as they are now, and ids of those that are nowhere any more.
-- One statement, so that both are of the same moment.
select i.version, false, i.item_id, i.character_id, c.name, (extract(epoch from i.updated_at) * 1000000)::bigint,
	i.name, i.description, i.spells, i.active_spells,
	i.object_class, i.icon, i.wcid, i.item_type, i.container_id, i.position, i.equipped_slot, i.valid_slots, i.coverage,
	i.stack_count, i.max_stack, i.value, i.burden, i.material_id, i.set_id, i.armor_level, i.base_armor_level, i.workmanship,
	i.tinks, i.imbue, i.damage_min, i.damage_max, i.damage_type, i.wield_level, i.wield_skill, i.wield_skill_level, i.cantrip_level,
	i.r_damage, i.r_damage_resist, i.r_crit, i.r_crit_resist, i.r_crit_damage, i.r_crit_damage_resist, i.r_heal_boost, i.r_vitality,
	i.bonded, i.attuned, i.rare, i.has_id_data
from dt.items i join dt.characters c on c.id = i.character_id
where i.version > $1::bigint
union all
select g.version, true, g.item_id, null, null, null,
	null, null, null, null,
	null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
	null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
from dt.gone g
where g.version > $1::bigint
order by 1;
