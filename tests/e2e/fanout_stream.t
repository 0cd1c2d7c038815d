#!/bin/sh
# What goes into events.in comes out of events.out, stamped, in order, to whom it concerns; bad lines cost themselves.
. "$(dirname "$0")/../lib.sh"

IN=$DT_RUN/events.in OUT=$DT_RUN/events.out J=$DT_DATA/journal
ok 'starts' start fanout dt-fanout

# say LINES: to events.in without a greeting.
say() { printf '%b' "$1" | timeout 200 nc -NU "$IN"; }
# ask SUBSCRIPTION: what the bus answers; ends when the bus closes.
ask() { printf '{"subscribe":%s}\n' "$1" >"$T/ask"; timeout 200 nc -U "$OUT" <"$T/ask"; }
journaled() { wait_for "[ \$(cat $J/*.ndjson | wc -l) -ge $1 ]"; }

start_plain silent nc -U "$OUT"
wait_for '[ "$(metric dt-fanout subscribers)" = 1 ]'
say '{"type":"chat","character_name":"A","text":"1"}\n \n\r\n\n{"type":"telemetry","character_name":"B"}\r\n{"a":\n'
say '["no object"]\n{"type":"x","_seq":9}\n{"type":"x","_rx":"y"}\n{"type":"ok","_replay":true,"character_name":"A"}\n\0377\n{"n":1}'
say '{"type":"last line without its end","character_name":"C"}'
journaled 4
is 'four are kept' "$(cat "$J"/*.ndjson | jq -c '[._seq, .type, .character_name]')" '[1,"chat","A"]
[2,"telemetry","B"]
[3,"ok","A"]
[4,"last line without its end","C"]'
wait_for '[ "$(wc -l < "$T/silent.out")" = 4 ]'
ok 'who says nothing gets everything from then on, as it is in the journal' cmp "$T/silent.out" "$J/00000000000000000001.ndjson"
wait_for '[ "$(metric dt-fanout last_seq)" = 4 ]'
is 'refused for a reserved name' "$(metric dt-fanout rejected_total reserved)" 2
is 'refused as no object' "$(metric dt-fanout rejected_total not_object)" 1
is 'refused without a type' "$(metric dt-fanout rejected_total no_type)" 1
is 'refused as empty' "$(metric dt-fanout rejected_total empty)" 1

