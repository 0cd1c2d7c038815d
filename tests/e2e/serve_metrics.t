#!/bin/sh
# /metrics: every daemon is in it, Prometheus takes it, and no label holds the name of a character, whatever is sent.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
warm
start ingest dt-ingest
TREESTATS_BASE=http://127.0.0.1:9 DT_GAME_SERVER=Coldeve DT_GAME_ADDRESS=127.0.0.1:9 start health dt-health --interval 0.1 --misses 1
[ ! -x "$BIN/dt-alertd" ] || start alertd dt-alertd
start_plain store dt-store --sink telemetry -R 9
start_plain goods dt-store --sink inventory -R 9
for p in dt-fanout dt-serve dt-ingest dt-health dt-alertd dt-store dt-store-inventory; do
	[ -x "$BIN/${p%-inventory}" ] || continue
	ok "$p is in it" wait_for "get /metrics | grep -q '^dt_up{program=\"$p\"} 1'"
done

# a character's name in every place where one may stand
name=Zaphodia
socket plugin -H "X-Plugin-Secret: $SHARED_SECRET" "$PORT" /ws/position
say plugin '{"type":"register","character_name":"Zaphodia","char_tags":["Zaphodia"]}' \
    '{"type":"telemetry","character_name":"Zaphodia","session_id":"Zaphodia","ew":1,"ns":2}' \
    '{"type":"Zaphodia","character_name":"Zaphodia"}' '{"type":"chat","character_name":"Zaphodia","text":"Zaphodia"}' '{"type":"vitals","character_name":"Zaphodia","vitae":5}' \
    'Zaphodia' '{"type":"share_vital_update","character_name":"Zaphodia","server":"Zaphodia","tags":["Zaphodia"]}'
browser b
say b '{"type":"subscribe","message_types":["Zaphodia"],"characters":["Zaphodia"]}' '{"player_name":"Zaphodia","command":"Zaphodia"}'
code /character-stats/Zaphodia >"$T/got"
ok 'all of it has been counted' wait_for 'get /metrics | grep -q "^dt_ingest_events_total [4-9]" && [ "$(get "/live?within=3600" | jq .count)" = 1 ] && get /metrics | grep -q "^dt_serve_messages_total [1-9]"'
n=$(metric dt-health probes_total missed)
wait_for '[ "$(metric dt-health probes_total missed)" -gt $((n + 5)) ]'      # status files are a second old at most
get /metrics >"$T/metrics"
unlike 'no label has a name' "$(cat "$T/metrics")" "$name"
like 'the game server is in it' "$(cat "$T/metrics")" '^dt_health_server_up 0$'
like 'its probes' "$(cat "$T/metrics")" '^dt_health_probes_total\{outcome="missed"\} [1-9]'
if command -v promtool >/dev/null; then ok 'promtool is content' sh -c "promtool check metrics <'$T/metrics'"; else pass 'promtool is content # SKIP not installed'; fi
done_testing
