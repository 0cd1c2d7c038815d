#!/bin/sh
# Subscribers: who is slow gets everything or is told what is missing, and costs the others nothing; a jq program harms only its owner.
. "$(dirname "$0")/../lib.sh"

IN=$DT_RUN/events.in OUT=$DT_RUN/events.out J=$DT_DATA/journal
# what is asked lies ready: who says nothing for a second is sent everything
asking() { printf '{"subscribe":%s}\n' "$1" >"$T/asking.$2"; }
ask() { asking "$1" once; timeout 200 nc -U "$OUT" <"$T/asking.once"; }
# feed LINES WIDTH: padded with what does not compress away, or old segments would be too small to be dropped
feed() { base64 -w "$2" /dev/urandom | head -n "$1" |
	awk '{ printf "{\"type\":\"t%d\",\"character_name\":\"C%d\",\"n\":%d,\"pad\":\"%s\"}\n", NR % 3, NR % 5, NR, $0 }' |
	timeout 200 nc -NU "$IN"; }

ok 'starts' start fanout dt-fanout --sync never --segment-bytes 1M --keep-bytes 4M --compress
# Reads one line, then nothing until it is allowed to.
asking '{"name":"slow","from":1}' slow
start_plain slow sh -c 'nc -U "$1" <"$3" | { IFS= read -r line; printf "%s\n" "$line"; while [ ! -e "$2" ]; do sleep 0.05; done; cat; }' \
	sh "$OUT" "$T/go" "$T/asking.slow"
asking '{"from":1,"types":["t1"]}' filtered
start_plain filtered sh -c 'nc -U "$1" <"$3" | { IFS= read -r line; printf "%s\n" "$line"; while [ ! -e "$2" ]; do sleep 0.05; done; cat; }' \
	sh "$OUT" "$T/go" "$T/asking.filtered"
start_plain quick sh -c 'nc -U "$1" | cat >"$2"' sh "$OUT" "$T/quick.lines"
wait_for '[ "$(metric dt-fanout subscribers)" = 3 ]'
# no faster than the quick one takes it on a busy machine, since nobody waits for subscribers
for i in $(seq 20); do
	feed 3000 300
	wait_for "[ \$(wc -l <'$T/quick.lines') = $((i * 3000)) ]" 20 || break
