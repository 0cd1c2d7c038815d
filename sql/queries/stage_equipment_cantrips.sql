create temp table if not exists stage_equipment_cantrips (like dt.equipment_cantrips, seq bigint)
