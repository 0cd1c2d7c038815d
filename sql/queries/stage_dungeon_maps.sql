create temp table if not exists stage_dungeon_maps (like dt.dungeon_maps, seq bigint)
