create temp table if not exists stage_telemetry (like dt.telemetry) on commit delete rows
