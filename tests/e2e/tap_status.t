#!/bin/sh
# dt-tap -S: a table of what the programs report of themselves, live, silent, stopped and gone ones.
. "$(dirname "$0")/../lib.sh"

status "nobody has reported" 69 dt-tap -S
like "  is said" "$(cat "$T/err")" "^dt-tap: error: no program has reported anything in $DT_RUN/status: is the tracker up\?"

start fanout dt-fanout
printf '{"type":"a"}\nnope\n{"type":"b","_seq":1}\n[]\n{"type":"c"}\n' | dt-send -q 2>/dev/null
ok "the counters are written" wait_for '[ "$(metric dt-fanout events_total)" = 2 ]'
# silent is who has not written for a while: it may have stood still
ok 'who writes is up' wait_for 'dt-tap -S | grep -q "^dt-fanout  *up "'
status "-S" 0 dt-tap -S
like "  a head" "$(head -n 1 "$T/out")" '^PROGRAM  *STATE  *SINCE  *EVENTS  *REJECTED  *LAG  *VERSION$'
like "  a row: state, events, rejected" "$(sed -n 2p "$T/out")" '^dt-fanout  *(up|silent)  *[0-9]+[smh]  *2  *3 '
like "  rejected by reason" "$(cat "$T/out")" '^  rejected_total  *reserved  *1$'
like "  rejected by reason" "$(cat "$T/out")" '^  rejected_total  *not_json  *1$'
unlike "  nothing that is zero" "$(cat "$T/out")" ' 0$'
status "--json" 0 dt-tap -S --json
is "  the lines as they are" "$(jq -r '.program, .metrics.events_total' "$T/out" | tr '\n' ' ')" "dt-fanout 2 "

state_of() { dt-tap -S | awk -v p="$1" '$1 == p && NF > 5 { print $2 }'; }
kill9 fanout
is "killed: gone" "$(state_of dt-fanout)" gone
start fanout dt-fanout
ok "again: up" wait_for '[ "$(state_of dt-fanout)" = up ]'
stop fanout
is "stopped" "$(state_of dt-fanout)" stopped
cat >"$DT_RUN/status/dt-made-up.json" <<E2
{"program":"dt-made-up","pid":$$,"version":"1-x","started":"2026-01-01T00:00:00Z","at":"2026-01-02T00:00:00Z","stopped":false,"metrics":{"frames_total":1234567,"rejected_total":{},"lag_events":12,"ratio":0.5}}
E2
is "one that hangs: silent" "$(state_of dt-made-up)" silent
like "thousands, and the lag" "$(dt-tap -S | grep '^dt-made-up ')" ' 1,234,567  *0  *12  1-x$'
echo 'nonsense' >"$DT_RUN/status/dt-broken.json"
: >"$DT_RUN/status/dt-empty.json"
status "a broken report costs itself" 0 dt-tap -S
like "  and is told" "$(cat "$T/err")" '^dt-tap: warning: dt-broken.json: '
like "  the others are there" "$(cat "$T/out")" '^dt-made-up '
code=0
dt-tap -S >/dev/full 2>"$T/err" || code=$?
is "a full device" "$code" 74
done_testing
