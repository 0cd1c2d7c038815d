#!/bin/sh
# dt-tap on the bus: what it picks, where it begins and ends, that it follows through kills of the bus, and ends with its reader.
. "$(dirname "$0")/../lib.sh"

start fanout dt-fanout
cat >"$T/events" <<'E2'
{"type":"telemetry","character_name":"Larsson","kills":9007199254740993,"n":1}
{"type":"rare","character_name":"Mule 7","name":"Pearl","n":2}
{"type":"chat","character_name":"Mule 8","text":"h\u00e9","n":3}
{"type":"chat_x","character_name":"Larsson","n":4}
{"type":"unheard_of","n":5}
{"type":"vitals","character_name":"Larsson","vitae":5,"n":6}
E2
dt-send <"$T/events"

# what: dt-tap with these options prints the events n
what() {
	_name=$1 _want=$2
	shift 2
	_got=$(timeout $((120 * slow)) dt-tap "$@" 2>"$T/err" | jq -r .n | tr '\n' ' ')
	is "$_name" "$_got" "$_want"
}
what "-1 is all that is there" "1 2 3 4 5 6 " -1
what "types" "2 3 " -1 -t rare,chat
what "a prefix, and -t again" "2 3 4 " -1 -t 'chat*' -t rare
what "characters" "1 2 3 4 6 " -1 -c 'Mule*' -c Larsson
what "types and characters" "4 " -1 -t 'chat*' -c Larsson
what "from a _seq" "5 6 " -1 --from 5
what "from and to" "2 3 4 " -1 --from 2 --to 4
what "to, following" "2 3 4 " --from 2 --to 4
what "to a _seq that is not picked, following" "2 " --from earliest --to 5 -t rare
what "beyond the end" "" -1 --from 7
what "to before from" "" -1 --from 4 --to 2
what "since an hour" "1 2 3 4 5 6 " -1 --from -1h
what "until an hour ago" "" -1 --to -1h
what "until now, following" "1 2 3 4 5 6 " --from earliest --to "$(date -u +%Y-%m-%dT%H:%M:%S.999Z)"
what "a count" "1 2 " --from earliest -k 2
what "a count of picked ones" "2 3 " --from earliest -t rare,chat -k 2
what "a condition on the bus" "1 6 " -1 -F '.kills > 100 or .vitae > 0'
what "a select here" "1 " -1 -f 'select(.kills > 100)'
what "both" "6 " -1 -F '.type != "chat"' -f 'select(.vitae)'
is "bytes as sent" "$(dt-tap -1 | sed 's/"_seq":[0-9]*,"_rx":"[^"]*",//' | cmp - "$T/events" && echo same)" same
is "a select keeps the bytes" "$(dt-tap -1 -f 'select(.kills)' | grep -c '"kills":9007199254740993,')" 1
is "another program prints its own" "$(dt-tap -1 -f '.character_name // empty' | sort | uniq -c | tr -s ' ' | tr '\n' ,)" ' 3 "Larsson", 1 "Mule 7", 1 "Mule 8",'
is "the socket by name" "$(dt-tap -1 -k 1 -s "$DT_RUN/events.out" | jq .n)" 1
what "the journal without the bus" "5 6 " -r "$DT_DATA/journal" --from 5
what "picked from the journal" "2 3 4 " -r "$DT_DATA/journal" -t 'chat*,rare' --from -1h --to now

# following
start_plain follow dt-tap
start_plain rares dt-tap -t rare
ok "two more subscribers" wait_for '[ "$(metric dt-fanout subscribers)" = 2 ]'
dt-send <"$T/events"
ok "a lone line comes at once" wait_for '[ "$(wc -l <"$T/rares.out")" = 1 ]'
ok "and all to whom they belong" wait_for '[ "$(wc -l <"$T/follow.out")" = 6 ]'
code=0
stop rares || code=$?
is "SIGTERM ends it with 0" "$code" 0

# the bus is killed while it follows: nothing is missed or repeated
for i in 1 2 3 4 5 6; do
	awk -v i=$i 'BEGIN { for (n = 1; n <= 5000; n++) printf "{\"type\":\"t\",\"round\":%d,\"n\":%d}\n", i, n }' | dt-send -w 240 2>>"$T/feed.log" &
	feeder=$!
	kill9 fanout
	start fanout dt-fanout
	wait $feeder || diag "dt-send failed"
done
ok "it gets all that came" wait_for '[ "$(wc -l <"$T/follow.out")" -ge 30006 ]'
is "each once, without a gap" "$(jq -r ._seq "$T/follow.out" | awk 'NR > 1 && $1 != last + 1 { bad++ } { last = $1 } END { print NR, bad + 0 }')" "30006 0"
like "and it told of it" "$(cat "$T/follow.log")" '^dt-tap: warning: lost the bus at .*'
unlike "with no gap" "$(cat "$T/follow.log")" 'no longer in the journal'

# the journal is made anew: it starts at its beginning
stop fanout
rm -rf "$DT_DATA/journal"
start fanout dt-fanout
dt-send <"$T/events"
ok "another journal" wait_for '[ "$(wc -l <"$T/follow.out")" = 30012 ]'
is "from its beginning" "$(tail -n 6 "$T/follow.out" | jq -r ._seq | tr '\n' ' ')" "1 2 3 4 5 6 "
like "and it told of it" "$(cat "$T/follow.log")" 'dt-tap: warning: the bus at .* has another journal now'
stop follow

# readers that go
is "head ends it" "$(dt-tap --from earliest 2>"$T/err" | head -n 1 | jq -r .n)" 1
is "quietly" "$(cat "$T/err")" ""
start_plain idle sh -c 'dt-tap -t rare --from earliest | head -n 1'
ok "also while nothing comes" wait_for '! alive idle'
code=0
dt-tap -1 >/dev/full 2>"$T/err" || code=$?
is "a full device" "$code" 74
like "it says so" "$(cat "$T/err")" '^dt-tap: fatal: unable to write to standard output: No space left on device$'

# a bus that says no, and one that is not there
code=0
dt-tap -F '(' 2>"$T/err" || code=$?
is "a condition that is no program" "$code" 69
like "it says why" "$(cat "$T/err")" '^dt-tap: error: the bus refused the subscription: .*syntax error'
stop fanout
code=0
dt-tap -1 2>"$T/err" || code=$?
is "-1 without a bus" "$code" 69
like "it says so" "$(cat "$T/err")" "^dt-tap: error: unable to connect to the bus at $DT_RUN/events.out: No such file or directory$"
start_plain early dt-tap
ok "without -1 it waits" wait_for 'grep -q "^dt-tap: waiting for the bus at " "$T/early.log"'
start fanout dt-fanout
ok "until there is one" wait_for 'grep -q "^dt-tap: connected to the bus" "$T/early.log"'
dt-send <"$T/events"
ok "and follows it" wait_for '[ "$(wc -l <"$T/early.out")" = 6 ]'
done_testing
