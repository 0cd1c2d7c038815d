#!/bin/sh
# /ws/position through dt-serve: the secret before the upgrade, frames both ways, long ones, back-pressure, close codes, dt-ingest away and back.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
warm
door() { socket "$@" "$PORT" "${DOOR_PATH:-/ws/position}"; }
refused() {
	door refused "$@"
	grep -o '^!refused [0-9]*' "$T/refused.out"
	rm -f "$T/refused.out"
}

began=$(date +%s)
is 'nothing given' "$(refused)" '!refused 401'
is 'wrong' "$(refused -H 'X-Plugin-Secret: wrong')" '!refused 403'
is 'wrong, in the query' "$(DOOR_PATH='/ws/position?secret=wrong' refused)" '!refused 403'
is 'right, but dt-ingest is away' "$(refused -H "X-Plugin-Secret: $SHARED_SECRET")" '!refused 503'
# F38: who guesses has to wait, also when it says to be somebody else; the right secret comes in all the same (below)
guesses=$(for i in 1 2 3 4 5 6 7; do
	curl -s -m 20 -o "$T/o" -w '%{http_code}\n' -H 'Upgrade: websocket' -H 'Connection: Upgrade' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
	    -H "X-Forwarded-For: 203.0.113.$i" "$URL/ws/position?secret=guess[1-5]"
done | sort | uniq -c | awk '{ print $2 "x" $1 }' | tr '\n' ' ')
# twenty a minute; a minute later they begin anew
if [ $(($(date +%s) - began)) -lt 58 ]; then is 'F38: wrong secrets are refused, then their address has to wait' "$guesses" '403x18 429x17 '
else like 'F38: wrong secrets are refused, then their address has to wait' "$guesses" '^403x[0-9]+ 429x[0-9]+ $'; fi
start ingest dt-ingest
DOOR_PATH="/api/ws/position?secret=$SHARED_SECRET" door query
is 'right, in the query, below /api' "$(head -n 1 "$T/query.out")" '!open'
door p -H "X-Plugin-Secret: $SHARED_SECRET"
say p '{"type":"chat","character_name":"P","timestamp":"2026-01-01T00:00:00Z","text":"through é"}' 'nonsense' '!binary x'
hears p '"type":"error"'
wait_for "[ \"\$(count_of p '\"type\":\"error\"')\" = 2 ]"
ok 'frames go through, errors come back' wait_for "dt-tap --from earliest -1 -t chat | grep -q 'through é'"
say p '!pad 3000000 full_inventory'
ok 'a long one too' wait_for "dt-tap --from earliest -1 -t full_inventory | awk 'length(\$0) > 2900000 { found = 1 } END { exit !found }'" 20
say p '!repeat 20000 {"type":"chat","character_name":"P","timestamp":"2026-01-01T00:00:00Z","text":"n %d"}'
ok 'many' wait_for "[ \"\$(metric dt-ingest events_total)\" -ge 20002 ]" 30
numbered() { dt-tap --from earliest -1 -t chat | jq -r .text | grep '^n '; }
wait_for '[ "$(numbered | wc -l)" -ge 20000 ]'
is 'none lost, none twice' "$(numbered | wc -l) $(numbered | sort -u | wc -l)" '20000 20000'
ok 'counted' wait_for "metric dt-serve proxied_total to_ingest | grep -q '^2000[0-9]\$'"

# while dt-ingest does not read, neither does dt-serve: memory stays
signal STOP ingest
say p '!repeat 30000 {"type":"chat","character_name":"P","timestamp":"2026-01-01T00:00:00Z","text":"held %d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}'
# until dt-serve takes no more of them: what it has taken stays the same for a second and more
taken=-1
for _ in 1 2 3 4 5 6 7 8; do
	before=$taken
	taken=$(metric dt-serve proxied_total to_ingest)
	[ "$taken" -gt 20010 ] && [ "$taken" = "$before" ] && break
	sleep 1.2
done
held=$(awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of serve)/status")
[ "$slow" = 1 ] && ok "memory is bounded meanwhile ($held kB)" [ "$held" -lt 24000 ]
signal CONT ingest
ok 'and goes on' wait_for "[ \"\$(metric dt-ingest events_total)\" -ge 50002 ]" 30

say p '!pad 17000000 full_inventory'
hears p '^!closed' 20
is 'too long closes with 1009' "$(grep -o '^!closed [0-9]*' "$T/p.out")" '!closed 1009'
door q -H "X-Plugin-Secret: $SHARED_SECRET"
say q '{"type":"register","player_name":"Q","character_name":"Q","timestamp":"2026-01-01T00:00:00Z"}' 'nonsense'
hears q '"type":"error"'
kill9 ingest
hears q '^!closed'
is 'dt-ingest dies: try again' "$(grep -o '^!closed [0-9]*' "$T/q.out")" '!closed 1012'
start ingest dt-ingest
door r -H "X-Plugin-Secret: $SHARED_SECRET"
is 'and it is back' "$(head -n 1 "$T/r.out")" '!open'
say r '!close 1000'
hears r '^!closed'
ok 'a plugin that leaves leaves dt-ingest too' wait_for '[ "$(metric dt-ingest connections)" = 0 ]'
wait_for '[ "$(metric dt-serve plugins)" = 0 ]'
is 'nothing is left over' "$(metric dt-serve plugins)" 0
SHARED_SECRET=changeme
stop serve
serve_start
is 'no usable secret: nobody' "$(refused -H 'X-Plugin-Secret: changeme')" '!refused 503'
done_testing
