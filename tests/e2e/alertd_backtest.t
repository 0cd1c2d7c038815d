#!/bin/sh
# What dt-alertd told is what a backtest of the journal tells, message by message: over restarts, kill -9, a storm, compressed segments, a clock that jumps, a gap.
# only: plain
. "$(dirname "$0")/../lib.sh"

rules=$DT_DATA/rules.d
mkdir -p "$rules"
for rule in death disconnect idle rare-common rare-great server vortex; do printf 'enabled: no\ntypes: chat\nmessage: x\ntarget: stream\n' >"$rules/$rule.rule"; done
# a command is handed what a backtest prints
printf '#!/bin/sh\ncat >>"%s"\n' "$T/told" >"$T/take"
chmod +x "$T/take"
: >"$T/told"
rule() { name=$1; shift; printf '%s\n' "$@" "target: command:$T/take" >"$rules/$name.rule"; }
rule dies 'types: vitals' 'when: .vitae > 0' 'on: change' 'cooldown: 5m' 'gather: 1s' 'message: {{ .character_name }} dies at {{ now | floor | tostring | length }}'
rule holds 'types: telemetry' 'when: .vt_state == "idle"' 'for: 200ms' 'silence: 10s' 'cooldown: 5m' 'message: {{ .character_name }} idles for {{ ._for }}, {{ ._at }}'
rule silent 'types: telemetry' 'on: silence' 'for: 2s' 'gather: 1s' 'min: 3' 'back: 1s' 'when: .char_tag == "crowd"' \
	'message: {{ .character_name }}' 'many: {{ .n }} are silent: {{ .names | join(" ") }}' 'cleared: {{ .n }} are back: {{ .names | join(" ") }}, not {{ .missing | join(" ") }}'
rule down 'types: server_status' 'per: .server' 'when: .online == false' 'for: 5m' 'silence: 10m' 'message: down' 'cleared: up after {{ ._for }}'
rule still 'types: telemetry' 'when: .vt_state == "idle"' 'for: 5m' 'silence: 30s' 'message: {{ .character_name }} never'

