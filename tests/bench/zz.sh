cd "$(dirname "$0")/../.." && set --
BENCH_HOURS=${BENCH_HOURS:-15}; . tests/lib.sh; . tests/pg.sh; . tests/bench/data.sh
data_start; cat $T/store.log | tail -5
