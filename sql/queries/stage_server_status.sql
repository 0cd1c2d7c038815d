create temp table if not exists stage_server_status (like dt.server_status including defaults, seq bigint)
