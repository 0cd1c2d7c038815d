#!/bin/sh
# only: plain
# Many browsers, slow ones, dead ones and greedy ones (F22 to F25, F66); jq on /ws/live, in a child of the bus with limits.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"
load=$B/helpers/live_load
DT_TRUSTED_NETS=127.0.0.1/32,::1/128
export DT_TRUSTED_NETS

fanout_start
# shellcheck disable=SC2119 # no options
serve_start
warm

# F24 and F23 need half a minute of their own: they begin here, with more than all buffers hold, and are looked at in the end
browser dead
browser still
say still '!deaf' '!sync'
hears still '!synced'
signal STOP dead
awk 'BEGIN { for (i = 0; i < 300; i++) pad = pad "x"; for (i = 0; i < 20000; i++) print "{\"type\":\"chat\",\"character_name\":\"F\",\"text\":\"" pad "\"}" }' | dt-send -q

# jq: who asks for the same shares one filter; a bad one costs its subscriber
browser one
browser two
for b in one two; do say $b '{"type":"subscribe","message_types":["quest"],"jq":"select(.n > 1)"}'; done
hears one subscribed
is 'F66: the answer repeats the program' "$(grep -a subscribed "$T/one.out" | jq -c '[.message_types, .jq]')" '[["quest"],"select(.n > 1)"]'
i=0
while [ $i -lt 100 ] && ! { grep -q '"n":2' "$T/one.out" && grep -q '"n":2' "$T/two.out"; }; do
	publish '{"type":"quest","n":1}' '{"type":"quest","n":2}' '{"type":"chat","n":3}'
	sleep 0.1
	i=$((i + 1))
done
for b in one two; do
	is "F66: jq of $b: only what passes" "$(count_of $b '"n":1') $(count_of $b '"n":3')" '0 0'
	ok "F66: jq of $b: that it gets" [ "$(count_of $b '"n":2')" -gt 0 ]
done
browser back
say back '{"type":"subscribe","jq":".n == 3","from":1}'
hears back '"n":3'
ok 'from with jq: all of before' wait_for "[ \"\$(count_of back '\"n\":3')\" = $i ]"
settled back
is 'and that once' "$(count_of back '"n":3')" "$i"
browser bomb
say bomb '{"type":"subscribe","jq":"last(range(infinite))"}'
hears bomb subscribed
publish '{"type":"quest","n":4}'
hears bomb '"code":"bad_jq"'
hears one '"n":4'
ok 'F66: a program without end costs its subscriber alone' hears two '"n":4'
say bomb '{"type":"subscribe","jq":"no such ("}'
wait_for "[ \"\$(count_of bomb bad_jq)\" = 2 ]"
is 'F66: one that is none is told' "$(count_of bomb bad_jq)" 2
for n in $(seq 20); do say back "{\"type\":\"subscribe\",\"jq\":\".n == $n\"}"; done
wait_for "[ \"\$(count_of back subscribed)\" = 21 ]"
ok 'F66: old programs make room for new ones' [ "$(count_of back too_many)" = 0 ]

# F66: too many words, too long ones, too often
browser greedy
say greedy "{\"type\":\"subscribe\",\"message_types\":[$(seq -s, -f '"t%g"' 65)]}"
hears greedy 'message_types must be an array of at most 64'
say greedy "{\"type\":\"subscribe\",\"message_types\":[\"$(printf %065d 0)\"]}"
hears greedy 'over 64 bytes'
say greedy "{\"type\":\"subscribe\",\"message_types\":[$(seq -s, -f '"t%g"' 64)]}"
hears greedy subscribed
pass 'F66: 64 types of 64 characters are the most'
# 60 at once, 20 a second
begin=$(date +%s)
say greedy '!repeat 1000 {"type":"subscribe","message_types":["t%d"]}'
wait_for "[ \"\$(count_of greedy 'subscribed|\"code\":\"too_many\"')\" = 1001 ]"
most=$((61 + ($(date +%s) - begin + 1) * 20))
ok "F66: subscribing too often is refused (at most $most are not)" [ "$(count_of greedy subscribed)" -le $most ]
ok 'F66: and told' [ "$(count_of greedy '"code":"too_many"')" -gt 0 ]
is 'F66: others are answered' "$(code /readyz)" 200

# F25: two thousand that only sit there (ten thousand: make bench)
idle=2000
: >"$T/idle.err"
timeout 240 "$load" recv -i -n "$idle" -w 1 -t 3 -p "$(pid_of serve)" "$PORT" /ws/live >"$T/idle" 2>"$T/idle.err" &
idle_pid=$!
wait_for "grep -q open '$T/idle.err'" 120
is "F25: answers with $idle browsers" "$(code /readyz)" 200
wait "$idle_pid"
bytes=$(sed -n 's/.*bytes_per_socket=\([0-9]*\).*/\1/p' "$T/idle")
ok "F25: an idle browser takes $bytes bytes" [ "${bytes:-99999}" -le 8192 ]

# F22: 10 of 100 do not read: the others get all there is, far more than the sockets and the ring hold for those (how fast: bench_live.sh)
many=4000
events() { awk -v n=$many 'BEGIN { for (i = 0; i < 260; i++) pad = pad "x"; for (i = 0; i < n; i++) print "{\"type\":\"chat\",\"mark\":\"^\",\"pad\":\"" pad "\"}" }'; }
start_plain lot "$load" recv -n 100 -d 10 -u $many -w 0 -t 600 -r 0 "$PORT" /ws/live
wait_for "grep -q open '$T/lot.log'" 20
for n in 1 2 3 4 5 6 7 8 9 10; do
	events | dt-send -q
	wait_for "grep -q 'each $((n * many))' '$T/lot.log'" 30 || break
done
is 'F22: where some do not read, each of the others gets all of it' "$(tail -n 1 "$T/lot.log")" "each $((10 * many))"
stop lot

# F23, F24: one that does not read and one whose process stands still are cut when nothing went out for half a minute
wait_for "[ \"\$(metric dt-serve browsers)\" = 5 ]" 60
is 'F23, F24: who takes nothing is cut' "$(metric dt-serve browsers)" 5
ok 'and counted' [ "$(metric dt-serve rejected_total slow)" -ge 2 ]
signal CONT dead
say one '{"type":"request_dungeon_map","landblock":"0001"}'
hears one '"found":false'
is 'who only waits is not' "$(count_of one '^!closed')" 0
done_testing