for faketime in /usr/lib/*/faketime/libfaketime.so.1 ''; do [ ! -e "$faketime" ] || break; done
echo +0 >"$T/clock"
on_clock() { exec env ${faketime:+LD_PRELOAD="$faketime"} FAKETIME_TIMESTAMP_FILE="$T/clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 "$@"; }
clock() { echo "$1" >"$T/clock.new" && mv "$T/clock.new" "$T/clock"; }
fanout() { start fanout on_clock dt-fanout --sync 10 --segment-bytes 4k --compress; }
alertd() { start alertd on_clock dt-alertd; }
send() { printf '%s\n' "$@" | dt-send -q; }
vitals() { printf '{"type":"vitals","character_name":"%s","vitae":%s}\n' "$1" "$2"; }
dies() { vitals "$1" 0; vitals "$1" 5; }
tele() { printf '{"type":"telemetry","character_name":"%s","vt_state":"%s","char_tag":"%s"}\n' "$1" "${2:-hunt}" "${3:-}"; }
crowd() { for c in 01 02 03 04 05 06 07 08 09 10; do tele "Crowd$c" hunt crowd; done | dt-send -q; }
told() { jq -r .text "$T/told" | grep -cE -- "$1"; }
comes() { wait_for "send \"\$(tele Ticker)\"; [ \"\$(told '$1')\" -ge ${2:-1} ]" 20; }
what='{rule,at,key,cleared,title,text,characters}'
same() {
	send "$(tele Ticker)"
	dt-alertd --backtest "$DT_DATA/journal" 2>"$T/backtest.err" | jq -cS "$what" | sort >"$T/would"
	jq -cS "$what" "$T/told" | sort >"$T/did"     # each rule is a target of its own, and targets do not wait for each other
	cmp -s "$T/would" "$T/did"
}
equal() { if wait_for same 20; then pass "$1"; else fail "$1"; diff "$T/would" "$T/did" | sed 's/^/# /' | head -n 20; fi; }

fanout
alertd
send "$(dies Ann)" "$(tele Ann idle)"
crowd
comes '^Ann dies at 10$'
wait_for 'send "$(tele Ann idle)"; [ "$(told "^Ann idles")" = 1 ]'
comes '^10 are silent'
crowd
comes '^10 are back'
equal 'a backtest tells what was told'
for c in $(seq 60); do vitals "Storm$c" 0; done | dt-send -q
for c in $(seq 60); do vitals "Storm$c" 5; done | dt-send -q
comes '^Storm60 dies|Storm60 dies'
equal 'F57: a storm of 60: the same'
is 'F57: each is told once' "$(jq -r 'select(.rule == "dies") | .characters[]' "$T/told" | grep Storm | sort -u | wc -l) $(jq -r 'select(.rule == "dies") | .characters[]' "$T/told" | grep -c Storm)" '60 60'
is 'F57: in few messages' "$([ "$(jq -r 'select(.rule == "dies") | .key' "$T/told" | wc -l)" -le 6 ] && echo few)" few

# restarts
send "$(vitals Bob 0)" "$(tele Bob idle)"
crowd
stop alertd
send "$(vitals Bob 5)" "$(dies Cid)"
alertd
comes 'Cid dies'
kill9 alertd
send "$(dies Dan)"
alertd
comes 'Dan dies'
is 'F57: nothing is forgotten over a restart' "$(told 'Bob dies') $(told 'Cid dies') $(told 'Dan dies')" '1 1 1'
equal 'over a restart and kill -9: the same'
ok 'most segments are compressed by now' wait_for '[ "$(find "$DT_DATA/journal" -name "*.zst" | wc -l)" -ge 3 ]'

# the clock
if [ -n "$faketime" ]; then
	server() { printf '{"type":"server_status","server":"Coldeve","online":%s}\n' "$1"; }
	for c in $(seq 20); do tele "Idle$c" idle; done | dt-send -q
	comes 'Idle20 idles' 0
	send "$(vitals Eve 0)" "$(vitals Fay 0)" "$(server false)"
	comes '^10 are silent' 2                 # nothing is under way when the clock is set
	wait_for '[ "$(metric dt-alertd pending)" = 0 ]'
	before=$(wc -l <"$T/told")
	clock -1h
	send "$(vitals Eve 5)" "$(dies Ann)"
	ok 'F19: an hour back: what happens is told in time' comes 'Eve dies'
	clock +1h
	for c in $(seq 20); do tele "Idle$c" idle; done | dt-send -q
	send "$(server false)" "$(vitals Fay 0)" "$(vitals Fay 5)"
	ok 'F19: two hours forward: likewise' comes 'Fay dies'
	clock +0
	for c in $(seq 20); do tele "Idle$c" idle; done | dt-send -q
	send "$(dies Gus)"
	comes 'Gus dies'
	is 'F19: no storm: nobody is idle or away by the clock alone' "$(told 'never') $(told '^down') $(told '^Ann dies')" '0 0 1'
	is 'F19: and nothing else is told' "$(tail -n +$((before + 1)) "$T/told" | jq -r 'select(.rule == "dies") | .characters[]' | sort | tr '\n' ' ')" 'Eve Fay Gus '
	equal 'F19: a backtest of such a journal: the same'
else
	pass 'F19: the clock # SKIP libfaketime is not installed'
fi

# a gap: what was sent while dt-alertd was away is no longer there
stop alertd
for part in 1 2 3; do for n in $(seq 40); do vitals "Gap$part" "$n"; done | dt-send -q; done        # more than a segment each
send "$(dies Hal)"
stop fanout
last=$(find "$DT_DATA/journal" -name '*.ndjson*' | sort | tail -n 1)
last=${last##*/}
find "$DT_DATA/journal" -name '0*' ! -name "${last%%.*}.*" -delete
: >"$T/told"
what='{rule,at,cleared,title,text,characters}'           # keys have numbers, which go on
fanout
alertd
ok 'a gap is told' wait_for 'grep -q "are no longer in the journal" "$T/alertd.log"'
comes 'Hal dies'
equal 'over a gap: the same'
status 'stops when asked' 0 stop alertd
done_testing
