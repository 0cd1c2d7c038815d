create temp table if not exists stage_character_stats (like dt.character_stats, skip text[], gone text[], seq bigint)
