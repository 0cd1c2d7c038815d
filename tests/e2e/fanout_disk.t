#!/bin/sh
# The disk is full for a while: nothing is acknowledged, shown or half-written, readers go on, and afterwards nothing is missing.  A sync that fails.
# only: plain
. "$(dirname "$0")/../lib.sh"

IN=$DT_RUN/events.in OUT=$DT_RUN/events.out J=$DT_DATA/journal
lines() { awk -v a="$1" -v n="$2" 'BEGIN { for (i = a; i < a + n; i++) printf "{\"type\":\"t\",\"n\":%d,\"pad\":\"%0200d\"}\n", i, 0 }'; }
greet() { { printf '{"hello":{"name":"t","session":"s","next":1}}\n'; cat; } | timeout 200 nc -NU "$IN"; }

# A limit on the size of files stands in for a full disk.
ok 'starts' start fanout sh -c 'trap "" XFSZ; ulimit -S -f 1000; exec dt-fanout --sync never "$@"' sh
start_plain tail nc -U "$OUT"
wait_for '[ "$(metric dt-fanout subscribers)" = 1 ]'
lines 1 10000 | greet >"$T/answers" &
sender=$!
ok 'it says that it cannot write' wait_for 'grep -q "unable to write" "$T/fanout.log"'
wait_for '[ "$(metric dt-fanout blocked)" = 1 ]'
is 'the status says so' "$(metric dt-fanout blocked)" 1
ok 'and counts the tries' wait_for '[ "$(metric dt-fanout write_errors_total)" -gt 1 ]'
is 'it was said once' "$(grep -c 'unable to write' "$T/fanout.log")" 1
# the last acknowledgement may still be on its way
acked() { grep '"ack"' "$T/answers" | tail -n 1 | jq .ack; }
wait_for '[ "$(cat "$J"/*.ndjson | jq -s length)" = "$(acked)" ]'
acked=$(acked)
is 'what is acknowledged is there, and no half line' "$(cat "$J"/*.ndjson | jq -s 'length')" "${acked:-0}"
is 'old events can still be read' "$(printf '{"subscribe":{"from":1,"to":2}}\n' | timeout 200 nc -U "$OUT" | jq -r '._seq // empty' | tr '\n' ' ')" '1 2 '
wait_for "[ \$(wc -l <\"$T/tail.out\") = ${acked:-0} ]"
is 'subscribers have seen what is safe and no more' "$(wc -l <"$T/tail.out")" "${acked:-0}"
prlimit --pid "$(pid_of fanout)" --fsize=unlimited
wait $sender
is 'then all is acknowledged' "$(tail -n 1 "$T/answers")" '{"ack":10000}'
like 'and it says so' "$(cat "$T/fanout.log")" 'writing again'
is 'each once and in order' "$(cat "$J"/*.ndjson | jq .n | awk '$1 != NR { print; exit } END { print NR }')" 10000
ok 'and shown' wait_for '[ "$(wc -l <"$T/tail.out")" = 10000 ]'
ok 'the stream is the journal' cmp "$T/tail.out" "$J/00000000000000000001.ndjson"

# Killed in the middle of it: the session knows what is missing.
stop fanout
start fanout sh -c 'trap "" XFSZ; ulimit -S -f 6000; exec dt-fanout --sync never "$@"' sh
lines 1 30000 | tail -n +10001 | { printf '{"hello":{"name":"t","session":"s","next":10001}}\n'; cat; } | timeout 200 nc -NU "$IN" >"$T/answers" &
wait_for '[ "$(metric dt-fanout blocked)" = 1 ]'
kill9 fanout
start fanout dt-fanout --sync never
next=$(greet </dev/null | jq .welcome.next)
is 'killed while full, it knows what it has' "$next" $(($(cat "$J"/*.ndjson | wc -l) + 1))
stop fanout

# The second fdatasync of each thread fails; the sync thread's is that of the first batch.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	rm -rf "$J"
	ok 'starts under strace' start fanout strace -D -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:error=EIO:when=2 dt-fanout --sync always
	lines 1 200 | greet >"$T/answers"
	is 'a sync that fails is tried again before anything is acknowledged' "$(tail -n 1 "$T/answers")" '{"ack":200}'
	like 'it says so' "$(cat "$T/fanout.log")" 'unable to sync: Input/output error'
	like 'and when it works again' "$(cat "$T/fanout.log")" 'syncing again'
	is 'and nothing is missing' "$(cat "$J"/*.ndjson | jq .n | awk '$1 != NR { print; exit } END { print NR }')" 200
	stop fanout

	# A segment is left while it is still being synced, which takes half a second here.
	rm -rf "$J"
	ok 'starts with a slow disk' start fanout strace -D -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:delay_enter=500000:when=2+ \
		dt-fanout --sync 20 --segment-bytes 64k
	before=$(grep -c 'unable to sync' "$T/fanout.log")
	lines 1 500 | timeout 200 nc -NU "$IN"
	sleep 0.2
	lines 501 500 | timeout 200 nc -NU "$IN"
	ok 'two segments are synced' wait_for '[ "$(metric dt-fanout syncs_total)" -ge 2 ]'
	ok 'there is more than one' [ "$(find "$J" -name '*.ndjson' | wc -l)" -gt 1 ]
	is 'and nothing went wrong' "$(($(grep -c 'unable to sync' "$T/fanout.log") - before))" 0
fi
done_testing
