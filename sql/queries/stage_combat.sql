create temp table if not exists stage_combat (like dt.combat)
