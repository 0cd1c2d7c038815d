#!/bin/sh
# dt-alertd in faults: killed between sending and marking, jq that takes all there is, replays, names as an enemy writes them.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/discord.sh"

discord_start || exit 1
DISCORD_API_BASE=$DISCORD
DISCORD_RARE_BOT_TOKEN=test-bot-token
DISCORD_ACLOG_WEBHOOK=$DISCORD/webhooks/100000000000000009/secretsecret
GREAT_RARE_CHANNEL_ID=100000000000000002
ACLOG_CHANNEL_ID=100000000000000003
export DISCORD_API_BASE DISCORD_RARE_BOT_TOKEN DISCORD_ACLOG_WEBHOOK GREAT_RARE_CHANNEL_ID ACLOG_CHANNEL_ID
rules=$DT_DATA/rules.d
mkdir -p "$rules"
for rule in disconnect idle rare-common server vortex; do printf 'enabled: no\ntypes: chat\nmessage: x\ntarget: stream\n' >"$rules/$rule.rule"; done
for rule in death rare-great; do sed '/^gather:/d' "$ROOT/lib/rule/rules.d/$rule.rule" >"$rules/$rule.rule"; done
send() { printf '%s\n' "$@" | dt-send -q; }
dies() { printf '{"type":"vitals","character_name":"%s","vitae":%s}\n' "$1" 0 "$1" 5; }
rare() { printf '{"type":"rare","character_name":"%s","name":"%s","timestamp":"2026-11-22T13:02:01Z"}\n' "$1" "$2"; }
chat() { printf '{"type":"chat","character_name":"%s","text":"%s"}\n' "$1" "$2"; }
posted() { accepted .text | grep -cE -- "$1"; }
comes() { wait_for "[ \"\$(posted '$1')\" -ge ${2:-1} ]" 20; }
asked() { wait_for "[ \"\$(requests | grep -c '$1')\" -ge ${2:-1} ]" 20; }

start fanout dt-fanout --sync 10
start alertd dt-alertd

# the webhook never got it, the channel has it and its answer is on its way; then the other way round
discord_plays 'only webhooks hang' 'only channels slow 20000'
send "$(dies Ann)" "$(rare Ann "Adept's Fervor")"
asked '^hang webhook'
comes 'Ann has discovered'
kill9 alertd
start alertd dt-alertd
asked '^nonce channel'
comes '^Ann died'
discord_plays 'only webhooks slow 20000' 'only channels hang'
send "$(dies Bob)" "$(rare Bob "Adept's Fervor")"
asked '^hang channel'
comes '^Bob died'
kill9 alertd
start alertd dt-alertd
comes '^Bob died' 2
comes 'Bob has discovered'
send "$(dies Cid)"
comes '^Cid died'
is 'F04: killed between send and mark: what a webhook had not got it has once' "$(posted '^Ann died')" 1
is 'F04: what it had got it has twice at the most' "$(posted '^Bob died')" 2
is 'F04: a channel knows what it has by the nonce' "$(posted 'Ann has discovered')" 1
is 'F04: and gets what it has not' "$(posted 'Bob has discovered')" 1

# names as an enemy writes them
long=$(printf '%010000d' 0 | sed 's/0/\\ud83d\\ude00/g')
send "$(rare Eve '@everyone **x** <@1> `y` ||z||')" "$(rare Eve "$long")" "$(rare Eve ' \u0007\ufeff\u200b ')" "$(dies '@here')"
ok 'F56: @everyone, markdown, 10,000 characters outside the first plane: all are taken' comes '^Great rare: Eve has discovered' 3
ok 'F56: a character called @here' comes '^@here died'
is 'F56: cut by character' "$(accepted 'select(.text | test("😀😀")) | .body.embeds[0].description | (length > 1400), endswith("…"), (explode | all(. < 55296 or . > 57343))' | tr '\n' ' ')" 'true true true '
is 'F56: nobody is pinged' "$(accepted '.body.allowed_mentions | tojson' | sort -u)" '{"parse":[]}'
is 'F56: Discord has nothing to say against any body' "$(violations)" ''

