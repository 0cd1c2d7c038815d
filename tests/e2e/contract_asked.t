#!/bin/sh
# Every route of the contract that reads, with every parameter at its bounds and beyond: what it takes is answered as it says, what it does not take is refused by name.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"
. "$ROOT/tests/store.sh"
need_contract

pg_start
inventory_db
fanout_start
start store dt-store
start inventory dt-store --sink inventory
serve_start
warm

# a fleet that has lived for ten minutes, and is there
dt-sim -n 12 --seconds 600 --rare-rate 200 --start "$(date -u -d '-600 seconds' +%Y-%m-%dT%H:%M:%SZ)" >"$T/fleet"
name=$(grep -m 1 '"type":"rare"' "$T/fleet" | jq -r .character_name)
block=$(grep -m 1 '"type":"dungeon_map"' "$T/fleet" | jq -r .landblock)
dt-send -q <"$T/fleet"
ok 'the fleet is stored' wait_for '[ "$(sql "select count(*) from telemetry_events")" = "$(grep -c "\"type\":\"telemetry\"" "$T/fleet")" ]' 60
wait_for '[ "$(get /inventory-characters | jq ".characters | length")" = 12 ]'

contract ask "$URL" "$T/contract" character="$name" landblock="$block" type=telemetry id=1 >"$T/asked"
sed -n 's/^\(not ok\|ok\) [0-9]* - /\1 /p;/^#/p' "$T/asked" >"$T/asked.lines"
while IFS= read -r line; do
	case $line in
	'ok '*) pass "${line#ok }" ;;
	'not ok '*) fail "${line#not ok }" ;;
	*) echo "$line" ;;
	esac
done <"$T/asked.lines"
ok 'to the end' grep -q '^1\.\.' "$T/asked"
is 'nothing was dropped meanwhile' "$(sql 'select count(*) >= 12 from dt.characters')" t
done_testing
