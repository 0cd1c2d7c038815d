create temp table if not exists stage_spawns (like dt.spawns)
