#!/bin/sh
# dt-store on the bus: dt-send twice changes nothing, it waits for a bus, starts another journal at its beginning, and finds the way back to an old one.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1
count() { sql "select count(*) from telemetry_events where character_name like '$1%'"; }

start store dt-store || exit 1
pass 'it is ready without a bus'
start fanout dt-fanout || exit 1
seq 1 20 | while read -r n; do telemetry A "-$((100 - n))" "$n"; done >"$T/a"
echo '{"type":"rare","character_name":"A","timestamp":"'"$(at -85)"'","name":"Gem"}' >>"$T/a"
ok 'sent' dt-send <"$T/a"
ok 'stored' wait_for '[ "$(count A)" = 20 ]'
totals=$(sql 'select * from char_stats'; sql 'select * from rare_stats')
is 'counted' "$totals" 'A|20
A|1'
dt-send <"$T/a"
telemetry B -10 1 | dt-send
ok 'more' wait_for '[ "$(count B)" = 1 ]'
is 'the same capture twice: rows' "$(count A)" 20
is 'the same capture twice: totals' "$(sql "select * from char_stats where character_name = 'A'"; sql 'select * from rare_stats')" "$totals"

# that of the batches before is in its status file
wait_for '[ "$(metric dt-store position)" -ge 43 ]'
ready_at=$(metric dt-store batches_total)
telemetry C -10 1 | dt-send
ok 'a lone event does not wait for others' wait_for '[ "$(count C)" = 1 ]'
ok 'status counts it' wait_for '[ "$(metric dt-store batches_total)" -gt '"$ready_at"' ]'

# another journal under a running store
stop fanout
mv "$DT_DATA/journal" "$T/journal1"
start fanout dt-fanout || exit 1
telemetry D -5 1 | dt-send
ok 'a new journal is read from its beginning' wait_for '[ "$(count D)" = 1 ]' 20
is 'a position for each' "$(sql 'select count(*) from dt.positions')" 2
# and under one that was away meanwhile
stop store
stop fanout
mv "$DT_DATA/journal" "$T/journal2"
mv "$T/journal1" "$DT_DATA/journal"
start fanout dt-fanout || exit 1
telemetry E -4 1 | dt-send
start store dt-store || exit 1
ok 'back to the first one, where it was' wait_for '[ "$(count E)" = 1 ]' 20
is 'nothing came twice' "$(count '')" 24
is 'no position was made anew' "$(sql 'select count(*) from dt.positions')" 2
stop store
stop fanout
rm -r "$DT_DATA/journal"
start fanout dt-fanout || exit 1
telemetry F -3 1 | dt-send
start store dt-store || exit 1
ok 'a third, shorter than where it was' wait_for '[ "$(count F)" = 1 ]' 20

# PostgreSQL away while the bus goes on
pg_stop immediate
telemetry G -2 1 | dt-send
telemetry G -1 2 | dt-send
pg_run
ok 'what came meanwhile is stored' wait_for '[ "$(count G)" = 2 ]' 20
ok 'it ends when asked' stop store
done_testing
