#!/bin/sh
# dt-replay --connect: a capture as plugin connections, one for each character, arrives whole and in each character's order.
. "$(dirname "$0")/../lib.sh"

export SHARED_SECRET=only-for-this-test-0815
port=$(free_port)
door() { start ingest dt-ingest -p "$port" --max-messages 0 --max-bytes 0; }
# (goodbyes are left out: dt-ingest says them for those who go)
# the events of a stream or capture, stamps and other names of ours removed, those of one character together and in order
by_character() { jq -c 'select(.character_name and .type != "share_goodbye") | [.character_name, with_entries(select(.key | startswith("_") | not))]' "$@" | sort -s -t , -k 1,1; }

dt-sim -n 20 --seed 3 --seconds 30 >"$T/capture.ndjson" 2>"$T/sim.log"
{ cat "$T/capture.ndjson"; echo '{"type":"nobody"}'; echo '{"_seq":3,"_by":"x","type":"chat","character_name":"Larsson","text":"h\u00e9"}'; } >"$T/in.ndjson"
by_character "$T/in.ndjson" >"$T/want"
ok "there is something to replay ($(wc -l <"$T/want") events)" test "$(wc -l <"$T/want")" -gt 300

# nobody there, and the wrong secret
code=0
dt-replay -x max -w 0.3 --connect "ws://127.0.0.1:$port" "$T/in.ndjson" 2>"$T/err" || code=$?
is "nobody there: exit status" "$code" 69
like "it says so" "$(tail -n 1 "$T/err")" "^dt-replay: error: no connection to ws://127.0.0.1:$port for 0.3 s: is the tracker up, and is SHARED_SECRET its secret\?"
start fanout dt-fanout
door
code=0
SHARED_SECRET=another-secret-entirely dt-replay -x max -w 0.5 --connect "ws://127.0.0.1:$port" "$T/in.ndjson" 2>"$T/err" || code=$?
is "the wrong secret: exit status" "$code" 69
is "nothing of it arrived" "$(dt-tap -1 | wc -l)" 0

# over TCP, without a path
status "the replay" 0 dt-replay -x max -w 100 --connect "ws://localhost:$port" "$T/in.ndjson"
like "what names no character is left out" "$(cat "$T/err")" '^dt-replay: left out 1 event that names no character$'
ok "all arrive" wait_for '[ "$(dt-tap -1 | wc -l)" -ge "$(wc -l <"$T/want")" ]'
dt-tap -1 >"$T/journal"
by_character "$T/journal" >"$T/got"
ok "each character's events, in order" cmp "$T/want" "$T/got"
characters=$(jq -r '.character_name // empty' "$T/in.ndjson" | sort -u | wc -l)
ok "a connection for each of $characters characters" wait_for '[ "$(metric dt-ingest connections_total)" = "$characters" ]'
is "no name of ours was sent" "$(metric dt-ingest stripped_names_total)" 0

# over the UNIX socket, from the journal, one character, as it is
next=$(($(wc -l <"$T/journal") + 1))
status "a journal over a UNIX socket" 0 dt-replay -x max -w 100 -c Larsson --to $((next - 1)) --verbatim --connect "ws+unix://$DT_RUN/ingest.sock:/ws/position" "$DT_DATA/journal"
ok "it arrives" wait_for '[ "$(dt-tap -1 --from "$next" | wc -l)" = "$(jq -r .character_name "$T/journal" | grep -c "^Larsson$")" ]'

# the door is killed on the way: the replay goes on with what follows
start_plain long dt-replay --loop -x 60 -w 120 --connect "ws://127.0.0.1:$port" "$T/in.ndjson"
ok "it is on its way" wait_for '[ "$(metric dt-ingest connections)" -ge 20 ]'
kill9 ingest
ok "it notices" wait_for 'grep -q "connecting again" "$T/long.log"'
door
ok "it is back" wait_for '[ "$(metric dt-ingest connections)" -ge 20 ] && [ "$(metric dt-ingest events_total)" -gt 100 ]' 20
code=0
stop long || code=$?
is "SIGTERM ends it with 0" "$code" 0
ok "and its connections" wait_for '[ "$(metric dt-ingest connections)" = 0 ]'

# what the server has not read when it dies is not handed over
printf '{"type":"chat","character_name":"Last","timestamp":"2026-01-01T00:00:0%dZ","text":"%d"}\n' 0 0 1 1 >"$T/two.ndjson"
start_plain last dt-replay -x 1 -w 2 --connect "ws://127.0.0.1:$port" "$T/two.ndjson"
wait_for 'dt-tap -1 | grep -q "\"Last\""'
signal STOP ingest
sleep 3
kill9 ingest
code=0
wait "$(pid_of last)" || code=$?
is "nothing is taken for handed over that was not read" "$code" 69
like "it says so" "$(tail -n 1 "$T/last.log")" '^dt-replay: error: (unable to hand over the last frames to|no connection to) '
done_testing
