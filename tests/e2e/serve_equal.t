#!/bin/sh
# What browsers get is what jq finds in the journal: the same events in the same order, none twice, and where one fell behind the gaps name the rest.
# So for those that join, leave, subscribe anew, fall behind or catch up while the stream runs.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
warm

# equal FILE: its events and gaps between one `subscribed` and the next against the journal; prints what differs
cat >"$T/equal.jq" <<'JQ'
	def matches($w): . as $e
		| ($w.message_types == null or any($w.message_types[]; if endswith("*") then .[:-1] as $p | $e.type | startswith($p) else . == $e.type end))
		and ($w.characters == null or any($w.characters[]; . == $e.name));
	def said: [inputs | if type == "array" then .[] else . end | {type, _seq, from, to, count, seq, message_types, characters}];
	def parts: reduce said[] as $m ([{words: {}, got: [], gaps: []}];
		if $m.type == "subscribed" then . + [{words: $m, got: [], gaps: []}]
		elif $m._seq then .[-1].got += [$m._seq]
		elif $m.type == "gap" then .[-1].gaps += [$m] else . end);
	parts as $parts | $journal[-1].seq as $newest
	| range(0; $parts | length) as $i | $parts[$i]
	| (.words.from // (if .words.seq then .words.seq + 1 else .got[0] // $newest + 1 end)) as $from
	| (if $i + 1 < ($parts | length) then $parts[$i + 1].words.seq else $newest end) as $to
	| .words as $words | .gaps as $gaps
	| [$journal[] | select(.seq >= $from and .seq <= $to and matches($words)) | .seq] as $wanted
	| [$wanted[] | select(. as $n | any($gaps[]; .from <= $n and $n <= .to))] as $missed
	| ([$gaps[].count] | add // 0) as $told
	| select(.got != $wanted - $missed or $told != ($missed | length))
	| "part \($i), \($words.message_types) \($words.characters) from \($from) to \($to): got \(.got | length) of \($wanted | length), missed \($missed | length), told \($told)"
JQ
equal() {
	grep -a '^[[{]' "$T/$1.out" | jq -n -r --slurpfile journal "$T/journal" -f "$T/equal.jq"
}
# flood COUNT BYTES KEY: events of all types and characters, numbered under that key
flood() {
	awk -v n="$1" -v pad="$2" -v key="$3" 'BEGIN {
		split("chat quest share_a rare telemetry share_b chat2", type)
		while (length(text) < pad) text = text "0123456789"
		for (i = 1; i <= n; i++) printf "{\"type\":\"%s\",\"character_name\":\"C%d\",\"%s\":%d,\"pad\":\"%s\"}\n", type[i * 7919 % 7 + 1], i * 31 % 11, key, i, text
	}' | dt-send -q
}
stream() { until [ -e "$T/enough" ]; do flood 77 50 n; done; }
the_end() { publish '{"type":"chat","character_name":"C1","n":10,"text":"the end"}' '{"type":"share_a","character_name":"C1","text":"the end"}'; }
subscribe() { say "$1" "{\"type\":\"subscribe\"${2:+,$2}}"; }
words1='"message_types":["chat","quest"]'
words2='"message_types":["share_*","rare"]'
words3='"characters":["C1","C2","C3"]'
words4='"message_types":["chat"],"characters":["C1","C10"]'

for b in all chat chat2 chat3 chat4 chat5 chat6 chat7 gone share name batch nothing mover slow deaf jq; do browser $b; done
for b in chat chat2 chat3 chat4 chat5 chat6 chat7 gone slow; do subscribe $b "$words1"; done
subscribe share "$words2"
subscribe name "$words3"
subscribe batch "$words1,\"batch_ms\":30"
subscribe nothing '"message_types":[]'
subscribe jq '"jq":".n % 7 == 3"'
for b in slow nothing jq; do hears $b subscribed; done
i=0
while [ "$(count_of jq '"n":')" = 0 ] && [ $i -lt 100 ]; do
	flood 7 10 n
	i=$((i + 1))
done
say slow '!deaf'
say deaf '!deaf'

# one that has seen more than there is gets what comes behind that
seq=$(dt-tap -1 | tail -n 1 | jq ._seq)
browser ahead
subscribe ahead "$words1,\"from\":$((seq + 5))"
hears ahead subscribed

# while the stream runs: one subscribes anew all the time, one goes, some come
stream &
stream_pid=$!
i=0
for w in "$words2" "$words1" '' "$words3" "$words4" '"message_types":[]' "$words1" "$words2" "$words3,\"batch_ms\":10" "$words4" ''; do
	i=$((i + 1))
	subscribe mover "$w"
	wait_for "[ \"\$(grep -ac '\"subscribed\"' '$T/mover.out')\" = $i ]"
done
stop gone
browser late
subscribe late "$words1"
seq=$(dt-tap -1 | tail -n 1 | jq ._seq)
browser back
subscribe back "$words2,\"from\":5"
browser near
subscribe near "$words3,\"from\":$seq"
hears back share_
: >"$T/enough"
wait "$stream_pid"
# two that are far behind: one asks for something else meanwhile
flood 200 40000 long
subscribe deaf "$words2"
flood 200 40000 long
for b in slow deaf; do say $b '!listen'; done
wait_for "[ \"\$(grep -ac '\"subscribed\"' '$T/deaf.out')\" = 1 ]" 20
the_end
say nothing '{"type":"request_dungeon_map","landblock":"0001"}'
hears nothing '"found"'
browsers='all chat7 share name batch mover slow deaf late back near ahead'
for b in $browsers jq; do hears "$b" 'the end' 30; done
cat "$DT_DATA"/journal/*.ndjson | jq -c '{seq: ._seq, type, name: .character_name, n}' >"$T/journal"

for b in $browsers nothing; do is "$b: as in the journal" "$(equal "$b")" ''; done
ok 'who left had a part of it' [ "$(grep -ac '"_seq"' "$T/gone.out")" -gt 0 ]
for b in slow deaf; do ok "$b: fell behind" [ "$(grep -ac '"type":"gap"' "$T/$b.out")" -gt 0 ]; done
first=$(grep -a '"n":' "$T/jq.out" | head -n 1 | jq ._seq)
is 'jq: as jq finds in the journal' "$(grep -a '"_seq"' "$T/jq.out" | jq ._seq | cksum)" \
    "$(jq "select(.n != null and .n % 7 == 3 and .seq >= $first) | .seq" "$T/journal" | cksum)"
: >"$T/contract/sockets"                 # what they got are the journal's lines, and many
done_testing
