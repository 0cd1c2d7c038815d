#!/bin/sh
# The whole C stack (without PostgreSQL) stays under 64 MB resident with 60 characters and 20 browsers.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"

SHARED_SECRET=9a3be0c4d2f1
DT_PORT=$(free_port)
DT_TRUSTED_NETS=127.0.0.1
export SHARED_SECRET DT_PORT DT_TRUSTED_NETS

# A browser that listens: an upgrade by hand, then every byte read.
browser() {
	{
		printf 'GET /ws/live HTTP/1.1\r\nHost: localhost:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' "$DT_PORT"
		printf 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n'
	} | nc -q -1 127.0.0.1 "$DT_PORT" | wc -c
}

# Kilobytes of each, and of all together: pages of libraries and programs, which they share, are counted once.
resident() {
	for p in fanout ingest store inventory serve sim; do
		diag "$p: $(awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of $p)/status") kB, private $(awk '/^RssAnon/ { print $2 }' "/proc/$(pid_of $p)/status") kB"
		cat "/proc/$(pid_of $p)/smaps"
	done >"$T/smaps"
	grep '^#' "$T/smaps"
	total=$(awk '
		/^[0-9a-f]+-[0-9a-f]+ / { file = $6 != "" ? $3 " " $6 : "" }
		/^Rss:/ { rss = $2 }
		/^Anonymous:/ { sum += $2; if (file != "" && rss - $2 > most[file]) most[file] = rss - $2 }
		END { for (f in most) sum += most[f]; print sum }' "$T/smaps")
}

pg_start || exit 1
ok 'dt-fanout starts' start fanout dt-fanout
ok 'dt-ingest starts' start ingest dt-ingest
sql 'create database inventory_db' postgres
ok 'dt-store starts' start store dt-store --sink telemetry
ok 'its second starts' start inventory dt-store --sink inventory
ok 'dt-serve starts' start serve dt-serve
ok '60 characters connect, at five times the usual rate' start sim dt-sim --characters 60 --seed 5 --connect "ws://127.0.0.1:$DT_PORT/ws/position" --speed 5 --seconds 600
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do start_plain "browser$i" browser; done
ok '20 browsers are there' wait_for '[ "$(metric dt-serve browsers)" = 20 ]'
ok 'they get thousands of events' wait_for '[ "$(metric dt-serve deliveries_total)" -gt 60000 ]' 25
resident
diag "together: $total kB"
ok 'under 64 MB together' [ "$total" -lt 65536 ]
done_testing
