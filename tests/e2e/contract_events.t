#!/bin/sh
# What a fleet sends has the form that the contract gives its events: every type, also with all that is odd but legal; and what has not is found.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/contract.sh"

need_contract
dt-sim -n 40 --seconds 1000 --rare-rate 20 >"$T/plain"
dt-sim -n 40 --seconds 300 --rare-rate 20 --odd >"$T/odd"
ok 'a plain fleet: nothing but what is described' contract events --closed <"$T/plain"
cp "$T/ok.out" "$T/plain.out"
is 'all types of plugins' "$(sed -n '$s/.* bad, of //p' "$T/plain.out")" "$(sed -n 's/^EVENT_TYPE("\([a-z_]*\)", PLUGIN,.*/\1/p' "$ROOT/lib/event/event_types.def" | grep -v '^inventory$' | sort | tr '\n' ' ' | sed 's/ $//')"
ok 'an odd fleet: nothing that is not allowed' contract events --any-time <"$T/odd"
like 'of which many are no plain numbers' "$(contract events --closed <"$T/odd" | tail -n 1)" '[0-9]{3,} bad'

# what is wrong is found, and named
wrong() {
	_what=$1
	shift
	like "found: $_what" "$(printf '%s\n' "$1" | contract events --closed)" "$2"
}
wrong 'a missing field' '{"type":"spawn","character_name":"A","timestamp":"2026-04-21T17:05:00Z","ns":1,"ew":2}' "^spawn: .*'mob'"
wrong 'a number that is none' '{"type":"spawn","character_name":"A","timestamp":"2026-04-21T17:05:00Z","mob":"x","ns":"N/A","ew":2}' '^spawn: /ns '
wrong 'a slip of the pen' '{"type":"spawn","character_name":"A","timestamp":"2026-04-21T17:05:00Z","mob":"x","ns":1,"ew":2,"Z":3}' '^spawn: .*\(Z\)'
wrong 'a negative count' '{"type":"share_item_update","character_name":"A","timestamp":"2026-04-21T17:05:00Z","items":[{"name":"x","count":-1}]}' '^share_item_update: /items/N/count '
wrong 'a delta without its item' '{"type":"inventory_delta","character_name":"A","timestamp":"2026-04-21T17:05:00Z","action":"add"}' '^inventory_delta: '
wrong 'half an item added' '{"type":"inventory_delta","character_name":"A","timestamp":"2026-04-21T17:05:00Z","action":"add","item":{"Id":1}}' '^inventory_delta: '
wrong 'a name of no length' '{"type":"register","character_name":"","timestamp":"2026-04-21T17:05:00Z"}' '^register: /character_name '
like 'half an item updated is right' "$(echo '{"type":"inventory_delta","character_name":"A","timestamp":"2026-04-21T17:05:00Z","action":"update","item":{"Id":-1,"IntValues":{"5":"1,234"}}}' | contract events --closed)" '^1 events, 0 bad'
done_testing
