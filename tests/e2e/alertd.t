#!/bin/sh
# dt-alertd on a real stream, posting to Discord's stand-in: every shipped rule, a storm, kill -9; a backtest of the journal equals what was posted.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/discord.sh"

discord_start || exit 1
DISCORD_API_BASE=$DISCORD
DISCORD_RARE_BOT_TOKEN=test-bot-token
DISCORD_ACLOG_WEBHOOK=$DISCORD/webhooks/100000000000000009/secretsecret
COMMON_RARE_CHANNEL_ID=100000000000000001
GREAT_RARE_CHANNEL_ID=100000000000000002
ACLOG_CHANNEL_ID=100000000000000003
MONITOR_CHARACTER=Ear
export DISCORD_API_BASE DISCORD_RARE_BOT_TOKEN DISCORD_ACLOG_WEBHOOK COMMON_RARE_CHANNEL_ID GREAT_RARE_CHANNEL_ID ACLOG_CHANNEL_ID MONITOR_CHARACTER
# the shipped rules with shorter times where a test would have to wait
mkdir -p "$DT_DATA/rules.d"
sed 's/^for: 5m/for: 1s/' "$ROOT/lib/rule/rules.d/idle.rule" >"$DT_DATA/rules.d/idle.rule"
sed 's/^for: 1m/for: 0s/;s/^for: 0s/for: 1ms/' "$ROOT/lib/rule/rules.d/server.rule" >"$DT_DATA/rules.d/server.rule"
sed 's/^for: 30s/for: 3s/;s/^gather: 30s/gather: 2s/;s/^types: telemetry/&\nwhen: .char_tag == "crowd"/' "$ROOT/lib/rule/rules.d/disconnect.rule" >"$DT_DATA/rules.d/disconnect.rule"
send() { printf '%s\n' "$@" >"$T/send" && dt-send -q <"$T/send"; }
at_once() { cat >"$T/send" && dt-send -q <"$T/send"; }       # what comes slowly is sent in one go
vitals() { printf '{"type":"vitals","character_name":"%s","vitae":%s}\n' "$1" "$2"; }
posted() { accepted .text | grep -cE -- "$1"; }
comes() { wait_for "[ \"\$(posted '$1')\" = ${2:-1} ]" 20; }

start fanout dt-fanout --sync 10
start alertd dt-alertd

send "$(vitals Ann 0)" "$(vitals Ann 5)" "$(vitals Bob 5)" "$(vitals Bob 10)"
ok 'a death' comes '^Ann died \(vitae 5%\)$'
is 'what was so at the connection is none' "$(posted Bob)" 0
idles() { for state in idle Idle; do send '{"type":"telemetry","character_name":"Ann","vt_state":"'$state'"}'; done; }
ok 'idle, one in an episode' wait_for 'idles; [ "$(posted "^Ann is idle")" = 1 ]' 30
ok 'with the state' comes '^Ann is idle for [0-9]+s \(state (Idle|idle)\)$'
send '{"type":"chat","character_name":"Ear","text":"A Whirlwind of VORTEXES comes @everyone"}' '{"type":"chat","character_name":"Bob","text":"whirlwind of vortexes"}'
ok 'a vortex' comes '^Vortex warning: A Whirlwind'
is 'as an embed, where the log is' "$(accepted 'select(.text | test("^Vortex")) | .target, (.body.embeds | length), .body.embeds[0].title' | tr '\n' ' ')" 'channel 100000000000000003 1 Vortex warning '
rare() { printf '{"type":"rare","character_name":"Ann","name":"%s","timestamp":"2026-11-22T13:02:%sZ"}\n' "$1" "$2"; }
send "$(rare "Warrior's Jewel" 01.1)" "$(rare "Warrior's Jewel" 01.9)" "$(rare "Adept's Fervor" 02)"
ok 'a common rare' comes 'Common rare: Ann has discovered the Warrior.s Jewel!'
ok 'a great rare' comes 'Great rare: .* Adept.s Fervor'
is 'each to its channel' "$(accepted 'select(.text | test("rare:")) | .target' | sort | tr '\n' ',')" 'channel 100000000000000001,channel 100000000000000002,'

send '{"type":"vitals","_replay":true,"character_name":"Ann","vitae":0}' '{"type":"rare","_replay":true,"character_name":"Ann","name":"Replayed","timestamp":"2026-01-01T00:00:00Z"}'
send "$(vitals Ann 0)" "$(vitals Ann 5)"         # within five minutes

i=0 crowd=
while [ $i -lt 60 ]; do
	crowd="$crowd Char$i"
	i=$((i + 1))
done
for v in 0 5; do for c in $crowd; do vitals "$c" $v; done; done | at_once
ok 'F57: a storm: all are told' wait_for '[ "$(accepted .text | grep -c "^Char[0-9]* died")" = 60 ]' 20
ok 'F57: in few messages' [ "$(accepted 'select(.text | test("^Char"))| .text[:4]' | wc -l)" -le 4 ]

# many at once fall silent, and come back
tele() { printf '{"type":"telemetry","character_name":"%s","char_tag":"crowd"}\n' "$1"; }
for c in $crowd; do tele "$c"; done | at_once
ok 'disconnected: one message' wait_for 'send "$(tele Ann | tr -d c)"; [ "$(posted "^60 characters are disconnected: .*Char59")" = 1 ]' 30
for c in $crowd; do tele "$c"; done | at_once
ok 'back: one message' comes '^60 characters are back after .*Char59'

