#!/bin/sh
# player_offline: 30 seconds after the last telemetry, once for each silence, on the stream; not again after a restart.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

lines() { cat "$DT_DATA"/journal/*.ndjson; }
told() { lines | jq -r 'select(.type == "player_offline") | .character_name' | sort | tr '\n' ' '; }
online() { get /metrics | sed -n 's/^dt_serve_characters_online //p'; }

fanout_start
serve_start
warm
browser b
walk A 1 2
walk B 3 4
publish '{"type":"telemetry","character_name":"R","ew":1,"ns":2,"_replay":true}'
publish '{"type":"vitals","character_name":"V","vitae":0}'
wait_for '[ "$(online)" = 3 ]'
is 'online' "$(online)" 3
_from=$(date +%s)
kill9 serve                  # and is not there for a while
sleep 20
serve_start
warm
while [ $(($(date +%s) - _from)) -lt 26 ]; do walk B 3 4; sleep 0.5; done
is 'not before 30 seconds' "$(told)" ''
browser c
ok 'A has fallen silent' hears c '"type":"player_offline","timestamp":"[^"]*Z","character_name":"A","last_seen":"[^"]*Z"' 20
like 'it is on the stream' "$(grep player_offline "$T/c.out")" '^\{"_seq":[0-9]+,"_rx":'
is 'its last_seen is when the telemetry came' "$(grep player_offline "$T/c.out" | jq -r .last_seen)" "$(lines | grep -m 1 '"telemetry".*"A"' | jq -r ._rx)"
ok 'B is there, R and V have gone' wait_for '[ "$(online)" = 1 ]'
walk A 1 2
ok 'who comes back is online' wait_for '[ "$(online)" = 2 ]'
stop serve
serve_start
warm
sleep 4                      # longer than it waits after a start
is 'nothing is told twice, and nothing of R (replayed) or V (no telemetry)' "$(told)" 'A '
done_testing
