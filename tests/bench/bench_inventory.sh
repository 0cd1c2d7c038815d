#!/bin/sh
# How long an inventory takes from the sender to the database: one of 300 items, the same again, 60 at once as after a restart of all, a change of one item.
# Through dt-send, dt-fanout and dt-store --sink inventory --wait 1, on a PostgreSQL of its own that syncs its disk.  BENCH_ROUNDS (15) of each.
cd "$(dirname "$0")/../.." || exit 1
set --
. tests/lib.sh
. tests/pg.sh
. tests/bench/data.sh
pg_more=$(pg_memory_options)
pg_start durable || exit 1
sql 'create database inventory_db' postgres
start fanout dt-fanout || exit 1
start store dt-store --sink inventory --wait 1 || exit 1
mkfifo "$T/lines"
# shellcheck disable=SC2016
start_plain send sh -c 'dt-send -q <"$T/lines"'
exec 7>"$T/lines"
sent=0 missed=0

# stored FILE: sends its lines; the milliseconds until all of them are committed, in $took
stored() {
	sent=$((sent + $(wc -l <"$1")))
	rm -f "$T/waits"
	psql -X -q -A -t -h "$DT_RUN/pg" -U dereth -d inventory_db >"$T/waits" <<-SQL &
		\\echo here
		do \$\$ begin loop exit when exists (select from dt.positions where seq >= $sent); perform pg_sleep(0.0002); end loop; end \$\$;
		select extract(epoch from clock_timestamp());
	SQL
	_psql=$!
	# shellcheck disable=SC2016 # evaluated later
	wait_for '[ -s "$T/waits" ]' 20
	_began=$(clock)
	cat "$1" >&7
	wait "$_psql"
	took=$(awk -v a="$_began" 'NR == 2 { printf "%.2f", ($1 - a) * 1000 }' "$T/waits")
}

# rounds WHAT AIM FILE...: each file by itself; the median against the aim
rounds() {
	_what=$1 _aim=$2
	shift 2
	for _f; do
		stored "$_f"
		echo "$took"
	done | sort -n >"$T/times"
	sent=$((sent + $(cat "$@" | wc -l)))     # counted above in a subshell
	_n=$(wc -l <"$T/times")
	verdict "$_what  p95 $(sed -n "$(((_n * 95 + 99) / 100))p" "$T/times")" "$(sed -n "$(((_n + 1) / 2))p" "$T/times")" 'ms p50' "$_aim" max || missed=$((missed + 1))
}

n=${BENCH_ROUNDS:-15}
dt-sim -n "$n" --seed 4 --mules 300 --seconds 10 -t full_inventory >"$T/full"
dt-sim -n 60 --seed 5 --mules 300 --seconds 10 -t full_inventory >"$T/sixty"
dt-sim -n 60 --seed 5 --mules 300 --seconds 3600 -t inventory_delta >"$T/deltas"
split -l 1 -d -a 3 "$T/full" "$T/full."
head -n $((n * 4)) "$T/deltas" | split -l 1 -d -a 3 - "$T/delta."
tail -n +$((n * 4 + 1)) "$T/deltas" | head -n 5000 >"$T/many"
items=$(jq -s 'map(.item_count) | add / length | floor' "$T/full")
echo "$items items in $(wc -c <"$T/full" | awk -v n="$n" '{ printf "%d", $1 / n / 1000 }') kB each"

rounds 'an inventory that is new' 50 "$T"/full.*
rounds 'the same again' 50 "$T"/full.*
stored "$T/sixty"
verdict '60 at once' "$took" ms 3000 max || missed=$((missed + 1))
stored "$T/sixty"
verdict '60 at once, the same again' "$took" ms 3000 max || missed=$((missed + 1))
stored "$T/many"
verdict "a change, $(wc -l <"$T/many") in a row" "$(awk -v t="$took" -v n="$(wc -l <"$T/many")" 'BEGIN { print t / n }')" ms 2 max || missed=$((missed + 1))
rounds 'a change by itself, from sender to database' 10 "$T"/delta.*
[ "$(sql 'select count(*) = (select sum(item_count) from dt.characters) from dt.items' inventory_db)" = t ] || { echo 'items are missing'; missed=$((missed + 1)); }
echo "$missed aims missed"
[ "$missed" = 0 ]
