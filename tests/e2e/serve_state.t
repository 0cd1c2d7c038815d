#!/bin/sh
# State that is kept in memory: peers that share vitals, the game server, dungeon maps; answers that are asked for again, compressed and cached.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
serve_start
warm

# ---- peers ----
is 'nobody shares' "$(get /vital-sharing/peers)" '{"peers":[],"peer_count":0}'
# again and again: who is silent for a quarter of a minute is no peer any more
share() {
	publish '{"type":"share_vital_update","character_name":"B \"x\"","tags":["mage","east"],"health_current":296,"health_max":341,"stamina_current":388,"stamina_max":416,"mana_current":601,"mana_max":646}' \
	    '{"type":"share_position_update","character_name":"B \"x\"","ew":33.58,"ns":42.11,"z":94}' \
	    "$@"
}
wait_for "share '{\"type\":\"share_cast_attempt\",\"character_name\":\"A\",\"spell_id\":4473}'; [ \"\$(get /vital-sharing/peers | jq .peer_count)\" = 2 ]"
is 'peers, by name' "$(jq -c '.peers[1] | [.character_name, .health_percentage, .stamina_percentage, .mana_percentage, .ns, .ew, .z, .tags, (.age_s < 15)]' "$T/body")" \
    '["B \"x\"",86.8,93.27,93.03,42.11,33.58,94,["mage","east"],true]'
is 'what is not known is null' "$(jq -c '.peers[0] | [.character_name, .health_percentage, .ns, .tags]' "$T/body")" '["A",null,null,[]]'
publish '{"type":"share_goodbye","character_name":"A"}'
ok 'who says goodbye is gone' wait_for "share; [ \"\$(get /vital-sharing/peers | jq -c '[.peers[].character_name]')\" = '[\"B \\\"x\\\"\"]' ]"

# ---- the game server ----
is 'nothing is known of the server' "$(get /server-health | jq -c '[.status, .server_name, .age_s]')" '["unknown",null,null]'
checked=$(date -u -d '-90 seconds' +%Y-%m-%dT%H:%M:%SZ)
publish "{\"type\":\"server_status\",\"timestamp\":\"$(now)\",\"server\":\"Coldeve\",\"online\":true,\"latency_ms\":41,\"player_count\":312,\"uptime_s\":903211,\"last_checked\":\"$checked\"}"
wait_for "[ \"\$(get /server-health | jq -r .status)\" = up ]"
is 'the newest word' "$(jq -c '[.server_name, .server_address, .latency_ms, .player_count, .uptime_seconds, (.last_check[:19] + "Z" == $t), (.age_s >= 90 and .age_s < 300)]' --arg t "$checked" "$T/body")" '["Coldeve",null,41,312,903211,true,true]'
publish '{"type":"server_status","server":"Coldeve","online":false}'
ok 'down' wait_for "[ \"\$(get /server-health | jq -c '[.status, .player_count]')\" = '[\"down\",null]' ]"

# ---- dungeon maps ----
is 'none is cached, and no database' "$(code /dungeon-map/0007) $(jq -r .code "$T/body")" '503 database_away'
publish '{"type":"dungeon_map","character_name":"A","landblock":"0007","layers":[{"z":0,"cells":[[0,-60,265,0]]}]}'
wait_for '[ "$(code /dungeon-map/0007)" = 200 ]'
for as in 7 0x0007 00070000 0007ffff 0X7 0007; do is "a landblock as $as" "$(get /dungeon-map/$as | jq -c '[.landblock, .layers[0].cells[0][2], has("_seq")]')" '["0007",265,false]'; done
for bad in xyz 123456789 0x -1 ' ' '7/8'; do is "no landblock: $bad" "$(CONTRACT=off code "/dungeon-map/$(printf %s "$bad" | jq -Rr @uri)") $(jq -r .error "$T/body" | grep -o '"landblock"')" '400 "landblock"'; done

