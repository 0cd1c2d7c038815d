#!/bin/sh
# Browsers that do not read: they lose events and are told, nobody waits for them, memory stays bounded; long events go whole.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
warm
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of serve)/status"; }
# what those who read have not taken yet stays small, however slow the machine: a part is sent when they have the one before
flood() {
	from=0
	while [ $from -lt "$1" ]; do
		part $from $((from + 2000)) | dt-send -q
		from=$((from + 2000))
		for _b in good plain; do wait_for "tail -c 5000 '$T/$_b.out' | grep -q '\"n\":$((from - 1)),'"; done
	done
}
part() { awk -v from="$1" -v to="$2" 'BEGIN { for (i = 0; i < 400; i++) pad = pad "x"; for (i = from; i < to; i++) printf "{\"type\":\"chat\",\"character_name\":\"C%d\",\"n\":%d,\"text\":\"%s\"}\n", i % 60, i, pad }'; }

browser good
say good '{"type":"subscribe","message_types":["chat","end"],"batch_ms":20}'
browser plain
for b in slow1 slow2 slow3; do
	browser $b
	say $b '!deaf'
done
say slow2 '{"type":"subscribe","message_types":["chat","end"],"batch_ms":20}'
wait_for "[ \"\$(metric dt-serve browsers)\" = 5 ]"
before=$(rss)
flood 40000
publish '{"type":"end","n":1}'
hears good '"type":"end"'
hears plain '"type":"end"'
is 'F22: a good one gets all, in order' "$(grep -a '^\[' "$T/good.out" | jq -c '.[] | select(.type == "chat") | .n' | awk '$1 != n { bad = 1 } { n = $1 + 1 } END { print n, bad + 0 }')" '40000 0'
is 'so does one without batches' "$(grep -ac '"type":"chat"' "$T/plain.out")" 40000
after=$(rss)
limit=24000
[ "$slow" = 1 ] && ok "F22: memory is bounded ($before to $after kB)" [ "$after" -lt "$limit" ]
for b in slow1 slow2 slow3; do
	say $b '!listen'
	hears $b '"type":"end"|"type":"gap"'
done
publish '{"type":"end","n":2}'
for b in slow1 slow2 slow3; do
	hears $b '"type":"end","n":2'
	grep -a -o '{"type":"gap"[^}]*}' "$T/$b.out" >"$T/gaps" || true
	got=$(grep -a -o '"type":"chat"' "$T/$b.out" | wc -l)
	missed=$(jq -s 'map(.count) | add // 0' "$T/gaps")
	ended=$(grep -a -o '"type":"end"' "$T/$b.out" | wc -l)
	is "F22: $b: what it got and what it was told of is all" $((got + ended + missed)) 40002
	ok "$b: and some was told of" [ "$missed" -gt 0 ]
	ok "$b: a gap is a range of numbers" jq -se 'all(.from <= .to and (.to - .from + 1) >= .count)' "$T/gaps"
done

# an event of 3 MB, which goes in pieces, between answers to its own messages
browser big
say big '{"type":"subscribe","batch_ms":0}'
hears big subscribed
awk 'BEGIN { printf "{\"type\":\"full_inventory\",\"character_name\":\"A\",\"items\":[0"; for (i = 1; i < 400000; i++) printf ",%d", i; print "]}" }' >"$T/big"
dt-send -q <"$T/big" &
for i in 1 2 3 4 5 6 7 8 9; do say big '{"type":"request_dungeon_map","landblock":"0001"}'; sleep 0.02; done
hears big '399999\]}$'
wait_for "[ \"\$(grep -ac found '$T/big.out')\" = 9 ]"
is 'a long event arrives whole' "$(grep -a full_inventory "$T/big.out" | jq -c '[(.items | length), .items[-1]]')" '[400000,399999]'
is 'as an array where that was asked for' "$(say good '{"type":"subscribe","message_types":["full_inventory"],"batch_ms":10}'; wait_for "[ \"\$(grep -ac subscribed '$T/good.out')\" = 2 ]"; dt-send -q <"$T/big"; hears good '399999\]}\]$'; grep -a full_inventory "$T/good.out" | jq -c '[.[].items | length]')" '[400000]'
ok 'everybody is still there' wait_for '[ "$(metric dt-serve browsers)" = 6 ]'
done_testing