done
wait_for '[ "$(metric dt-fanout dropped_segments_total)" -gt 0 ]'
ok 'the quick one has everything' wait_for '[ "$(wc -l <"$T/quick.lines")" = 60000 ]' 20
is 'in order' "$(cut -d, -f1 "$T/quick.lines" | cut -d: -f2 | awk '$1 != NR { print; exit }')" ''
ok 'segments were compressed' wait_for '[ "$(metric dt-fanout compressed_segments_total)" -gt 2 ]'
touch "$T/go"
ok 'the slow one gets to the end' wait_for 'tail -n 1 "$T/slow.out" | grep -q "^{\"_seq\":60000,"' 20
like 'and was told of a gap' "$(grep '"type":"gap"' "$T/slow.out")" '^\{"type":"gap","from":[0-9]+,"to":[0-9]+,"count":[0-9]+\}$'
# continuity FILE: every number is there, or in a gap that was announced.
continuity() { jq -r 'if .type == "gap" then "gap \(.from) \(.to) \(.count)" elif .type == "subscribed" then empty else "seq \(._seq)" end' "$1" |
	awk 'BEGIN { want = 1 } $1 == "gap" { if ($2 != want || $3 - $2 + 1 != $4) { print "bad gap " $0; exit } want = $3 + 1; next }
	     { if ($2 != want) { print "got " $2 " for " want; exit } want++ }'; }
is 'nothing is missing without a word' "$(continuity "$T/slow.out")" ''
wait_for 'tail -n 1 "$T/filtered.out" | grep -q "^{\"_seq\":59998,"' 20
like 'a filtered one is told too' "$(grep '"type":"gap"' "$T/filtered.out")" '"type":"gap"'
is 'and gets only what it wants, whole' "$(grep -v '"type":"gap"' "$T/filtered.out" | jq -r .type | sort -u | tr '\n' ' ')" 'subscribed t1 '

ask '{"from":5,"to":60000}' | head -n 3 | jq -c 'del(.journal, ._rx, .pad, .n, .type, .character_name)' >"$T/gone"
first=$(jq -rn 'input.from' "$T/gone")
ok "the oldest were dropped (up to $first)" [ "$first" -gt 5 ]
is 'what is gone is a gap at once' "$(cat "$T/gone")" \
"{\"from\":$first}
{\"from\":5,\"to\":$((first - 1)),\"count\":$((first - 5))}
{\"_seq\":$first}"

# Every wanted line and no other, over plain and compressed segments, from memory and from disk.
# Meanwhile a segment may be compressed (for a moment there are both) or dropped: then again.
segments() { for segment in "$J"/*.ndjson*; do zstdcat -f "$segment"; done 2>/dev/null; }
chosen() {
	segments | jq -r 'select(.type == "t2" and .character_name == "C3")._seq' | sort -nu >"$T/want"
	ask "$1" | jq -r '._seq // empty' >"$T/got"
	cmp "$T/want" "$T/got"
}
ok 'by type and character over the whole journal' wait_for "chosen '{\"from\":\"earliest\",\"to\":60000,\"types\":[\"t2\"],\"characters\":[\"C3\"]}'"
ok 'by jq over the whole journal' wait_for "chosen '{\"from\":\"earliest\",\"to\":60000,\"types\":[\"t2\"],\"jq\":\".character_name == \\\"C3\\\"\"}'"
bytes() {
	ask '{"from":"earliest","to":60000}' | grep -v subscribed >"$T/got"
	segments | head -n "$(wc -l <"$T/got")" >"$T/want"
	cmp "$T/want" "$T/got"
}
ok 'bytes as in the journal' wait_for bytes

# A program without end is ended, and only its owner notices.
asking '{"from":"earliest","jq":"def f: f; f"}' bomb
asking '{"jq":".n"}' bystander
for who in bomb bystander; do start_plain $who sh -c 'timeout 200 nc -U "$1" <"$2"' sh "$OUT" "$T/asking.$who"; done
wait_for 'grep -q subscribed "$T/bystander.out" && grep -q subscribed "$T/bomb.out"'
echo '{"type":"mark","n":1}' | timeout 200 nc -NU "$IN"
ok 'others go on' wait_for 'grep -q mark "$T/bystander.out" && grep -q mark "$T/quick.lines"' 1
ok 'the program is ended' wait_for 'grep -q "\"error\":\"the jq program failed" "$T/bomb.out"'
is 'and counted' "$(wait_for '[ "$(metric dt-fanout filters_died_total)" = 1 ]'; metric dt-fanout filters_died_total)" 1

# Too many.
ok 'restarts with few places' stop fanout
ok 'starts' start fanout dt-fanout --max-subscribers 1 --max-publishers 1
start_plain one nc -U "$OUT"
wait_for '[ "$(metric dt-fanout subscribers)" = 1 ]'
is 'a subscriber too many' "$(ask '{}')" '{"type":"error","error":"too many subscribers"}'
mkfifo "$T/hold"
timeout 200 nc -U "$IN" <"$T/hold" >/dev/null &
exec 8>"$T/hold"
wait_for '[ "$(metric dt-fanout publishers)" = 1 ]'
is 'a publisher too many' "$(timeout 200 nc -NU "$IN" </dev/null)" '{"error":{"n":0,"reason":"too_many_publishers"}}'
# What came before the end is still sent.
printf '{"type":"bye"}\n' >&8
wait_for '[ "$(metric dt-fanout last_seq)" -gt 60001 ]'
ok 'ends' stop fanout
ok 'and has sent everything' wait_for 'grep -q bye "$T/one.out"' 2
exec 8>&-
done_testing
