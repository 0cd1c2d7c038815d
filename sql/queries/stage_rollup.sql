-- Per character and minute: its last new row and what is summed over them.
create temp table if not exists stage_rollup (
	like dt.telemetry, n int, kills_max int, kills_per_hour_n int, kills_per_hour_sum float8, mem_mb_n int, mem_mb_sum float8,
	cpu_pct_n int, cpu_pct_sum float8, mem_handles_n int, mem_handles_sum float8, latency_ms_n int, latency_ms_sum float8
)
