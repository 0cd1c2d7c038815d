#!/bin/sh
# Commands from a browser to one character, to those with a tag and to all: who gets them, what the sender is told, and what the journal keeps (F67).
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
start ingest dt-ingest
warm
wait_for '[ "$(metric dt-fanout subscribers)" -ge 2 ]'

# plugin NAME TAG
plugin() {
	socket "$1" -H "X-Plugin-Secret: $SHARED_SECRET" "$PORT" /ws/position
	say "$1" "{\"type\":\"telemetry\",\"character_name\":\"$1\",\"char_tag\":\"$2\",\"ew\":1,\"ns\":2,\"z\":0,\"timestamp\":\"$(now)\"}"
}
plugin Ann mage
plugin Bob mage
plugin Cyd archer
browser boss
browser other
wait_for '[ "$(dt-tap -1 --from earliest -t telemetry | wc -l)" = 3 ]'
answers() { grep "\"id\":\"$1\"" "$T/boss.out" | grep command_status | jq -r '"\(.player_name) \(.tag) \(.status)"'; }
kept() { dt-tap -1 --from earliest -t command | tail -n 1 | jq -c "$1"; }

say boss '{"tag":"mage","command":"/ub jump","id":"t1"}'
wait_for '[ "$(answers t1 | wc -l)" = 2 ]'
is 'to a tag: a status for each' "$(answers t1)" 'Ann mage sent
Bob mage sent'
hears Ann jump
hears Bob jump
is 'each plugin gets its own' "$(grep jump "$T/Ann.out" "$T/Bob.out" | sed 's/^[^{]*//' | jq -c .)" '{"player_name":"Ann","command":"/ub jump"}
{"player_name":"Bob","command":"/ub jump"}'
is 'F67: the journal keeps what was said, to whom and by whom' "$(kept '[.player_name, .tag, .all, .command, .by]')" '[null,"mage",null,"/ub jump","local"]'

say boss '{"type":"command","all":true,"command":"/all","delay_ms":30,"id":"a1"}'
wait_for '[ "$(answers a1 | wc -l)" = 3 ]'
is 'to all, by name' "$(answers a1)" 'Ann null sent
Bob null sent
Cyd null sent'
is 'the delay goes with it' "$(kept '[.player_name, .tag, .all, .delay_ms]')" '[null,null,true,30]'

say boss '{"tag":"nobody","command":"/x","id":"n1"}'
hears boss '"id":"n1".*"status"'
is 'a tag that nobody has' "$(answers n1)" 'null nobody offline'
say boss '{"tag":"archer","command":"/x"}'
wait_for "grep -q '\"player_name\":\"Cyd\",\"tag\":\"archer\"' '$T/boss.out'"
like 'an id is made' "$(grep archer "$T/boss.out" | grep command_status | jq -r .id)" '^s[0-9a-f]{16}-[0-9]+$'
is 'others are told no statuses' "$(count_of other command_status)" 0

# one more than a character takes at once is refused, for that character
say boss '!repeat 50 {"tag":"mage","command":"/f","id":"f%d"}'
wait_for "[ \"\$(grep -c '\"command\":\"/f\",\"status\"' '$T/boss.out')\" = 100 ]"
ok 'too many are limited' [ "$(grep -c '"command":"/f","status":"limited"' "$T/boss.out")" -gt 0 ]
ok 'but not all' [ "$(grep -c '"command":"/f","status":"sent"' "$T/boss.out")" -ge 30 ]

n=0
while read -r message; do
	n=$((n + 1))
	say other "$message"
	wait_for "[ \"\$(count_of other '\"code\":\"bad_command\"')\" = $n ]" || break
	pass "F67: refused: $(echo "$message" | cut -c 1-80)"
done <<-ROWS
	{"type":"command","command":"/x"}
	{"tag":"mage","all":true,"command":"/x"}
	{"player_name":"Ann","tag":"mage","command":"/x"}
	{"all":false,"command":"/x"}
	{"all":"yes","command":"/x"}
	{"tag":"","command":"/x"}
	{"tag":7,"command":"/x"}
	{"tag":"$(printf %033d 0)","command":"/x"}
	{"player_name":"Ann","command":"/x","delay_ms":10}
	{"all":true,"command":"/x","delay_ms":60001}
	{"all":true,"command":"/x","delay_ms":0.5}
	{"all":true,"command":"/x","delay_ms":"1"}
	{"all":true,"command":"/x\u000a/y"}
	{"all":true,"command":"$(printf %0501d 0)"}
ROWS
is 'F67: nothing of that is on the stream' "$(dt-tap -1 --from earliest -t command | jq -r .command | sort -u | tr '\n' ' ')" '/all /f /ub jump /x '
done_testing
