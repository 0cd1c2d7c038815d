create temp table if not exists stage_quests (like dt.quests, seq bigint)
