#!/bin/sh
# Routes of the database: history as JSON, CSV and averages, trails further back than memory, the heat map; and a database that goes and comes back.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"

pg_start
fanout_start
start store dt-store
serve_start
warm

# 40 minutes of one character every 10 s, one point of another, spawns in two cells
base=$(($(date +%s) - 4200))
for i in $(seq 0 239); do
	t=$(date -u -d "@$((base + i * 10))" +%Y-%m-%dT%H:%M:%SZ)
	echo "{\"type\":\"telemetry\",\"character_name\":\"Larsson\",\"timestamp\":\"$t\",\"session_id\":\"s\",\"ew\":$((i % 100)).25,\"ns\":-7.5,\"kills\":$i,\"kills_per_hour\":\"600\",\"vt_state\":\"Hunt, \\\"x\\\"\"}"
done >"$T/walk"
t=$(date -u -d "@$((base + 5))" +%Y-%m-%dT%H:%M:%SZ)
{
	echo "{\"type\":\"telemetry\",\"character_name\":\"Other\",\"timestamp\":\"$t\",\"session_id\":\"s\",\"ew\":1,\"ns\":2,\"z\":0.5,\"kills\":3}"
	for i in 1 2 3; do echo "{\"type\":\"spawn\",\"character_name\":\"Other\",\"mob\":\"Tusker\",\"ew\":\"10.0$i\",\"ns\":\"-3.3\",\"z\":\"0\"}"; done
	echo '{"type":"spawn","character_name":"Other","mob":"Drudge","ew":"20.5","ns":"1"}'
} >>"$T/walk"
dt-send -q <"$T/walk"
wait_for '[ "$(sql "select count(*) from telemetry_events")" = 241 ] && [ "$(sql "select count(*) from spawn_events")" = 4 ]'
wait_for "[ \"\$(code /history)\" = 200 ]"

get '/history' >"$T/h"
is 'history: all of the last day, oldest first' "$(jq -c '[(.data | length), .count, .more, .data[0].character_name, .data[1].character_name, ([.data[].timestamp] | . == sort)]' "$T/h")" '[241,241,false,"Larsson","Other",true]'
is 'numbers are numbers, absent is null' "$(jq -c '.data[1] | [.ew, .ns, .z, .kills, .kills_per_hour, .vt_state]' "$T/h")" '[1,2,0.5,3,null,null]'
is 'text is text' "$(jq -r '.data[0].vt_state' "$T/h")" 'Hunt, "x"'
is 'all columns of the contract' "$(jq -c '.data[0] | [has("timestamp", "character_name", "ew", "ns", "z", "kills", "kills_per_hour", "onlinetime", "deaths", "rares_found", "prismatic_taper_count", "vt_state")] | all' "$T/h")" true
is 'one character' "$(get '/history?character=Other' | jq -c '[.data[].character_name]')" '["Other"]'
is 'nobody' "$(get "/history?character=x'%20or%201=1" | jq -c .)" '{"data":[],"count":0,"more":false,"cursor":null,"step_s":0}'
is 'limit' "$(get '/history?limit=10' | jq -c '[(.data | length), .more]')" '[10,true]'
from=$((base + 100)) to=$((base + 200))
is 'from is in, to is not' "$(get "/history?from=$from&to=$to" | jq -c '[(.data | length), .data[0].kills, .data[-1].kills]')" '[10,10,19]'
from_iso=$(date -u -d "@$from" +%Y-%m-%dT%H:%M:%S+00:00) to_iso=$(date -u -d "@$to" +%Y-%m-%dT%H:%M:%SZ)
is 'ISO times, also with a plus' "$(get "/history?from=$from_iso&to=$to_iso" | jq '.data | length')" 10
get '/history?character=Larsson&limit=2' -H 'Accept: text/csv' >"$T/csv"
is 'CSV' "$(header content-type) $(wc -l <"$T/csv")" 'text/csv; charset=utf-8 3'
like 'its head' "$(head -n 1 "$T/csv")" '^timestamp,character_name,ew,ns,z,kills,'
like 'its quotes' "$(sed -n 2p "$T/csv")" ',"Hunt, ""x""",'
get "/history?character=Larsson&bucket=5m" >"$T/b"
ok 'averages' [ "$(jq '.data | length >= 8 and length <= 9' "$T/b")" = true ]
is 'of counters the last' "$(jq '.data[-1].kills' "$T/b")" 239
is 'of others the mean' "$(jq '[.data[].kills_per_hour] | unique | .[0]' "$T/b")" 600

