#!/bin/sh
# player_offline: 30 seconds after the last telemetry, once for each silence, on the stream; not again after a restart.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

lines() { cat "$DT_DATA"/journal/*.ndjson; }
told() { lines | jq -r 'select(.type == "player_offline") | .character_name' | sort | tr '\n' ' '; }
online() { get /metrics | sed -n 's/^dt_serve_characters_online //p'; }
live() { get /live | jq -r '.players[].character_name' | sort | tr '\n' ' '; }
# is who is live online, and are these among them, and those not?  (On a machine that stands still others may have fallen silent.)
there() { _live=$(live) && [ "$(online)" = "$(echo "$_live" | wc -w)" ] && echo "$_live" | grep -q "$1" && ! echo "$_live" | grep -q "$2"; }
beat() { while :; do walk "$1" 3 4; sleep 0.5; done; }

fanout_start
serve_start
warm
browser b
walk A 1 2
walk B 3 4
publish '{"type":"telemetry","character_name":"R","ew":1,"ns":2,"_replay":true}'
publish '{"type":"vitals","character_name":"V","vitae":0}'
ok 'online' wait_for '[ "$(online)" = 3 ]'
start_plain beat beat B
kill9 serve
serve_start
warm
sleep 10
walk D 1 2
browser c
ok 'A has fallen silent' hears c '"type":"player_offline","timestamp":"[^"]*Z","character_name":"A","last_seen":"[^"]*Z"'
is 'not before 30 seconds' "$(grep '"player_offline".*"A"' "$T/c.out" | jq -c 'def s: sub("\\.[0-9]+Z"; "Z") | fromdate; (._rx | s) - (.last_seen | s) >= 30')" true
like 'it is on the stream' "$(grep player_offline "$T/c.out")" '^\{"_seq":[0-9]+,"_rx":'
is 'its last_seen is when the telemetry came' "$(grep player_offline "$T/c.out" | jq -r .last_seen)" "$(lines | grep -m 1 '"telemetry".*"A"' | jq -r ._rx)"
ok 'B is there, R and V have gone' wait_for 'there B "[ARV]"'
stop serve
serve_start
warm
# the next to fall silent shows that it has looked at all of them
ok 'nothing is told twice after a start, and nothing of R (replayed) or V (no telemetry)' wait_for '[ "$(told)" = "A D " ]'
walk A 1 2
ok 'who comes back is online' wait_for 'walk A 1 2; there A "[DRV]"'
is 'of which nothing is said' "$(told)" 'A D '
done_testing
