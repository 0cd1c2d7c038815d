#!/bin/sh
# Nothing is lost or stored twice when dt-store, its backend, PostgreSQL or dt-fanout are killed with -9 while events pour in: ids compared.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start durable || exit 1

count=20000
awk -v now="$(date +%s)" -v n="$count" 'BEGIN { for (i = 1; i <= n; i++) {
	c = i % 40; t = strftime("%Y-%m-%dT%H:%M:%S", now - 3600 + int(i / 40), 1)
	printf "{\"type\":\"telemetry\",\"character_name\":\"C%d\",\"session_id\":\"s\",\"timestamp\":\"%s.%06dZ\",\"ew\":1,\"ns\":2,\"z\":%d,\"kills\":%d}\n", c, t, i, i, int(i / 40)
	if (i % 10 == 0) printf "{\"type\":\"spawn\",\"character_name\":\"C%d\",\"timestamp\":\"%s.%06dZ\",\"mob\":\"Rat\",\"ew\":1,\"ns\":2,\"z\":%d}\n", c, t, i, i
	if (i % 1000 == 0) printf "{\"type\":\"rare\",\"character_name\":\"C%d\",\"timestamp\":\"%sZ\",\"name\":\"Gem %d\"}\n", c, t, i
} }' >"$T/events"

start fanout dt-fanout || exit 1
follow store --rows 40 --timeout 2 || exit 1
start_plain feed sh -c "split -l 500 --filter='dt-send -w 240; sleep 0.15' $T/events"

stored() { sql "select coalesce((select max(seq) from dt.positions), 0)" 2>/dev/null || echo 0; }
# wait_more N: until so many more events are stored
wait_more() {
	_from=$(stored)
	wait_for '[ "$(stored)" -gt '"$((_from + $1))"' ] || ! alive feed' 20
}
for _ in 1 2 3; do
	wait_more 300
	kill9 store
	follow store --rows 40 --timeout 2 || exit 1
	wait_more 300
	# the backend: PostgreSQL ends all sessions and recovers
	kill -9 "$(sql "select pid from pg_stat_activity where application_name = 'dt-store' limit 1" 2>/dev/null || echo 999999)" 2>/dev/null
	wait_for 'pg_ready'
done
wait_more 300
pg_stop immediate
pg_run
wait_more 300
kill9 fanout
start fanout dt-fanout || exit 1
ok 'all is sent' wait_for '! alive feed' 30
# seven kills later
lines=$(cat "$DT_DATA"/journal/*.ndjson | wc -l)
ok 'all is stored' wait_for '[ "$(stored)" = '"$lines"' ]' 40
is 'the journal has all events' "$(cat "$DT_DATA"/journal/*.ndjson | jq -r 'select(.type == "telemetry").z' | sort -n | uniq | wc -l)" "$count"
is 'telemetry: none missing' "$(sql "select count(*) from (select generate_series(1, $count) except select z::int from telemetry_events) m")" 0
is 'telemetry: none twice' "$(sql 'select count(*) from telemetry_events')" "$count"
is 'spawns: none missing, none twice' "$(sql 'select count(distinct z), count(*) from spawn_events')" "$((count / 10))|$((count / 10))"
is 'rares: none missing, none twice' "$(sql 'select count(*), count(distinct name) from rare_events') $(sql 'select sum(total_rares) from rare_stats')" "$((count / 1000))|$((count / 1000)) $((count / 1000))"
is 'kills' "$(sql 'select sum(total_kills) from char_stats')" "$(jq -n '[inputs | select(.type == "telemetry")] | group_by(.character_name) | map(map(.kills) | max) | add' "$T/events")"
is 'nothing is put aside' "$(sql 'select count(*) from dead_letters')" 0
ok 'dt-store ends when asked' stop store
done_testing
