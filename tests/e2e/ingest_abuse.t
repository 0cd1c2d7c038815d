#!/bin/sh
# Too many connections, requests that never end, and bad HTTP cost dt-ingest neither its rest nor those who are connected.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

port=$(free_port)
fanout_start
# 40 descriptors: some 25 connections
start ingest sh -c 'ulimit -n 40; exec dt-ingest "$@"' dt-ingest -p "$port"
cpu() { awk '{ print $14 + $15 }' "/proc/$(pid_of ingest)/stat"; }
plugin first
i=0
while [ $i -lt 40 ]; do
	plugin_as "p$i" "$port" "/ws/position?secret=$SECRET"
	i=$((i + 1))
done
ok 'descriptors run out' wait_for "grep -q 'unable to accept: Too many open files' '$T/ingest.log'"
before=$(cpu)
say first '{"type":"chat","text":"still served"}'
ok 'who is in is served' in_journal 'still served'
wait_for "[ \$(grep -c 'unable to accept' '$T/ingest.log') -ge 3 ]"
ok 'it does not spin' test $(($(cpu) - before)) -lt 50
ok 'and does not flood the log' test "$(grep -c 'unable to accept' "$T/ingest.log")" -lt 20
i=0
while [ $i -lt 40 ]; do
	say "p$i" '!abort'
	i=$((i + 1))
done
ok 'when they leave' wait_for '[ "$(metric dt-ingest connections)" -le 2 ]'
plugin_as last "$port" "/ws/position?secret=$SECRET"
ok 'others come in' hears last '^!open'

# what curl can say wrong; lib/http's unit test has the rest
code() { curl -s -m 5 -o "$T/o" -w '%{http_code}' "$@"; }
url=http://127.0.0.1:$port
is 'a chunked body' "$(printf x | code -H 'Transfer-Encoding: chunked' -d @- "$url/healthz")" 411
is 'a body over the maximum' "$(head -c 5000 /dev/zero | code --data-binary @- "$url/healthz")" 413
is 'another method' "$(code -X DELETE "$url/healthz")" 405
is 'two hosts' "$(code -H 'Host: a' -H 'Host : b' "$url/healthz")" 400
is 'an upgrade to something else' "$(code --http2 "$url/healthz")" 400
say first '{"type":"chat","text":"to the end"}'
ok 'the first has seen all this' in_journal 'to the end'
stop ingest
is 'ends with 0' $? 0
done_testing
