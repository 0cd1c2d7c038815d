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

# what changes something: the board
post() {
	_path=$1
	shift
	code "$_path" -H 'Content-Type: application/json' -H "Origin: $URL" "$@"
}
is 'an issue' "$(post /issues -d '{"title":"The map is blank","body":"since today","category":"map","author":"Larsson"}') $(jq -c '[.id, .state, .comments]' "$T/body")" '201 [1,"open",[]]'
is 'a comment' "$(post /issues/1/comments -d '{"body":"here too"}') $(jq -r .author "$T/body")" '201 anonymous'
is 'it is done' "$(post /issues/1 -X PATCH -d '{"state":"done"}') $(jq -r '.state, .comments[0].body' "$T/body" | tr '\n' ' ')" '200 done here too '
is 'another one goes' "$(post /issues -d '{"title":"x"}') $(post /issues/2 -X DELETE) $(code /issues/2)" '201 204 404'
for bad in '{}' '{"title":""}' '{"title":1}' '{"title":"x","extra":1}' '{"title":"x","state":"no"}' '[1]' 'x' ''; do
	is "no issue: $bad" "$(post /issues -d "$bad") $(jq -r .code "$T/body")" '400 bad_body'
done
is 'not from elsewhere' "$(post /issues -H 'Origin: http://evil.example' -d '{"title":"x"}') $(code /issues/1 -X DELETE)" '403 403'
is 'no form' "$(code /issues -H "Origin: $URL" -d 'title=x')" 415
is 'not too much' "$(head -c 70000 /dev/zero | tr '\0' x | post /issues -d @-)" 413
is 'no such issue' "$(post /issues/9 -X PATCH -d '{"state":"open"}') $(post /issues/x -X DELETE) $(post /issues/9/comments -d '{"body":"x"}')" '404 400 404'

ASK_TOKEN=$(dt-user token add tests admin 2>/dev/null)
export ASK_TOKEN
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
