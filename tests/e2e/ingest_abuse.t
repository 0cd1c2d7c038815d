#!/bin/sh
# Too many connections, slow ones, floods and bad HTTP cost dt-ingest neither its rest nor those who are connected.
# shellcheck disable=SC2016 # conditions of wait_for are evaluated later
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

port=$(free_port)
fanout_start
ingest_start -p "$port" --max-bytes 0 --max-messages 0
stat_of() { awk "$1" "/proc/$(pid_of ingest)/$2"; }
cpu() { stat_of '{ print $14 + $15 }' stat; }
rss() { stat_of '/^VmRSS/ { print $2 }' status; }
# crowd NAME [options] COUNT: so many connections that send $T/NAME.request
crowd() {
	_crowd=$1
	shift
	start_plain "$_crowd" "$B/helpers/crowd" "$@" "$port" "$T/$_crowd.request"
}
counts() { jq -c '[.answers, .closed]' "$T/$1.out"; }
plugin first

# ---- F28: they are cut after ten seconds, at the end of this file
printf 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-a: ' | tee "$T/silent.request" >"$T/head.request"
printf 'POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n' >"$T/body.request"
printf 'GET /healthz HTTP/1.1\r\nHost: a\r\nX: b\r\n\tfolded\r\n\r\n' >"$T/fold.request"
crowd silent -s 60 300
crowd head -s 60 -d 300 50
crowd body -s 60 -d 300 50
crowd fold -s 60 5

# ---- F36, F52: a thousand bad documents of 60 kB
bad='{"type":"chat","n":%d,"x":"'$(printf '%060000d' 0)
flood() {
	_errors=$(count_of first '"error"')
	say first "!repeat 500 $bad"
	wait_for "[ \$(count_of first '\"error\"') = $((_errors + 500)) ]" 30
}
lines=$(wc -l <"$T/ingest.log")
ok 'F36: each bad document of a flood is answered' flood
before=$(rss)
ok 'F36: and of the next' flood
[ "$slow" = 1 ] && ok "F36: memory stays ($before kB)" test "$(rss)" -le $((before + 512))
is 'F36: all are counted' "$(fresh_metric rejected_total truncated)" 1000
is 'F52: none leaves a line in the log' "$(wc -l <"$T/ingest.log")" "$lines"

# ---- F52: names that are claimed again and again, by somebody with a strange address
plugin_as evil -H "X-Forwarded-For: $(printf '\033[31mevil')" -H "X-Plugin-Secret: $SECRET" "$SOCK" /ws/position
hears evil '^!open'
for p in first evil; do
	say $p '!repeat 200 {"type":"chat","character_name":"N%d"}' '{"type":5}'
	hears $p 'without a type'
done
ok 'F52: a conflict is a line of the log, with what is no text escaped' grep -q '^dt-ingest: warning: N0 is claimed by a second connection (\\x1b\[31mevil, before: local)' "$T/ingest.log"
is 'F52: no raw control character' "$(tr -d '\n' <"$T/ingest.log" | LC_ALL=C tr -d '\040-\176\200-\377' | wc -c)" 0
plugin claims
n=0
# lines that were printed and those that were counted: the count is told with the next line of a later second
balance() {
	say claims "{\"type\":\"chat\",\"character_name\":\"N$n\"}" '{"type":5}'
	n=$((n + 1))
	wait_for "[ \$(count_of claims 'without a type') = $n ]"
	[ "$(grep -c '^dt-ingest: warning: N[0-9]* is claimed' "$T/ingest.log")" = $((200 + n)) ] ||
	    [ "$(sed -n 's/.*: suppressed \([0-9]*\) messages.* is claimed.*/\1/p' "$T/ingest.log" | awk '{ n += $1 } END { print n + 0 }')" = $((200 + n - $(grep -c '^dt-ingest: warning: N[0-9]* is claimed' "$T/ingest.log"))) ]
}
ok 'F52: what is not said of a flood of them is counted' wait_for balance

# ---- F26: a thousand come at once
printf 'GET /ws/position?secret=%s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' \
    "$SECRET" | tee "$T/many.request" >"$T/storm.request"
crowd storm -s 60 -a 1000
say first '{"type":"chat","text":"in the storm"}'
ok 'F26: who is in is served' in_journal 'in the storm'
ok 'F26: all thousand come in' wait_for '! alive storm' 60
is '  each with an answer' "$(counts storm)" '[{"101":1000},0]'
ok 'F26: and when they have gone it is as before' wait_for '[ "$(fresh_metric connections)" = 3 ]' 20

# ---- F49; lib/http's unit test has the whole list
code() { curl -s -m 100 -o "$T/o" -w '%{http_code}' "$@"; }
url=http://127.0.0.1:$port
is 'F28: others are answered while slow ones wait' "$(code "$url/healthz")" 200
is 'F49: a chunked body' "$(printf x | code -H 'Transfer-Encoding: chunked' -d @- "$url/healthz")" 411
is 'F49: two hosts' "$(code -H 'Host: a' -H 'Host : b' "$url/healthz")" 400
is 'F49: a length twice' "$(code -H 'Content-Length: 1' -H 'content-length : 1' -X POST "$url/healthz")" 400
is 'F29: a body over the maximum' "$(head -c 5000 /dev/zero | code --data-binary @- "$url/healthz")" 413
is 'another method' "$(code -X DELETE "$url/healthz")" 405
is 'an upgrade to something else' "$(code --http2 "$url/healthz")" 400

# ---- F28 again
for c in silent head body fold; do wait_for "! alive $c" 60; done
is 'F28: half a head is cut' "$(counts silent)" '[{},300]'
is 'F28: one that grows by a byte now and then too' "$(counts head)" '[{},50]'
is 'F28: a body that does is answered 408' "$(counts body)" '[{"408":50},50]'
is 'F49: a folded header gets no answer' "$(counts fold)" '[{},5]'

# ---- F27: some twenty descriptors are left
ok 'F27: descriptors get scarce' prlimit --pid "$(pid_of ingest)" --nofile=$(($(find "/proc/$(pid_of ingest)/fd" -mindepth 1 | wc -l) + 20))
crowd many -s 60 40
began=$(date +%s)
ok 'F27: they run out' wait_for "grep -q 'unable to accept: Too many open files' '$T/ingest.log'"
before=$(cpu)
say first '{"type":"chat","text":"still served"}'
ok 'F27: who is in is served' in_journal 'still served'
wait_for "[ \$(grep -c 'unable to accept' '$T/ingest.log') -ge 3 ]"
# it tries once a second, however long this took
took=$(($(date +%s) - began))
ok 'F27: it does not spin' test $(($(cpu) - before)) -lt $((50 + 10 * took))
ok 'F27: and does not flood the log' test "$(grep -c 'unable to accept' "$T/ingest.log")" -lt $((20 + 2 * took))
kill "$(pid_of many)"
ok 'F27: when they leave' wait_for '[ "$(metric dt-ingest connections)" -le 3 ]'
plugin_as last "$port" "/ws/position?secret=$SECRET"
ok 'F27: others come in' hears last '^!open'

say first '{"type":"chat","text":"to the end"}'
ok 'the first has seen all this' in_journal 'to the end'
stop ingest
is 'ends with 0' $? 0
done_testing
