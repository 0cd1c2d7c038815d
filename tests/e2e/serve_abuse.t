#!/bin/sh
# Too many connections, slow ones and odd frames cost dt-serve neither its rest nor those who are connected; so do those of plugins that it relays.
# shellcheck disable=SC2016 # conditions of wait_for are evaluated later
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
start ingest dt-ingest
serve_start
warm
cpu() { awk '{ print $14 + $15 }' "/proc/$(pid_of serve)/stat"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of serve)/status"; }
# crowd NAME [options] COUNT: so many connections that send $T/NAME.request
crowd() {
	_crowd=$1
	shift
	start_plain "$_crowd" "$B/helpers/crowd" "$@" "$PORT" "$T/$_crowd.request"
}
counts() { jq -c '[.answers, .closed]' "$T/$1.out"; }
# raw 'TEXT': a frame of less than 126 bytes, with the escapes of printf in it
raw() {
	_hex=$(printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n')
	printf '!hex 81%02x00000000%s' $((128 + ${#_hex} / 2)) "$_hex"
}
upgrade() { printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' "$1"; }
browser first

# ---- F28: they are cut after ten seconds, at the end of this file
printf 'GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: ' >"$T/head.request"
printf 'POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n' >"$T/body.request"
crowd head -s 60 -d 300 50
crowd body -s 60 -d 300 50

# ---- F29 to F34: what browsers send
while IFS="$(printf '\t')" read -r what text; do
	say first "$(raw "$text")"
	echo "$what" >>"$T/whats"
done <<-'ROWS'
	F31: a lone byte	{"type":"subscribe","message_types":["\0377"]}
	F31: an overlong form	{"type":"subscribe","message_types":["\0300\0200"]}
	F31: a surrogate	{"type":"subscribe","message_types":["\0355\0240\0200"]}
	F33: NaN	{"type":"subscribe","batch_ms":NaN}
	F33: Infinity	{"type":"subscribe","batch_ms":Infinity}
	F33: a leading zero	{"type":"subscribe","batch_ms":01}
	F33: 1e999	{"type":"subscribe","batch_ms":1e999}
	F34: a raw NUL	{"type":"subscribe","message_types":["\0000"]}
	F34: a raw ESC	{"type":"subscribe","message_types":["\0033"]}
ROWS
say first "{\"type\":\"subscribe\",\"x\":$(printf '%08000d' 0 | tr 0 '[')"
echo 'F32: 8,000 levels' >>"$T/whats"
wait_for "[ \$(count_of first '\"code\":\"bad_') -ge $(wc -l <"$T/whats") ]"
grep '"code":"bad_' "$T/first.out" | paste "$T/whats" - >"$T/answers"
while IFS="$(printf '\t')" read -r what answer; do
	like "$what is refused" "$answer" '"code":"bad_(message|subscribe)"\}$'
done <"$T/answers"
before=$(rss)
for b in tera unended; do browser $b; done
say tera '!announce 1099511627776'
ok 'F29: a browser that announces a terabyte is closed with 1009' hears tera '^!closed 1009'
say unended '!unended 70000'
ok 'F30: one whose fragments have no end too' hears unended '^!closed 1009'
for p in ptera punended pbytes; do socket $p -H "X-Plugin-Secret: $SHARED_SECRET" "$PORT" /ws/position; done
say ptera '!announce 1099511627776'
ok 'F29: so is a plugin' hears ptera '^!closed 1009'
say punended '!unended 70000'
ok 'F30: and another' hears punended '^!closed 1009'
say pbytes "$(raw '{"type":"chat","x":"\0377"}')"
ok 'F31: what a plugin sends is judged by dt-ingest' hears pbytes 'not valid UTF-8'
ok "F29: no memory is taken for it ($before kB before)" test "$(rss)" -lt $((before + 4096))

# ---- F26: three hundred plugins and as many browsers at once
upgrade "/ws/position?secret=$SHARED_SECRET" >"$T/plugins.request"
upgrade /ws/live >"$T/browsers.request"
crowd plugins -s 60 -a 300
crowd browsers -s 60 -a 300
for c in plugins browsers; do
	ok "F26: three hundred $c at once" wait_for "! alive $c" 60
	is "F26: $c: each comes in" "$(counts $c)" '[{"101":300},0]'
done
ok 'F26: when they have gone it is as before' wait_for '[ "$(metric dt-serve browsers) $(metric dt-serve plugins) $(metric dt-ingest connections)" = "1 1 1" ]' 20

# ---- F28 again
is 'F28: others are answered while slow ones wait' "$(code /healthz)" 200
for c in head body; do wait_for "! alive $c" 60; done
is 'F28: a head that grows by a byte now and then is cut' "$(counts head)" '[{},50]'
is 'F28: a body that does is answered 408' "$(counts body)" '[{"408":50},50]'

# ---- F27: some twenty descriptors are left
ok 'F27: descriptors get scarce' prlimit --pid "$(pid_of serve)" --nofile=$(($(find "/proc/$(pid_of serve)/fd" -mindepth 1 | wc -l) + 20))
upgrade /ws/live >"$T/many.request"
crowd many -s 60 40
began=$(date +%s)
ok 'F27: they run out' wait_for "grep -q 'unable to accept: Too many open files' '$T/serve.log'"
before=$(cpu)
publish '{"type":"chat","character_name":"A","text":"still served"}'
ok 'F27: who is in is served' hears first 'still served'
wait_for "[ \$(grep -c 'unable to accept' '$T/serve.log') -ge 4 ]"
# it tries once a second, however long this took
took=$(($(date +%s) - began))
ok 'F27: it does not spin' test $(($(cpu) - before)) -lt $((50 + 10 * took))
ok 'F27: and does not flood the log' test "$(wc -l <"$T/serve.log")" -lt $((30 + 2 * took))
kill "$(pid_of many)"
ok 'F27: when they leave' wait_for '[ "$(metric dt-serve browsers)" = 1 ]'
browser last
publish '{"type":"chat","character_name":"A","text":"to the end"}'
ok 'F27: others come in' hears last 'to the end'
ok 'the first has seen all this' hears first 'to the end'
stop serve
is 'ends with 0' $? 0
done_testing
