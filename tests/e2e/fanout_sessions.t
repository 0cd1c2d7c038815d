#!/bin/sh
# A publisher's session goes on over kill -9 of dt-fanout: the bus says what it has, and nothing is lost or doubled.
. "$(dirname "$0")/../lib.sh"

IN=$DT_RUN/events.in J=$DT_DATA/journal
N=60000
awk -v n=$N 'BEGIN { for (i = 1; i <= n; i++) printf "{\"type\":\"numbered\",\"session\":\"a\",\"n\":%d,\"pad\":\"%0*d\"}\n", i, i % 300, 0 }' >"$T/lines"
have() { cat "$J"/*.ndjson 2>/dev/null | grep -c '"session":"a"'; }
# greet NEXT [LINES...]: says hello as session "a" and sends what is on standard input
greet() { { printf '{"hello":{"name":"test","session":"a","next":%s}}\n' "$1"; cat; } | timeout 200 nc -NU "$IN"; }
next_of() { jq -r '.welcome.next // empty'; }

for sync in always 20 never; do
	rm -rf "$J"
	next=1 round=0 exact=yes
	ok "starts with --sync $sync" start fanout dt-fanout --sync "$sync" --segment-bytes 3M
	while [ "$next" -le $N ] && [ $round -lt 3 ]; do
		round=$((round + 1)) before=$(have)
		tail -n "+$next" "$T/lines" | greet 1 >"$T/answers" &
		sender=$!
		# others publish meanwhile, so that numbers and lines do not go in step
		for _ in 1 2 3; do echo '{"type":"other"}' | timeout 200 nc -NU "$IN"; done
		wait_for "n=\$(have); [ \$n -gt $((before + 3000)) ] || [ \$n = $N ]" || break
		kill9 fanout
		wait $sender
		acked=$(grep '"ack"' "$T/answers" | tail -n 1 | jq '.ack // 0')
		start fanout dt-fanout --sync "$sync" --segment-bytes 3M || break
		next=$(greet 1 </dev/null | next_of)
		[ "$next" = $(($(have) + 1)) ] || { exact=no; diag "expects $next and has $(have)"; }
		[ "$next" -gt "${acked:-0}" ] || { exact=no; diag "acknowledged $acked and expects $next"; }
	done
	is "knows exactly what it has ($sync)" "$exact" yes
	tail -n "+$next" "$T/lines" | greet "$next" >"$T/answers"
	like "acknowledges all ($sync)" "$(tail -n 1 "$T/answers")" "\"ack\":$N}|\"next\":$((N + 1))}"
	ok "stops ($sync)" stop fanout
	cat "$J"/*.ndjson | grep '"session":"a"' | sed 's/^{"_seq":[0-9]*,"_rx":"[^"]*",/{/' >"$T/got"
	ok "each line once and in order ($sync)" cmp "$T/got" "$T/lines"
	is "no number is left out ($sync)" "$(cat "$J"/*.ndjson | cut -d, -f1 | cut -d: -f2 | awk '$1 != NR { print "at " NR; exit }')" ''
done

ok 'starts' start fanout dt-fanout
is 'a line is refused by its number' "$(printf '{"type":"x"}\n{"type":"x","_seq":1}\nx\n{"type":"x"}\n' | sed 's/^/ /' |
	{ printf '{"hello":{"name":"t","session":"b","next":1}}\n'; cat; } | timeout 200 nc -NU "$IN" | jq -c 'select(.welcome | not)' | grep -v '"ack":[123]}')" \
'{"error":{"n":2,"reason":"reserved"}}
{"error":{"n":3,"reason":"not_json"}}
{"ack":4}'
is 'refused lines count' "$(printf '{"hello":{"name":"t","session":"b","next":1}}\n' | timeout 200 nc -NU "$IN" | next_of)" 5
is 'who has less left goes on from there' "$(printf '{"hello":{"name":"t","session":"b","next":9}}\n' | timeout 200 nc -NU "$IN" | next_of)" 9
is 'a new session begins at one' "$(printf '{"hello":{"name":"t","session":"c"}}\n' | timeout 200 nc -NU "$IN" | next_of)" 1
for bad in '{"name":"t"}' '{"session":"no blanks"}' '{"session":""}' '{"session":"d","next":0}' '{"session":7}'; do
	is "no hello: $bad" "$(printf '{"hello":%s}\n{"type":"x"}\n' "$bad" | timeout 200 nc -NU "$IN")" '{"error":{"n":0,"reason":"bad_hello"}}'
done
before=$(cat "$J"/*.ndjson | wc -l)
printf '{"hello":{"name":"t","session":"e"}}\n{"type":"half' | timeout 200 nc -NU "$IN" >/dev/null
printf '{"type":"hello","hello":{"session":"f"}}\n' | timeout 200 nc -NU "$IN" >/dev/null
wait_for '[ "$(cat "$J"/*.ndjson | wc -l)" -gt $before ]'
is 'half a line of a session is nothing, an event that looks like a hello is one' "$(($(cat "$J"/*.ndjson | wc -l) - before))" 1

# The newer connection of a session has it.
mkfifo "$T/old"
timeout 200 nc -U "$IN" <"$T/old" >"$T/old.out" &
exec 8>"$T/old"
printf '{"hello":{"name":"t","session":"g"}}\n{"type":"one"}\n' >&8
wait_for 'grep -q ack "$T/old.out"'
is 'the newer connection takes the session' "$(printf '{"hello":{"name":"t","session":"g"}}\n{"type":"two"}\n' | timeout 200 nc -NU "$IN" | tr '\n' ' ')" \
	'{"welcome":{"session":"g","next":2}} {"ack":2} '
exec 8>&-
ok 'ends' stop fanout
done_testing