id=$(cat "$J/id")
is 'from a number to a number' "$(ask '{"from":2,"to":3}' | jq -c '._seq // .')" "{\"type\":\"subscribed\",\"from\":2,\"journal\":\"$id\"}
2
3"
seqs() { ask "$1" | jq -r '._seq // empty' | tr '\n' ' '; }
is 'from the beginning' "$(seqs '{"from":"earliest","to":4}')" '1 2 3 4 '
is 'numbers as strings' "$(seqs '{"from":"3","to":"4"}')" '3 4 '
is 'by type' "$(seqs '{"from":1,"to":4,"types":["telemetry","ok"]}')" '2 3 '
is 'by a prefix of types' "$(seqs '{"from":1,"to":4,"types":["cha*","la*"]}')" '1 4 '
is 'by character' "$(seqs '{"from":1,"to":4,"characters":["A"]}')" '1 3 '
is 'by both' "$(seqs '{"from":1,"to":4,"types":["ok"],"characters":["A","B"]}')" '3 '
is 'an empty list wants nothing' "$(seqs '{"from":1,"to":4,"types":[]}')" ''
is 'by jq' "$(seqs '{"from":1,"to":4,"jq":".character_name == \"A\" and (.text|not)"}')" '3 '
is 'by all three' "$(seqs '{"from":1,"to":4,"types":["*"],"characters":["A"],"jq":".text"}')" '1 '
is 'a range that is over' "$(seqs '{"from":3,"to":2}')" ''
is 'from a time' "$(rx=$(jq -r 'select(._seq == 3)._rx' "$J"/*.ndjson); first=$(jq -r "select(._rx == \"$rx\")._seq" "$J"/*.ndjson | head -n 1)
	got=$(seqs "{\"from\":\"$rx\",\"to\":4}"); [ "${got%% *}" = "$first" ] && echo same)" same
is 'to a time that has passed' "$(seqs '{"from":1,"to":"2020-01-01T00:00:00Z"}')" ''
is 'to a time, all of it' "$(seqs "{\"from\":1,\"to\":\"$(date -u +%FT%TZ -d '+1 second')\"}")" '1 2 3 4 '

errors() { ask "$1" | jq -r .error; }
like 'from nonsense' "$(errors '{"from":"yesterday"}')" '^from is neither'
like 'from a fraction' "$(errors '{"from":1.5}')" '^from is neither'
like 'from a negative number' "$(errors '{"from":-1}')" '^from is neither'
like 'to nonsense' "$(errors '{"to":true}')" '^to is neither'
like 'types that are no list' "$(errors '{"types":"rare"}')" '^types is not a list'
like 'characters that are no strings' "$(errors '{"characters":[1]}')" '^characters is not a list'
like 'jq that is no string' "$(errors '{"jq":1}')" '^jq is not a program'
like 'jq that does not compile' "$(errors '{"jq":".[","from":1}')" 'jq program failed'
like 'no subscription' "$(printf '{"subscription":1}\n' | timeout 200 nc -U "$OUT")" '"error":"the first line is no subscription'
like 'no JSON' "$(printf 'hello\n' | timeout 200 nc -U "$OUT")" '"error":"the first line is not JSON'
like 'half a line' "$(printf '{"subscribe"' | timeout 200 nc -NU "$OUT")" '"error":"the first line has no end'
like 'too long' "$(head -c 600000 /dev/zero | tr '\0' ' ' | timeout 200 nc -NU "$OUT")" '"error":"the subscription is too long'

# A subscription to the future waits for it.
ask '{"from":6,"to":6}' >"$T/future" &
waiter=$!
wait_for '[ "$(metric dt-fanout subscribers)" = 2 ]'
say '{"type":"five"}\n{"type":"six"}\n{"type":"seven"}\n'
wait "$waiter"
is 'the future comes' "$(jq -c '[.from, ._seq]' "$T/future")" '[6,null]
[null,6]'

# The largest event reaches everybody who wants it, whole; one byte more is refused and costs itself.
{ printf '{"type":"big","pad":"'; head -c $((16777216 - 23)) /dev/zero | tr '\0' x; printf '"}\n'; } >"$T/big"
{ printf '{"type":"big","pad":"'; head -c $((16777217 - 23)) /dev/zero | tr '\0' x; printf '"}\n{"type":"after"}\n'; } >"$T/bigger"
is 'the largest event' "$(wc -c <"$T/big")" 16777217
cat "$T/big" "$T/bigger" | timeout 200 nc -NU "$IN"
sizes() { ask "$1" | LC_ALL=C awk '{ print length($0) }' | tail -n +2 | tr '\n' ' '; }
wait_for '[ "$(metric dt-fanout last_seq)" = 9 ]' 20
is 'one is refused' "$(metric dt-fanout rejected_total oversize)" 1
big=$(awk 'NR == 8 { print length($0) }' "$J"/*.ndjson)
is 'it comes whole' "$(sizes '{"from":8,"to":9}')" "$big $(awk 'NR == 9 { print length($0) }' "$J"/*.ndjson) "
is 'to who filters' "$(sizes '{"from":7,"to":9,"types":["big"]}')" "$big "
is 'to who filters by jq' "$(sizes '{"from":7,"to":9,"jq":".pad"}')" "$big "

status 'a second one on the same journal' 75 dt-fanout --in "$T/i" --out "$T/o"
like 'says so' "$(cat "$T/err")" 'another process writes the journal'
status 'a second one on the same sockets' 75 dt-fanout -d "$T/j2"
like 'says so too' "$(cat "$T/err")" 'another process listens on'
status 'an unknown policy' 64 dt-fanout --sync often
status 'an operand' 64 dt-fanout now
status 'a journal that cannot be' 73 dt-fanout -d /dev/null/j --in "$T/i" --out "$T/o"

ok 'ends' stop fanout
ok 'takes its sockets away' [ ! -e "$IN" ]
is 'the status file says that it has stopped' "$(jq .stopped "$DT_RUN/status/dt-fanout.json")" true
done_testing