# ---- asked for again ----
walk Larsson 1 2
wait_for "[ \"\$(get '/live?within=3600' | jq .count)\" = 1 ]"
publish '{"type":"share_goodbye","character_name":"B \"x\""}'
for path in /portals /api-version /dungeon-map/7 '/trails?seconds=60'; do
	get "$path" >"$T/once"
	tag=$(header etag)
	like "$path has an ETag" "$tag" '^W/"[0-9a-f]+"$'
	is "$path: not modified" "$(code "$path" -H "If-None-Match: $tag") $(wc -c <"$T/body") $(header etag)" "304 0 $tag"
	is "$path: modified" "$(code "$path" -H 'If-None-Match: "other", W/"0"')" 200
done
get /live >"$T/once"
tag=$(header etag)
walk Larsson 3 4
wait_for "[ \"\$(get '/live?within=3600' | jq -c '.players[0].ew')\" = 3 ]"
is 'what has changed is sent again' "$(code /live -H "If-None-Match: $tag")" 200
is 'one answer for all who ask at the same time' "$(get /live -H 'If-None-Match: *' >/dev/null; cat "$T/status")" 304
for i in Larsson $(seq 40); do echo "{\"type\":\"telemetry\",\"character_name\":\"$i\",\"session_id\":\"s\",\"ew\":3,\"ns\":4}"; done >"$T/crowd"
crowd() { while :; do dt-send -q <"$T/crowd"; sleep 1; done; }      # lest one of them falls silent
start_plain crowd crowd
ok 'many are there' wait_for "[ \"\$(get /live | jq .count)\" = 41 ]"
get /live -H 'Accept-Encoding: gzip' >"$T/zipped"
is 'compressed' "$(header content-encoding) $(gunzip -c <"$T/zipped" | jq .count)" 'gzip 41'
is 'not compressed for who does not take it' "$(get /live -H 'Accept-Encoding: gzip;q=0' | jq .count)$(header content-encoding)" 41
like 'and caches are told' "$(header vary)" 'accept-encoding'
is 'the head alone' "$(code /live -I)" 200
like 'of the right length' "$(header content-length)" '^[0-9]{4,}$'
is 'other spans are answers of their own' "$(get '/live?within=3600' | jq .count)" 41
stop crowd

# ---- methods, paths, parameters ----
is 'a method that is not there' "$(code /vital-sharing/peers -X DELETE) $(header allow)" '405 GET, HEAD'
is 'several methods' "$(CONTRACT=off code /issues -X PUT -d x) $(header allow)" '405 GET, HEAD, POST'
is 'no such path' "$(CONTRACT=off code /dungeon-map) $(CONTRACT=off code /stats/) $(CONTRACT=off code /nothing)" '404 404 404'
for path in '/server-health?x=1' '/vital-sharing/peers?limit=1' '/dungeon-map/7?x=' '/stats?sort=x' '/stats?limit=0' '/stats?limit=10001' '/stats?page=-1' '/rares?tier=rare' '/rares?from=2' \
    '/rares?from=2026-02-30x' '/rares?cursor=x' '/rares?cursor=1-' '/quests?limit=1e3' '/history?bucket=7' '/history?bucket=0m' '/history?bucket=auto1' '/history?limit=1000001' \
    '/history?cursor=1-99999999999' '/history?from=1600-01-01T00:00:00Z' '/spawns/heatmap?hours=1e9' '/spawns/heatmap?hours=169' '/spawns/heatmap?limit=50001' '/spawns/heatmap?mob=' '/combat-stats?cursor=' \
    '/history?from=200&to=100' '/rares?from=200&to=100' '/live?within=0' '/live?within=30&within=30'; do
	got=$(code "$path")
	name=$(printf %s "$path" | sed 's/.*[?&]\([a-z]*\)=.*/\1/')
	[ "$path" = '/rares?from=2' ] && { is "$path is fine" "$got" 503; continue; }
	case $path in *from=200*) name=from ;; esac
	is "$path" "$got $(jq -r .code "$T/body") $(jq -r .error "$T/body" | grep -o "\"$name\"" | head -n 1)" "400 bad_parameter \"$name\""
done
long=$(printf '%0129d' 0)
is 'a name that is too long' "$(CONTRACT=off code "/stats/$long") $(CONTRACT=off code "/history?character=$long")" '400 400'
is 'without a database' "$(for p in /stats /rares /quests /history /combat-stats /spawns/heatmap /issues /stats/x /character-stats/x; do code $p; header retry-after; done | sort | uniq -c | tr -s ' \n' ' ')" ' 9 5 9 503 '
done_testing
