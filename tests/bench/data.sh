# shellcheck shell=sh
# The volumes that the benches of the API need, in a PostgreSQL of their own: sourced after tests/lib.sh and tests/pg.sh.
#
#   data_start           starts it with both databases filled; made once, then kept in $B/bench-data (BENCH_DATA) and used for a day
#   seconds A B          from one `date +%s.%N` to another
#   verdict WHAT VALUE UNIT AIM min|max      one line: the figure, its aim, and whether it was met; 1 when it was missed
#
# BENCH_HOURS (150) hours of 40 characters: 10 million telemetry rows, 6.5 million spawns.  BENCH_MULES (100) mules of 1,000 items.

BENCH_HOURS=${BENCH_HOURS:-150}
BENCH_MULES=${BENCH_MULES:-100}
# shellcheck source=scripts/tracker.d/memory.sh
pg_memory_options() { bash -c '. "$ROOT/scripts/tracker.d/memory.sh"; pg_memory "$(memory_mb)"' | sed 's/ = /=/;s/^/-c /' | tr '\n' ' '; }

seconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b - a }'; }
clock() { date +%s.%N; }

verdict() {
	awk -v what="$1" -v v="$2" -v unit="$3" -v aim="$4" -v kind="$5" 'BEGIN {
		met = kind == "max" ? v <= aim : v >= aim
		printf "%-60s %10s %-7s aim %s %-7s %s\n", what, sprintf(v >= 1000 ? "%d" : v >= 10 ? "%.1f" : "%.2f", v), unit, kind == "max" ? "<" : ">", aim, met ? "ok" : "MISSED"
		exit !met
	}'
}

# Where the server's user can get to.
data_place() {
	BENCH_DATA=${BENCH_DATA:-$B/bench-data}
	mkdir -p "$BENCH_DATA"
	chmod 755 "$BENCH_DATA"
	if ! pg_as test -x "$BENCH_DATA"; then
		BENCH_DATA=/var/tmp/dt-bench
		mkdir -p "$BENCH_DATA"
	fi
	ln -s "$BENCH_DATA/pgdata" "$T/pgdata"
}

# What the data depend on.
data_key() { { cat "$ROOT"/sql/dereth/*.sql "$ROOT"/sql/inventory/*.sql; echo "$BENCH_HOURS $BENCH_MULES $pg_bin 1"; } | cksum; }

data_fill() {
	began=$(clock)
	dt-sim -n 40 --start "-${BENCH_HOURS}h" --seconds $((BENCH_HOURS * 3600)) --rate max -t telemetry,spawn,portal,rare | dt-store -1 -r /dev/stdin 2>"$T/store.log"
	stored=$(clock)
	# shellcheck disable=SC2129
	dt-sim -n 40 --start -1h --seconds 3600 --rate max -t character_stats,combat_stats,quest,equipment_cantrip_state,dungeon_map |
	    dt-store -1 -r /dev/stdin 2>>"$T/store.log"
	dt-sim -n "$BENCH_MULES" --seed 2 --mules 1000 --seconds 10 --start -1h -t full_inventory | dt-store --sink inventory -1 -r /dev/stdin 2>>"$T/store.log"
	sql 'vacuum analyze' 2>>"$T/store.log"
	sql 'vacuum analyze' inventory_db 2>>"$T/store.log"
	sql checkpoint postgres
	rows=$(sql 'select count(*) from dt.telemetry')
	spawns=$(sql 'select count(*) from dt.spawns')
	{
		echo "$rows telemetry rows and $spawns spawns made and stored in $(seconds "$began" "$stored") s: $(awk -v n=$((rows + spawns)) -v a="$began" -v b="$stored" 'BEGIN { printf "%d", n / (b - a) }') rows/s"
		echo "$(sql 'select count(*) from dt.items' inventory_db) items; databases of $(sql "select string_agg(pg_size_pretty(pg_database_size(d)), ' and ') from unnest('{dereth,inventory_db}'::name[]) d")"
	} >"$BENCH_DATA/told"
	data_key >"$BENCH_DATA/complete"
}

data_start() {
	data_place
	pg_end=fast
	pg_more="$(pg_memory_options) -c max_connections=50 -c random_page_cost=1.1 -c wal_compression=on -c shared_preload_libraries=auto_explain"
	if [ "$(cat "$BENCH_DATA/complete" 2>/dev/null)" = "$(data_key)" ] && [ -n "$(find "$BENCH_DATA/complete" -mmin -1200)" ]; then
		pg_again || return 1
	else
		rm -rf "$BENCH_DATA/complete" "$BENCH_DATA/pgdata"
		mkdir "$BENCH_DATA/pgdata"
		pg_start durable || return 1
		sql 'create database inventory_db' postgres
		data_fill
	fi
	cat "$BENCH_DATA/told"
}
