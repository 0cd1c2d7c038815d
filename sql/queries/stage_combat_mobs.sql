create temp table if not exists stage_combat_mobs (like dt.combat_mobs)
