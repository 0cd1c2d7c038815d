#!/bin/sh
# /ws/live: what a browser is sent, how it narrows that, batches, snapshots, what it missed, commands, and what is refused.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
warm
last() { tail -n 1 "$T/$1.out"; }
ms() { echo $(($(date +%s%N) / 1000000)); }

# everything, as it stands in the journal
browser all
publish '{"type":"chat","character_name":"A","text":"a \u00e9 é"}' '{"type":"made_up","x":[1.10, 12345678901234567890]}'
hears all made_up
is 'bytes as in the journal' "$(grep -v '^!' "$T/all.out")" "$(cat "$DT_DATA"/journal/*.ndjson)"

# types, prefixes, characters
browser some
say some '{"type":"subscribe","message_types":["rare","share_*"],"characters":["A"]}'
hears some subscribed
is 'the answer' "$(grep subscribed "$T/some.out" | jq -c '[.message_types, .characters, (.seq | type)]')" '[["rare","share_*"],["A"],"number"]'
publish '{"type":"rare","character_name":"A","name":"one"}' '{"type":"rare","character_name":"B","name":"two"}' '{"type":"chat","character_name":"A"}' \
    '{"type":"share_new_thing","character_name":"\u0041"}' '{"type":"sharex","character_name":"A"}' '{"type":"rare","name":"nobody"}' '{"type":"rare","character_name":"A","name":"end"}'
hears some '"end"'
is 'only what was asked for' "$(grep -c '_seq' "$T/some.out") $(count_of some '"one"') $(count_of some share_new)" '3 1 1'
say some '{"type":"subscribe","message_types":[]}'
wait_for "[ \"\$(count_of some subscribed)\" = 2 ]"
publish '{"type":"rare","character_name":"A","name":"unseen"}' '{"type":"chat","character_name":"A","text":"marker1"}'
hears all marker1
settled some
is 'an empty list is nothing' "$(count_of some 'unseen|marker1')" 0

# batches, snapshot, rates
walk A 1 2
walk B 3 4
hears all '"ew":3,'
browser batch
say batch '{"type":"subscribe","message_types":["chat","telemetry"],"batch_ms":300,"snapshot":true,"max_rate":{"telemetry":1}}'
hears batch '"type":"snapshot"'
is 'snapshot' "$(grep snapshot "$T/batch.out" | jq -c '[[.players[].character_name], .portal_count, (.at | type), (.seq | type)]')" '[["A","B"],0,"string","number"]'
begin=$(ms)
for i in 1 2 3 4 5; do publish "{\"type\":\"chat\",\"character_name\":\"A\",\"text\":\"batch $i\"}"; done
hears batch 'batch 5'
most=$((2 + ($(ms) - begin) / 300))
grep '^\[' "$T/batch.out" | jq -r '.[] | select(.type == "chat") | .text' >"$T/texts"
is 'all of them, in order' "$(tr '\n' ' ' <"$T/texts")" 'batch 1 batch 2 batch 3 batch 4 batch 5 '
ok "in few arrays (at most $most)" [ "$(grep -c '^\[' "$T/batch.out")" -le $most ]
begin=$(ms)
for i in 1 2 3 4 5 6; do walk A "$i" 0 "\"n\":$i"; done
hears batch '"n":6'
most=$((2 + ($(ms) - begin) / 1000))
ok "one a second (at most $most), and the newest" [ "$(grep '^\[' "$T/batch.out" | jq '[.[] | select(.n != null)] | length' | awk '{ n += $1 } END { print n }')" -le $most ]

# what was missed: from memory, then, after a restart, from the journal
seq=$(last all | jq ._seq)
publish '{"type":"quest","character_name":"A","quest_name":"q1"}' '{"type":"chat","character_name":"A","text":"not this"}' '{"type":"quest","character_name":"A","quest_name":"q2"}'
hears all q2
browser back
say back "{\"type\":\"subscribe\",\"message_types\":[\"quest\"],\"from\":$((seq + 1))}"
hears back q2
is 'from memory' "$(grep quest_name "$T/back.out" | jq -r .quest_name | tr '\n' ' ')" 'q1 q2 '
stop serve
hears all '^!closed 1001'
serve_start
warm
browser again
say again "{\"type\":\"subscribe\",\"message_types\":[\"quest\"],\"from\":$((seq + 1)),\"batch_ms\":50}"
hears again q2
publish '{"type":"quest","character_name":"A","quest_name":"q3"}'
hears again q3
is 'from the journal, then live' "$(grep quest_name "$T/again.out" | jq -r '.[].quest_name' | tr '\n' ' ')" 'q1 q2 q3 '
is 'the roster is there again' "$(get '/live?within=3600' | jq -c '[.players[].character_name]')" '["A","B"]'
is 'with trails' "$(get /trails | jq '.trails | length > 7')" true

