#!/bin/sh
# Rows a second through dt-store, from a journal on disk and over the bus, beside a plain COPY of the same rows into the same table by psql.
# BENCH_ROWS rows (600000), three rounds, the best of each counts; the ratio is what to look at.
cd "$(dirname "$0")/../.." || exit 1
set -- "${BENCH_ROWS:-600000}"
rows=$1
. tests/lib.sh
. tests/pg.sh
pg_start durable || exit 1

mkdir "$T/journal"
echo bench >"$T/journal/id"
awk -v n="$rows" -v now="$(date +%s)" 'BEGIN { for (i = 1; i <= n; i++) {
	c = i % 60; s = now - 40000 + int(i / 60) * 2
	if (s != last) { t = strftime("%Y-%m-%dT%H:%M:%S", s, 1); last = s }
	printf "{\"_seq\":%d,\"_rx\":\"%s.500Z\",\"type\":\"telemetry\",\"character_name\":\"Character %d\",\"char_tag\":\"mage%d\",\"session_id\":\"7f0f5d0e-5a1c-4d0b-9d8f-0f2c6b1f2a%02d\",\"timestamp\":\"%s.%06d7Z\",\"ew\":%.4f,\"ns\":%.4f,\"z\":%.3f,\"kills\":%d,\"kills_per_hour\":\"%.1f\",\"onlinetime\":\"00.01:59:%02d\",\"deaths\":\"0\",\"total_deaths\":\"17\",\"rares_found\":\"1\",\"prismatic_taper_count\":\"%d\",\"vt_state\":\"Hunt\",\"mem_mb\":%.1f,\"cpu_pct\":%.2f,\"mem_handles\":1184,\"latency_ms\":%d}\n", i, t, c, c % 5, c, t, i % 1000000, rand() * 200 - 100, rand() * 200 - 100, rand(), int(i / 60), rand() * 900, i % 60, 9000 - i % 4000, 300 + rand() * 200, rand() * 9, 20 + i % 70
} }' >"$T/journal/00000000000000000001.ndjson"
echo "$rows telemetry events, $(du -m "$T/journal" | cut -f1) MB"

seconds() { awk -v a="$1" -v b="$2" 'BEGIN { print b - a }'; }
best() { [ -z "$1" ] || awk -v a="$2" -v b="$1" 'BEGIN { exit !(a < b) }' && echo "$2" || echo "$1"; }
wipe() { sql 'truncate dt.telemetry, dt.telemetry_rollup, dt.positions, dt.characters, dt.sessions; checkpoint'; }

# migrations, and the rows as COPY wants them
dt-store -1 -r "$T/journal" 2>"$T/store.log" || exit 1
[ "$(sql 'select count(*) from telemetry_events')" = "$rows" ] || { echo 'rows are missing' >&2; exit 1; }
psql -X -q -h "$DT_RUN/pg" -U dereth -d dereth -c "\\copy (select * from dt.telemetry order by \"timestamp\") to $T/rows"

copy='' store='' bus=''
for _ in 1 2 3; do
	wipe
	a=$(date +%s.%N)
	psql -X -q -h "$DT_RUN/pg" -U dereth -d dereth -c "\\copy dt.telemetry from $T/rows"
	copy=$(best "$copy" "$(seconds "$a" "$(date +%s.%N)")")
	wipe
	a=$(date +%s.%N)
	dt-store -1 -r "$T/journal" 2>>"$T/store.log"
	store=$(best "$store" "$(seconds "$a" "$(date +%s.%N)")")
done
if command -v dt-fanout >/dev/null; then
	start fanout dt-fanout || exit 1
	dt-send -q --strip <"$T/journal/00000000000000000001.ndjson"
	for _ in 1 2 3; do
		wipe
		a=$(date +%s.%N)
		start store dt-store || exit 1
		sql "do \$\$ begin loop exit when exists (select from dt.positions where seq = $rows); perform pg_sleep(0.01); end loop; end \$\$"
		bus=$(best "$bus" "$(seconds "$a" "$(date +%s.%N)")")
		stop store
	done
fi
for what in copy store bus; do
	eval "t=\$$what"
	[ -n "$t" ] && awk -v what="$what" -v rows="$rows" -v t="$t" -v copy="$copy" \
	    'BEGIN { printf "%-6s %8.0f rows/s   %.2f of a plain COPY\n", what, rows / t, copy / t }'
done
exit 0