# the game server
server() { printf '{"type":"server_status","server":"Coldeve","online":%s}\n' "$1"; }
send "$(server false)"
send "$(server false)" "$(vitals Dora 0)" "$(vitals Dora 5)"
ok 'the game server is down' comes '^The game server Coldeve is down'
like 'rules wait for it' "$(wait_for 'dt-alertd why Dora | grep -q waits' && dt-alertd why Dora)" 'waits: the game server is down since 20'
send "$(server true)" "$(vitals Dora 5)"
ok 'it is back' comes '^The game server is back'
is 'deaths meanwhile are none' "$(posted Dora)" 0

# killed at any moment
for round in 1 2 3; do
	for v in 0 5; do for c in a b c d e; do vitals "Kill$round$c" $v; done; done | dt-send -q
	[ $round != 2 ] || wait_for '[ "$(posted "^Kill2a died")" -ge 1 ]' 20
	kill9 alertd
	for c in f g; do vitals "Kill$round$c" 0; vitals "Kill$round$c" 5; done | dt-send -q
	start alertd dt-alertd
done
ok 'F04: killed at any moment: nothing is forgotten' wait_for '[ "$(accepted .text | grep -o "^Kill[0-9][a-g] died" | sort -u | wc -l)" = 21 ]' 30
# messages that hold a line of an earlier one: a kill between Discord's taking one and the note of it
repeated=$(accepted '.text | select(test("^Kill")) | split("\n") | join(" ")' | awk '{ again = 0; gsub(/ died \(vitae 5%\)/, ""); for (i = 1; i <= NF; i++) again += seen[$i]++ > 0; n += again > 0 } END { print n + 0 }')
ok "F04: and one message a kill is repeated at the most ($repeated)" [ "$repeated" -le 3 ]
is 'F57: the cooldown too is remembered' "$(posted '^Ann died')" 1

# the journal says the same again
send "$(vitals End 0)" "$(vitals End 5)"
ok 'the last' comes '^End died'
same() {
	send "$(vitals End 5)"
	dt-alertd --backtest "$DT_DATA/journal" >"$T/backtest"
	jq -r .text "$T/backtest" | sort -u >"$T/would"
	jq -r .text "$T/discord/accepted" | sed 's/^\(Vortex warning\|Common rare\|Great rare\): //' | sort -u >"$T/did"
	cmp "$T/would" "$T/did"
}
ok 'a backtest is what was posted' wait_for same 20
is 'and says where' "$(jq -r 'select(.rule == "rare-great") | .target' "$T/backtest")" channel:GREAT_RARE_CHANNEL_ID

# every kind of target
everywhere() { printf 'types: chat\nwhen: .text == "everywhere"\nmessage: {{ .text }} by %s\ntitle: %s\ntarget: %s\n' "$1" "$3" "$2" >"$DT_DATA/rules.d/to-$1.rule"; }
everywhere id channel:100000000000000004 Title
everywhere address "webhook:$DISCORD/webhooks/100000000000000008/anothersecret" Title
everywhere other "webhook:$DISCORD_URL/other" Title
everywhere http "$DISCORD_URL/any" "$(printf '%0999dé%09d' 0 0)"
signal HUP alertd
wait_for 'grep -q "read again" "$T/alertd.log"'
send '{"type":"chat","character_name":"Ann","text":"everywhere"}'
to() { accepted "select(.body | tojson | test(\"everywhere by $1\")) | $2"; }
for kind in id address other http; do ok "target: $kind" wait_for "[ -n \"\$(to $kind .target)\" ]" 20; done
is 'a channel by its id' "$(to id '.target, .text' | tr '\n' ' ')" 'channel 100000000000000004 **Title** everywhere by id '
is 'a webhook by its address' "$(to address .target)" 'webhook 100000000000000008'
dt-alertd --check >"$T/check" 2>&1
dt-alertd why Ann >>"$T/check"
dt-alertd --backtest "$DT_DATA/journal" >>"$T/check"
like 'F39: an address is shown by its host' "$(cat "$T/check")" '^to-address: on, to webhook:http://127.0.0.1:[0-9]*/…$'
is 'F39: no secret of a rule is shown by --check, why or a backtest' "$(grep -c 'anothersecret' "$T/check")" 0
is 'others get what a program wants' "$(to other '.target, (.body | del(.at, .key) | tojson)' | tr '\n' ' ')" \
	'/other {"rule":"to-other","cleared":false,"title":"Title","text":"everywhere by other","characters":["Ann"]} '
is 'a title that is too long is cut between characters' "$(to http '.body.title | length')" 999

# on the stream, balance, secrets
dt-tap -1 --from earliest -t alert >"$T/alerts"
is 'alerts are on the stream, one for each character' "$(jq -r 'select(.kind == "death") | .character_name' "$T/alerts" | grep -c '^Char')" 60
balance() {
	jq -e '.metrics | .raised_total == ([.sent_total, .suppressed_total, .dead_total | values | add // 0] | add) + .pending' "$DT_RUN/status/dt-alertd.json" >"$T/balance"
}
ok 'raised = sent + suppressed + pending + dead' wait_for balance
is 'Discord has nothing to say against it' "$(violations)" ''
is 'F39: no secret in the log, the state, the spool, the counters, the journal or the arguments' \
	"$(cat "$T/alertd.log" "$DT_DATA"/alertd/*.ndjson "$DT_DATA"/alertd/spool/* "$DT_RUN"/status/* "$DT_DATA"/journal/*.ndjson "/proc/$(pid_of alertd)/cmdline" | grep -c 'secretsecret\|anothersecret\|test-bot-token')" 0
status 'stops when asked' 0 stop alertd
done_testing
