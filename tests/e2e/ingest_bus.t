#!/bin/sh
# The bus is away, stopped or killed: dt-ingest holds the plugins back and loses nothing.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

pad=$(printf '%010000d' 0)

# once FIRST LAST: each number exactly once in the journal, in order
once() {
	journal '"type":"n"' | sed 's/.*"n":\([0-9]*\).*/\1/' >"$T/got"
	seq "$1" "$2" >"$T/want"
	cmp "$T/got" "$T/want"
}

# ---- no bus yet: 1000 events of 10 kB are more than the buffer of 20 MB less the room for a large frame
ingest_start -b 20M --max-bytes 0
plugin a
say a "!repeat 1000 {\"type\":\"n\",\"character_name\":\"A\",\"n\":%d,\"pad\":\"$pad\"}" '!sync'
ok 'reading is held back' wait_for '[ "$(metric dt-ingest held_total bus)" = 1 ]'
like 'and said' "$(cat "$T/ingest.log")" 'events wait for the bus: the plugins are held back'
taken=$(fresh_metric events_total)
ok 'some are taken' test "$taken" -gt 100
ok 'not all of them' test "$taken" -lt 900
is 'those pend' "$(metric dt-ingest pending)" "$taken"
plugin b
say b '{"type":"late","character_name":"B"}'
is 'a new connection has to wait too' "$(fresh_metric events_total)" "$taken"
is 'readyz says so' "$(curl -s -o "$T/o" -w '%{http_code}' --unix-socket "$SOCK" http://x/readyz)" 503
fanout_start
ok 'with the bus all arrive' wait_for '[ "$(journal "\"type\":\"n\"" | wc -l)" = 1000 ]'
ok 'each once and in order' once 0 999
ok 'the waiting one too' in_journal '"late"'
ok 'nothing pends' wait_for '[ "$(metric dt-ingest pending)" = 0 ]'
is 'readyz is content' "$(curl -s -o "$T/o" -w '%{http_code}' --unix-socket "$SOCK" http://x/readyz)" 200

# ---- the bus hangs
# shellcheck disable=SC2034
before=$(fresh_metric held_total bus)
signal STOP fanout
say a "!repeat 1000 {\"type\":\"n\",\"character_name\":\"A\",\"n\":1%d,\"pad\":\"$pad\"}"
ok 'held back again' wait_for '[ "$(metric dt-ingest held_total bus)" -gt "$before" ]'
signal CONT fanout
ok 'it goes on' wait_for '[ "$(journal "\"type\":\"n\"" | wc -l)" = 2000 ]'
is 'each once' "$(journal '"type":"n"' | sed 's/.*"n":\([0-9]*\).*/\1/' | sort | uniq -c | awk '$1 != 1 && $2 < 10')" ''

# ---- killed while events come, three times
plugin c
for round in 1 2 3; do
	say c "!repeat 3000 {\"type\":\"k\",\"character_name\":\"C\",\"n\":\"$round-%d\"}"
	wait_for "journal '\"$round-10\"' | grep -q ."
	kill9 fanout
	fanout_start
done
say c '{"type":"done"}'
ok 'all arrive' in_journal '"done"'
journal '"type":"k"' | sed 's/.*"n":"\([^"]*\)".*/\1/' >"$T/got"
for round in 1 2 3; do seq -f "$round-%g" 0 2999; done >"$T/want"
ok 'each once and in order' cmp "$T/got" "$T/want"
is 'counters agree' "$(fresh_metric events_total)" "$(journal . | wc -l | tr -d ' ')"

# ---- asked to stop while the bus hangs: what was accepted is delivered first
wait_for '[ "$(fresh_metric pending)" = 0 ]'
signal STOP fanout
say c '!repeat 500 {"type":"last","n":%d}' '!sync'
wait_for '[ "$(fresh_metric pending)" = 500 ]'
kill "$(pid_of ingest)"
plugin_as d -H "X-Plugin-Secret: $SECRET" "$SOCK" /ws/position
ok 'it waits, and takes no new plugins' hears d '^!refused 503'
signal CONT fanout
wait "$(pid_of ingest)"
is 'then ends with 0' $? 0
is 'with all of them in the journal' "$(journal '"last"' | wc -l | tr -d ' ')" 500
ok 'and the plugins told' hears c '^!closed 1001'

# ---- a connection over its rate is slowed down, not cut
start ingest dt-ingest --max-messages 500
plugin e
plugin f
say e '!repeat 1500 {"type":"fast","n":%d}'
say f '{"type":"calm"}'
ok 'the others are not' in_journal '"calm"'
ok 'all arrive in the end' wait_for '[ "$(journal "\"fast\"" | wc -l)" = 1500 ]'
ok 'counted' test "$(fresh_metric held_total rate)" -ge 1
is 'nothing refused' "$(metric dt-ingest rejected_total | jq 'add // 0' 2>/dev/null || echo 0)" 0
done_testing