# a replay
n=$(accepted_count)
dt-replay -x max -t vitals,rare "$DT_DATA/journal" | dt-send -q
send "$(dies Fay)"
comes '^Fay died'
is 'F59: what dt-replay puts on the bus raises nothing' "$(accepted_count)" $((n + 1))
is 'F59: though it went by dt-alertd' "$(dt-tap -1 --from earliest -t vitals,rare | grep -c '"_replay":true')" "$(dt-tap -1 --from earliest -t vitals,rare | grep -vc '_replay\|Fay')"

# jq that takes all there is: the rule is off, the others go on, nothing is lost
bomb() { printf 'types: chat\nwhen: if .text == "%s" then %s else false end\nmessage: never\ntarget: stream\n' "$1" "$2" >"$rules/bomb-$1.rule"; }
bomb time 'def f: f; f'
bomb memory '(reduce range(32) as $i ("x"; . + .)) == ""'
bomb stack '(reduce range(300000) as $i (0; [.]) | tojson) == ""'
printf 'types: chat\nmessage: heard {{ .text }}\ntarget: webhook:DISCORD_ACLOG_WEBHOOK\n' >"$rules/hears.rule"
printf 'types: chat\nmessage: {{ env | tojson }}{{ $ENV | tojson }}{{ env.DISCORD_RARE_BOT_TOKEN }}{{ $ENV.PATH }}{{ try input catch "none" }}{{ input_filename }}\ntarget: stream\n' >"$rules/env.rule"
printf 'types: chat\nmessage: {{ [range(100000)] | tojson }}\ntarget: stream\n' >"$rules/huge.rule"

dt-alertd --check >/dev/null && signal HUP alertd
ok 'F58: a rule alone says nothing of what it will take' wait_for 'grep -q "read again" "$T/alertd.log"'
for kind in time memory stack; do
	send "$(chat Gus "$kind")" "$(chat Gus "after $kind")"
	wait_for '! alive alertd' 60
	code=0
	wait "$(pid_of alertd)" || code=$?
	is "F58: $kind: it ends, to be started again" "$code" 75
	like "F58: $kind: and says which rule it was" "$(tail -n 1 "$T/alertd.log")" "error: rule bomb-$kind: its expressions need too much on an event .*; it is off until its file is changed"
	start alertd dt-alertd
	ok "F58: $kind: the others miss nothing" comes "heard after $kind"
	is "F58: $kind: and repeat nothing" "$(posted "^(heard )?$kind|heard $kind")" 1
done
ok 'F58: those that are off are told at the start' [ "$(grep -c 'warning: the rule bomb-.* is off' "$T/alertd.log")" = 6 ]
status 'F58: and by --check' 65 dt-alertd --check
like 'F58: with what to do' "$(cat "$T/out")" '^bomb-time: off, its expressions took too much time or memory on an event; change its file$'
like 'F58: and by why' "$(dt-alertd why Gus)" '^bomb-memory: off, its expressions took'
dt-tap -1 --from earliest -t alert >"$T/alerts"
is 'F58: no environment, no files, no input' "$(jq -r 'select(.kind == "env") | .text' "$T/alerts" | sort -u)" '{}{}none'
is 'F58: a huge text is cut' "$(jq -r 'select(.kind == "huge") | .text | length, .[-1:]' "$T/alerts" | sort -u | tr '\n' ' ')" '1500 … '
for kind in time memory stack; do bomb $kind false; done
signal HUP alertd
ok 'F58: a changed file is taken again' wait_for '[ "$(grep -c "read again" "$T/alertd.log")" = 2 ] && [ "$(find "$DT_DATA/alertd/off" -type f | wc -l)" = 0 ]'
printf 'types: chat\nwhen: include "x"; true\nmessage: x\ntarget: stream\n' >"$rules/bomb-time.rule"
status 'F58: include is no part of an expression' 65 dt-alertd --check "$rules/bomb-time.rule"
bomb stack '(reduce range(300000) as $i (0; [.]) | tojson) == ""'
status 'F58: a backtest ends and names the rule' 65 timeout 60 dt-alertd --backtest "$DT_DATA/journal"
like 'F58: likewise' "$(cat "$T/err")" 'error: rule bomb-stack: its expressions need too much on an event \(its stack\)$'
status 'stops when asked' 0 stop alertd
done_testing
