#!/bin/sh
# --odd passes the gate to the last line, --bad is refused to the last frame, each by its reason.
# shellcheck disable=SC2016 # conditions of wait_for are evaluated later
. "$(dirname "$0")/../lib.sh"

ok 'the bus starts' start fanout dt-fanout
dt-sim -n 30 --seconds 120 >"$T/plain"
dt-sim -n 30 --seconds 120 --odd >"$T/odd"
dt-sim -n 30 --seconds 120 --odd --bad >"$T/bad" 2>"$T/report"

ok 'every line of the plain fleet passes the gate' timeout 240 dt-send <"$T/plain"
ok 'every odd line passes the gate' timeout 240 dt-send <"$T/odd"
wait_for '[ "$(metric dt-fanout events_total)" = "$(cat "$T/plain" "$T/odd" | wc -l)" ]'
is 'and nothing was refused' "$(metric dt-fanout rejected_total | jq 'add // 0')" 0

odd() { ok "odd: $1" grep -qE "$2" "$T/odd"; }
odd 'numbers as strings' '"(kills|mana_max|seq|mem_handles)":"[0-9]'
odd 'thousands commas' '":"[0-9]+,[0-9]{3}"'
odd 'blanks around numbers' '":" [0-9.]+ "'
ok 'odd: no timestamp' sh -c 'grep "\"type\":\"telemetry\"" "$1" | grep -qv "\"timestamp\""' sh "$T/odd"
odd 'a timestamp that is none' '"timestamp":"(yesterday|)"'
odd 'a late one' '"timestamp":"(1970|2024|2025)-'
odd 'a future one' '"timestamp":"(2026-01-0[234]|[3-9][0-9]{3})'
odd 'another zone' '"timestamp":"[^"]*\+02:00"'
odd 'no zone' '"timestamp":"[^"Z+]*:[0-9.]*"'
odd 'unknown types' '"type":"xp_tick"'
odd 'unknown fields' '"plugin_build"'
odd 'reserved names' '"_local"'
odd 'more digits than a double' '123456789012345678901234567890'
odd 'a field twice' '"cpu_pct":[0-9.]+,"cpu_pct":|"kills":[0-9]+,"kills":|"color":[0-9]+,"color":|_max":[0-9]+,"[a-z]+_max":'
odd 'blanks between tokens' '^ \{ "type" : '
odd 'escapes in names' '"character_name":"\\u00'
odd 'the type at the end' '^\{"character_name".*"type":"[a-z_]*"\}$'
odd 'names with a plus' '"character_name":"\+'
odd 'names that are no ASCII' '"character_name":"Æther '

status 'with bad lines among them dt-send says so' 65 sh -c 'timeout 240 dt-send -q <"$1"' sh "$T/bad"
# all of it has been looked at
wait_for '[ $(($(metric dt-fanout events_total) + $(metric dt-fanout rejected_total | jq "add // 0"))) -ge "$(cat "$T/plain" "$T/odd" "$T/bad" | wc -l)" ]'
is 'each bad frame is refused, by its reason' "$(metric dt-fanout rejected_total | jq -cS 'with_entries(select(.value > 0))')" "$(jq -cS .bad "$T/report")"
is 'all kinds were made' "$(jq '[.bad[] | select(. == 0)] | length' "$T/report")" 0
is 'what is legal is kept' "$(metric dt-fanout events_total)" \
    "$(($(cat "$T/plain" "$T/odd" "$T/bad" | wc -l) - $(jq '[.bad[]] | add' "$T/report")))"
done_testing