# commands: nobody, a plugin, and what the answer says
start ingest dt-ingest
wait_for '[ "$(metric dt-fanout subscribers)" -ge 2 ]'
# commands FORMAT: says it, its %s a number, until the answer is not that dt-ingest did not answer in time; the last answer is in $T/answer
commands() {
	for _n in 1 2 3 4 5; do
		_before=$(count_of again command_status)
		# shellcheck disable=SC2059
		say again "$(printf "$1" $_n)"
		wait_for "[ \"\$(count_of again command_status)\" -gt $_before ]"
		grep command_status "$T/again.out" | tail -n 1 >"$T/answer"
		grep -q '"timeout"' "$T/answer" || break
	done
}
commands '{"player_name":"Nobody","command":"/die","id":"my-%s"}'
is 'offline' "$(jq -c '[(.id | startswith("my-")), .player_name, .command, .status]' "$T/answer")" '[true,"Nobody","/die","offline"]'
socket plugin -H "X-Plugin-Secret: $SHARED_SECRET" "$PORT" /ws/position
say plugin '{"type":"register","player_name":"A","character_name":"A","timestamp":"2026-01-01T00:00:00Z"}'
wait_for "[ \"\$(metric dt-ingest events_total)\" -ge 1 ]"
browser other
commands '{"type":"command","player_name":"A","command":"/radar \\"start\\""}'
is 'sent' "$(jq -r .status "$T/answer")" sent
hears plugin '"/radar'
is 'the plugin gets just these two' "$(grep radar "$T/plugin.out" | jq -c . | uniq)" '{"player_name":"A","command":"/radar \"start\""}'
hears other '"type":"command"'
is 'others see the command' "$(grep '"type":"command"' "$T/other.out" | jq -c '[.player_name, .by]' | uniq)" '["A","local"]'
signal STOP ingest
say again '{"player_name":"A","command":"/wait","id":"late"}' '{"all":true,"command":"/wait","id":"late all"}'
hears again '"late all".*"timeout"'
is 'timeout, one each' "$(grep '"late.*"timeout"' "$T/again.out" | jq -c '[.id, .player_name, .status]' | tr '\n' ' ')" '["late","A","timeout"] ["late all",null,"timeout"] '
signal CONT ingest

# dungeons
say again '{"type":"request_dungeon_map","landblock":"01e3"}'
hears again '"found":false'
is 'no such map' "$(grep found "$T/again.out" | jq -c '[.type, .landblock]')" '["dungeon_map","01E3"]'
publish '{"type":"dungeon_map","character_name":"A","landblock":"0x01E3","name":"Deep","layers":[]}'
hears other Deep
is 'but not the answers to commands' "$(count_of other command_status)" 0
say again '{"type":"request_dungeon_map","landblock":"01E3FFFF"}'
hears again Deep
is 'the newest map' "$(grep Deep "$T/again.out" | jq -r .name)" Deep

# what is wrong gets a sentence, and the connection stays
browser bad
n=0
while read -r message; do
	n=$((n + 1))
	say bad "$message"
	wait_for "[ \"\$(count_of bad '\"type\":\"error\"')\" = $n ]" || break
	like "F66, F67: refused: $message" "$(grep '"type":"error"' "$T/bad.out" | tail -n 1)" '^\{"type":"error","error":"[^"].*","code":"[a-z_]+"\}$'
done <<-'ROWS'
	nonsense
	[1,2]
	{"type":"subscribe","jq": 7}
	{"type":"subscribe","message_types":"rare"}
	{"type":"subscribe","message_types":[1]}
	{"type":"subscribe","batch_ms":5001}
	{"type":"subscribe","batch_ms":-1}
	{"type":"subscribe","batch_ms":1.5}
	{"type":"subscribe","snapshot":"yes"}
	{"type":"subscribe","from":"now"}
	{"type":"subscribe","max_rate":{"telemetry":0}}
	{"type":"subscribe","max_rate":[1]}
	{"type":"subscribe","messagetypes":["rare"]}
	{"type":"seek","at":"2026-01-01T00:00:00Z"}
	{"type":"pause"}
	{"type":"unheard_of"}
	{"player_name":"A"}
	{"player_name":"","command":"/x"}
	{"player_name":"A","command":""}
	{"player_name":"A","command":"/x\u000a/y"}
	{"player_name":"A","command":"/x","id":7}
	{"player_name":"abcdefghijklmnopqrstuvwxyz0123456","command":"/x"}
	{"type":"request_dungeon_map","landblock":"xyz"}
	!binary x
ROWS
publish '{"type":"chat","character_name":"A","text":"still here"}'
hears bad 'still here'
settled bad
is 'the connection stays' "$(count_of bad '^!closed')" 0
say bad '!pad 70000 x'
hears bad '^!closed 1009'
browser flood
begin=$(ms)
say flood '!repeat 1000 {"type":"request_dungeon_map","landblock":"%d"}'
wait_for "[ \"\$(count_of flood '\"found\":false|\"code\":\"too_many\"')\" = 1000 ]"
most=$((61 + ($(ms) - begin) / 50))
ok "F66: a flood is not answered in full (at most $most)" [ "$(count_of flood '"found":false')" -le $most ]

# only our own pages
for origin in http://evil.example "http://127.0.0.1:$((PORT + 1))" null; do
	socket foreign -H "Host: 127.0.0.1:$PORT" -H "Origin: $origin" "$PORT" /ws/live
	like "F44: not from $origin" "$(cat "$T/foreign.out")" '^!refused 403 '
	rm -f "$T/foreign.out"
done
socket rebound -H 'Host: evil.example' -H 'Origin: http://evil.example' "$PORT" /ws/live
like 'F44: not by a name that is not ours' "$(cat "$T/rebound.out")" '^!refused (403|400) '
socket own -H "Host: 127.0.0.1:$PORT" -H "Origin: http://127.0.0.1:$PORT" "$PORT" /ws/live
is 'our own page' "$(head -n 1 "$T/own.out")" '!open'
socket api "$PORT" /api/ws/live
is 'below /api too' "$(head -n 1 "$T/api.out")" '!open'
done_testing
