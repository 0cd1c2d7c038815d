create temp table if not exists stage_telemetry (like dt.telemetry)
