#!/bin/sh
# dt-alertd --check says where a rule is wrong; without Discord one line says what is off; why; a dry run posts nothing.
# only: plain
. "$(dirname "$0")/../lib.sh"

rules=$DT_DATA/rules.d
mkdir -p "$rules"
status 'the shipped rules are right' 0 dt-alertd --check
is 'all of them' "$(cut -d: -f1 "$T/out" | tr '\n' ' ')" 'death disconnect idle rare-common rare-great server stuck vortex '
like 'what is not configured is off' "$(cat "$T/out")" '^death: off, webhook:DISCORD_ACLOG_WEBHOOK cannot be used: DISCORD_ACLOG_WEBHOOK is not set$'
like 'or off for itself' "$(cat "$T/out")" '^stuck: off \(enabled: no\)$'

printf 'types: vitals\nwhen: .vitae > 0 and\n  (.x }\nmessage: x\ntarget: stream\n' >"$rules/a.rule"
status 'a wrong one' 65 dt-alertd --check
like 'file, line, column' "$(cat "$T/err")" "^dt-alertd: error: $rules/a.rule:3:7: jq does not expect '}' here"
is 'one line' "$(wc -l <"$T/err")" 1
status 'as a file' 65 dt-alertd --check "$rules/a.rule"
printf 'types: vitals\nmessage: x\ntarget: channel:NOPE\n' >"$rules/a.rule"
status 'a wrong target' 65 dt-alertd --check "$rules/a.rule"
like 'is found too' "$(cat "$T/err")" "a.rule:3:9: there is no setting NOPE"
status 'no such file' 65 dt-alertd --check "$T/none.rule"
like 'says so' "$(cat "$T/err")" 'unable to read .*none.rule: No such file'
status 'a name that is none' 65 dt-alertd --check "$T/none.txt"
status 'no such journal' 66 dt-alertd --backtest "$T/nowhere"
status 'why before it ran' 66 dt-alertd why Ann
status 'why whom' 64 dt-alertd why
status 'two at once' 64 dt-alertd --check --dry-run

# files as nobody writes them
hostile() { what=$1 place=$2; status "$what" 65 timeout 60 dt-alertd --check "$rules/a.rule"; like '  says where and what' "$(head -n 1 "$T/err")" "^dt-alertd: error: $rules/a.rule:$place"; }
rest() { printf 'types: vitals\nmessage: x\ntarget: stream\n'; }
nest() { head -c 20000 /dev/zero | tr '\0' "$1"; }
head -c 10000000 /dev/zero | tr '\0' a >"$rules/a.rule"
hostile '10 MB' '1:1: more than 65536 bytes'
{ rest; printf '#\0\n'; } >"$rules/a.rule"
hostile 'a NUL' '1:1: a byte of value 0'
printf 'types: vitals\n\twhen: x\nmessage: x\ntarget: stream\ncooldown: 5\tm\n' >"$rules/a.rule"
hostile 'tabs' '(1|2):[0-9]+: '
for bracket in '(' '[' '{'; do
	{ rest; printf 'when: '; nest "$bracket"; } >"$rules/a.rule"
	hostile "20,000 times $bracket" '4:[0-9]+: '
done
{ rest; printf 'when: '; nest '(' ; printf 1; nest ')'; } >"$rules/a.rule"
hostile 'the same, closed' '4:[0-9]+: '
{ printf 'types: vitals\nmessage: '; nest '{'; printf '\ntarget: stream\n'; } >"$rules/a.rule"
hostile 'a template of braces' '2:[0-9]+: '
printf '\357\273\277# from another system\r\ntypes: chat\r\nwhen:\r\n\t.text == "ping"\r\nmessage: a\r\n\tb\r\ntarget: stream\r\n' >"$rules/a.rule"
status 'a byte order mark and CRLF are fine' 0 dt-alertd --check "$rules/a.rule"
mkdir "$T/many"
seq -f "$T/many/r%.0f.rule" 2000 | xargs touch
status '2,000 rules' 65 timeout 60 dt-alertd --check --rules "$T/many"
like '  are too many' "$(cat "$T/err")" "error: $T/many has 2000 rules, and 1000 are the most: none of them is taken"

printf 'types: chat\nwhen: .text == "ping"\nwhen: .loud\nmessage: {{ .character_name }} pings\ntarget: stream\n' >"$rules/a.rule"
printf 'types: chat\nwhen: .text == "ping"\nmessage: pong\ntarget: command:tee -a %s\n' "$T/pong" >"$rules/b.rule"
start fanout dt-fanout --sync 10
start alertd dt-alertd
is 'what is off is one line' "$(grep -c 'off, since not configured' "$T/alertd.log")" 1
like 'that names all' "$(cat "$T/alertd.log")" 'off, since not configured \(DISCORD_ACLOG_WEBHOOK is not set.*\): death, disconnect, idle, rare-common, rare-great, server, vortex'
start dry dt-alertd --dry-run
send() { printf '%s\n' "$@" | dt-send -q; }
send '{"type":"chat","character_name":"Ann","text":"ping","loud":true}' '{"type":"chat","character_name":"Ann","text":"ping","loud":false}'
ok 'an alert on the stream only' wait_for 'dt-tap -1 --from earliest -t alert | grep -q "\"kind\":\"a\",\"character_name\":\"Ann\",\"text\":\"Ann pings\""'
ok 'a command gets it' wait_for '[ "$(grep -c pong "$T/pong")" = 2 ]'
is 'as JSON' "$(jq -r '.rule + " " + .characters[0]' "$T/pong" | sort -u)" 'b Ann'
ok 'a dry run prints it' wait_for 'grep -q "Ann pings" "$T/dry.out"'
is 'and posts nothing' "$(wc -l <"$T/pong")" 2
wait_for 'dt-alertd why Ann | grep -q "^    false "'
why=$(dt-alertd why Ann)
like 'why: a condition that is true' "$why" '^    true    since 20[^ ]*Z  \.text == "ping"$'
like 'why: one that is not, and since when' "$why" '^    false   since 20[^ ]*Z  \.loud$'
like 'why: somebody unknown' "$(dt-alertd why Nobody)" '^    no event yet$'

printf 'types: chat\nmessage: {{ .text }} {{ .text.x }}\ntarget: stream\n' >"$rules/c.rule"
signal HUP alertd
ok 'reads the rules again' wait_for 'grep -q "read again: 3 are applied" "$T/alertd.log"'
send '{"type":"chat","character_name":"Bob","text":"hi"}'
ok 'an expression that fails is told' wait_for 'grep -q "rule c: an expression fails" "$T/alertd.log"'
echo nonsense >"$rules/c.rule"
signal HUP alertd
ok 'wrong ones are not taken' wait_for 'grep -q "stay as they were" "$T/alertd.log"'
kill9 alertd
echo '{"type":"alertd"' >"$DT_DATA/alertd/state.ndjson"
start alertd dt-alertd
ok 'a damaged state is put aside' [ -s "$DT_DATA/alertd/state.ndjson.bad" ]
send '{"type":"chat","character_name":"Cid","text":"ping","loud":true}'
ok 'and it goes on' wait_for 'dt-tap -1 --from earliest -t alert | grep -q "Cid pings"'
status 'another one at the same time is refused' 75 timeout 100 dt-alertd
done_testing
