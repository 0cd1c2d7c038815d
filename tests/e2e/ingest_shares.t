#!/bin/sh
# Twenty plugins that share at UtilityBelt's rates, spread over two dt-ingest: each share reaches each other plugin once and in its sender's order, and dt-serve counts all as peers.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
start ingest dt-ingest
start second dt-ingest -u "$DT_RUN/second.sock"
serve_start
warm
start_plain sharers "$B/helpers/sharers" 20 0 "ws+unix://$DT_RUN/ingest.sock:/ws/position" "ws+unix://$DT_RUN/second.sock:/ws/position"
ok 'all are peers' wait_for '[ "$(get /vital-sharing/peers | jq .peer_count)" = 20 ]'
is 'with their vitals' "$(get /vital-sharing/peers | jq -c '[.peers[] | .health_percentage, .tags] | unique')" '[86.8,["mage","east"]]'
wait_for '[ "$(cat "$DT_DATA"/journal/*.ndjson | grep -c "\"sent\":[1-9]")" -gt 200 ]'
ok 'they share to the end' stop sharers
is 'nothing is missing or out of order' "$(jq -c '[.missing, .out_of_order, (.deliveries > 1500)]' "$T/sharers.out")" '[0,0,true]'
ok 'who has gone said goodbye' wait_for '[ "$(get /vital-sharing/peers | jq .peer_count)" = 0 ]'
done_testing
