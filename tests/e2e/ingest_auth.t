#!/bin/sh
# dt-ingest opens to the shared secret only, listens where it should, and says what is wrong with its settings.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

# shellcheck disable=SC1007
refuses_to_start() {
	status "$1: 78" 78 env SHARED_SECRET="$2" timeout 100 dt-ingest
	like "$1: says so" "$(cat "$T/err")" "^dt-ingest: fatal: SHARED_SECRET is $3"
	is "$1: in one line" "$(grep -c fatal "$T/err") $(tail -n 1 "$T/err" | grep -c fatal)" '1 1'
	ok "$1: no socket" test ! -e "$SOCK"
}
refuses_to_start 'without a secret' '' 'not set'
refuses_to_start 'with a placeholder' changeme 'only a placeholder'

status 'unknown option' 64 dt-ingest --nonsense
status 'an operand' 64 dt-ingest somewhere
status 'a port that is none' 64 dt-ingest -p 65536
status 'a small buffer' 64 dt-ingest -b 1M
status 'a host name as address' 78 timeout 100 dt-ingest -a localhost -p "$(free_port)"
status 'a directory that is not there' 73 timeout 100 dt-ingest -u "$T/none/ingest.sock"

port=$(free_port)
ingest_start -p "$port"
is 'mode of the socket' "$(stat -c %a "$SOCK")" 660
hex=$(printf '%04X' "$port")
is 'listens on loopback only' "$(cat /proc/net/tcp /proc/net/tcp6 | awk -v p=":$hex" '$4 == "0A" && index($2, p) { print $2 }')" "0100007F:$hex"
status 'a second one' 75 timeout 100 dt-ingest
like 'a second one says why' "$(cat "$T/err")" 'unable to listen on .*: Address already in use$'

refused() {
	_what=$1 _status=$2
	shift 2
	plugin_as "p$tests_run" "$@"
	_p=p$tests_run
	hears "$_p" '^!end'
	like "$_what" "$(cat "$T/$_p.out")" "^!refused $_status \{\"error\":\".*\",\"code\":\"[a-z_]*\"\}"
}
refused 'no secret' 401 "$SOCK" /ws/position
refused 'an empty secret' 401 "$SOCK" '/ws/position?secret='
refused 'a wrong secret in the query' 403 "$SOCK" '/ws/position?secret=wrong'
refused 'a wrong secret in the header' 403 -H 'X-Plugin-Secret: wrong' "$port" /ws/position
refused 'a wrong header beside a right query' 403 -H 'X-Plugin-Secret: wrong' "$port" "/ws/position?secret=$SECRET"
refused 'a part of the secret' 403 "$SOCK" '/ws/position?secret=correct-horse'
refused 'the secret twice' 403 "$SOCK" "/ws/position?secret=$SECRET$SECRET"
refused 'another path' 404 "$SOCK" "/ws/live?secret=$SECRET"

accepted() {
	_what=$1
	shift
	plugin_as "p$tests_run" "$@"
	ok "$_what" hears "p$tests_run" '^!open'
}
accepted 'header' -H "X-Plugin-Secret: $SECRET" "$port" /ws/position
accepted 'header beside a wrong query' -H "x-plugin-secret: $SECRET" "$SOCK" '/ws/position?secret=wrong'
accepted 'query' "$SOCK" "/ws/position?secret=$SECRET"
accepted 'below /api' "$port" "/api/ws/position?a=b&secret=$SECRET"

is 'counts those without' "$(fresh_metric auth_failures_total missing)" 2
is 'counts wrong ones' "$(metric dt-ingest auth_failures_total wrong)" 5
is 'counts connections' "$(metric dt-ingest connections)" 4

is 'healthz' "$(curl -s --unix-socket "$SOCK" http://x/healthz)" ok
is 'readyz without a bus' "$(curl -s -o "$T/o" -w '%{http_code}' "http://127.0.0.1:$port/readyz")" 503
is 'anything else' "$(curl -s -o "$T/o" -w '%{http_code}' "http://127.0.0.1:$port/")" 404
is 'a plain GET' "$(curl -s -o "$T/o" -w '%{http_code}' "http://127.0.0.1:$port/ws/position")" 426
unlike 'no secret in the log' "$(cat "$T/ingest.log")" 'correct-horse|wrong$'

kill9 ingest
logged=$(grep -c 'wrong secret' "$T/ingest.log")
ok 'a killed one leaves its socket' test -S "$SOCK"
start ingest dt-ingest -p "$port"
pass 'and the next replaces it'

# ---- F38: guessing
# tries N HOW…: that many wrong secrets as fast as they can be sent, and how many were answered by which status
tries() {
	_n=$1
	shift
	curl -s -m 50 -o "$T/o" -D "$T/head" -w '%{http_code}\n' -H 'Upgrade: websocket' -H 'Connection: Upgrade' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
	    "$@" "http://127.0.0.1:$port/ws/position?secret=guess[1-$_n]" | sort | uniq -c | awk '{ print $2 "x" $1 }' | tr '\n' ' '
}
plugin_as inside "$port" "/ws/position?secret=$SECRET"
ok 'F38: somebody is in' hears inside '^!open'
is 'F38: 20 wrong secrets are refused, then their address has to wait' "$(tries 300)" '403x20 429x280 '
wait_s=$(tr -d '\r' <"$T/head" | sed -n 's/^retry-after: //p' | tail -n 1)
ok "F38: it is told how long ($wait_s s)" test "${wait_s:-0}" -ge 1 -a "${wait_s:-0}" -le 60
like 'F38: and why' "$(cat "$T/o")" '^\{"error":"not the shared secret again; wait [0-9]+ seconds","code":"too_many_tries"\}$'
is 'F38: another X-Forwarded-For is no other address' "$(tries 5 -H 'X-Forwarded-For: 203.0.113.7')" '429x5 '
accepted 'F38: the right secret is let in all the same' "$port" "/ws/position?secret=$SECRET"
say inside '{"type":5}'
ok 'F38: who was in is not touched' hears inside '"error"'
is 'F38: other addresses are not concerned' "$(curl -s -o "$T/o" -w '%{http_code}' --interface 127.0.0.2 -H 'Upgrade: websocket' -H 'Connection: Upgrade' -H 'Sec-WebSocket-Version: 13' \
    -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "http://127.0.0.1:$port/ws/position?secret=guess")" 403
is 'F38: counted' "$(fresh_metric auth_failures_total wrong) $(metric dt-ingest auth_failures_total throttled)" '21 285'
is 'F38: two lines of the log for an address, one for the other' "$(grep -c 'wrong secret' "$T/ingest.log")" "$((logged + 3))"
unlike 'F38: with no guess in them' "$(cat "$T/ingest.log")" 'guess'
stop ingest
is 'ends with 0' $? 0
ok 'and takes its socket away' test ! -e "$SOCK"
done_testing
