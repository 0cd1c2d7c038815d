create temp table if not exists stage_combat_sessions (like dt.combat_sessions)
