create temp table if not exists stage_spawn_cells (like dt.spawn_cells_1h)