is 'trails from memory' "$(get '/trails?seconds=1800&character=Larsson' | jq '.trails | length')" 0
get '/trails?seconds=7200&character=Larsson' >"$T/t"
is 'trails from the database' "$(jq -c '[(.trails | length), ([.trails[].timestamp] | . == sort), (.trails[0] | keys)]' "$T/t")" '[240,true,["character_name","ew","ns","timestamp","z"]]'
walk Larsson 55 44
wait_for "[ \"\$(get '/trails?seconds=7200&character=Larsson' | jq '.trails | length')\" = 241 ]"
is 'both, the newest from memory' "$(jq -c '.trails[-1] | [.ew, .ns]' "$T/body")" '[55,44]'
ok 'of all characters by the minute' [ "$(get '/trails?seconds=7200' | jq '(.trails | length | . > 35 and . < 60) and (.trails[-1].ew == 55)')" = true ]
for i in $(seq 0 2499); do
	t=$(date -u -d "@$((base - 78000 + i * 30))" +%Y-%m-%dT%H:%M:%SZ)
	echo "{\"type\":\"telemetry\",\"character_name\":\"Long\",\"timestamp\":\"$t\",\"session_id\":\"s\",\"ew\":1,\"ns\":$i.5}"
done 2>/dev/null | sed 's/"ns":\([0-9]*\)\.5/"ns":0.\1/' | dt-send -q
wait_for '[ "$(sql "select count(*) from telemetry_events where character_name = '"'Long'"'")" = 2500 ]' 20
ok 'never over 2000 points' [ "$(get '/trails?seconds=86400&character=Long' | jq '.trails | length | . > 500 and . <= 2000')" = true ]

# rows that lie far apart: what is between them is not walked through, and nothing of it is missed
for hours in 21 20 19 9 3; do
	for s in 1 8 2001; do
		t=$(date -u -d "@$((base - hours * 3600 + s))" +%Y-%m-%dT%H:%M:%SZ)
		echo "{\"type\":\"telemetry\",\"character_name\":\"Seldom\",\"timestamp\":\"$t\",\"session_id\":\"s\",\"ew\":$hours,\"ns\":$((s % 100))}"
	done
done | dt-send -q
wait_for '[ "$(sql "select count(*) from telemetry_events where character_name = '"'Seldom'"'")" = 15 ]'
for limit in 1 2 7 100000; do
	for who in '' '&character=Seldom'; do
		want=$(sql "select string_agg(ew || ' ' || ns, ',' order by timestamp) from (select * from telemetry_events where ('$who' = '' or character_name = 'Seldom') order by timestamp limit least($limit, 15)) t")
		is "all of 1970 till now, $limit at most$who" "$(get "/history?from=0&limit=$limit$who" | jq -r '[.data[:15][] | "\(.ew) \(.ns)"] | join(",")')" "$want"
	done
done
for bucket in 1m 2m 30m; do
	is "the same by $bucket" "$(get "/history?from=0&character=Seldom&bucket=$bucket" | jq -r '[.data[] | .ew] | unique | join(",")')" 3,9,19,20,21
done

wait_for "[ \"\$(get /spawns/heatmap | jq .total_events)\" = 4 ]"
get /spawns/heatmap >"$T/s"
is 'heat map' "$(jq -c '[.spawn_points, .total_points, .total_events, .hours_window]' "$T/s")" '[[{"ew":10,"ns":-3.3,"intensity":3},{"ew":20.5,"ns":1,"intensity":1}],2,4,24]'
like 'its time' "$(jq -r .timestamp "$T/s")" '^20.*Z$'
is 'of one monster' "$(get '/spawns/heatmap?mob=Drudge&hours=168' | jq -c '[.total_points, .total_events, .hours_window]')" '[1,1,168]'
is 'the fullest' "$(get '/spawns/heatmap?limit=1' | jq -c '[.spawn_points[].intensity, .total_points, .total_events]')" '[3,1,3]'

# the database goes; what is live does not
pg_stop immediate
wait_for "[ \"\$(code /history)\" = 503 ]"
is 'away' "$(jq -r .code "$T/body") $(header retry-after)" 'database_away 5'
is 'what is live goes on' "$(code /live) $(code /trails) $(code /readyz)" '200 200 200'
pg_run
ok 'and is back by itself' wait_for "[ \"\$(code /history)\" = 200 ]" 20
stop store
done_testing
