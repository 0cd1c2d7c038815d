#!/bin/sh
# What is told of characters, of spawns and of history, against what jq makes of the same capture; pages, CSV, names of all kinds.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"

pg_start
fanout_start
start store dt-store
serve_start
warm
dt-sim --characters 6 --seed 21 --seconds 900 --rare-rate 300 --start "$(date -u -d '-16 minutes' +%FT%TZ)" |
    grep -v -e '"type":"chat"' -e '"type":"vitals"' -e '"type":"share_' -e inventory >"$T/all"
odd=$(jq -Rnc '{type: "telemetry", character_name: "Jo \"x\" <b>é'"'"'/%2F &", timestamp: (now | todate), session_id: "s", ew: 1, ns: 2, kills: 7}')
echo "$odd" >>"$T/all"
dt-send -q <"$T/all"
sent=$(wc -l <"$T/all")
ok 'all is stored' wait_for "[ \"\$(sql 'select max(seq) from dt.positions')\" = $sent ]" 30
for t in telemetry spawn rare quest combat_stats character_stats equipment_cantrip_state dungeon_map; do grep "\"type\":\"$t\"" "$T/all" >"$T/$t"; done

# both sides as lines, sorted: the file that jq makes of the capture, and what the answer says
same() {
	sort "$T/want" >"$T/want.sorted"
	sort "$T/is" >"$T/is.sorted"
	ok "$1 ($(wc -l <"$T/want") lines)" cmp "$T/want.sorted" "$T/is.sorted"
	[ -s "$T/want" ] || fail "$1: something to compare"
}
each() { jq -r '.character_name' "$T/telemetry" | sort -u; }
path_of() { printf %s "$1" | jq -Rr @uri; }

# ---- totals ----
jq -rs 'group_by(.character_name)[] | [.[0].character_name, ([group_by(.session_id)[] | max_by(.kills).kills] | add), (.[-1].total_deaths // 0 | tonumber),
	(.[-1].prismatic_taper_count // "-" | tostring)] | @tsv' "$T/telemetry" >"$T/want"
get /stats >"$T/stats"
jq -r '.stats[] | [.character_name, .total_kills, .total_deaths, (.prismatic_taper_count // "-" | tostring)] | @tsv' "$T/stats" >"$T/is"
same 'kills, deaths, tapers'
jq -rs 'unique_by([.character_name, .name, .timestamp[:19]]) | group_by(.character_name)[] | [.[0].character_name, length] | @tsv' "$T/rare" >"$T/want"
jq -r '.stats[] | select(.total_rares > 0) | [.character_name, .total_rares] | @tsv' "$T/stats" >"$T/is"
same 'rares counted'
is 'the most kills first' "$(jq -c '[.stats[].total_kills] | . == (sort | reverse)' "$T/stats")" true
is 'sorted by another column' "$(get '/stats?sort=-total_rares' | jq -c '[.stats[].total_rares] | . == (sort | reverse)') $(get '/stats?sort=character_name' | jq -c '[.stats[].character_name] | . == sort')" 'true true'
is 'by pages' "$(for p in 1 2 3 4; do get "/stats?sort=character_name&limit=2&page=$p" | jq -c '[.count, .more]'; done | tr '\n' ' ')" '[2,true] [2,true] [2,true] [1,false] '
is 'the newest telemetry with it' "$(jq -c '.stats[] | select(.latest.session_id == "s") | [.latest.ew, .latest.ns, .latest.kills, .session_id]' "$T/stats")" '[1,2,7,"s"]'
is 'as CSV' "$(get /stats -H 'Accept: text/csv' | head -n 1)" "$(printf 'character_name,total_kills,total_deaths,total_rares,session_rares,prismatic_taper_count,session_id,session_start,latest\r')"
for name in "$(each | head -n 1)" "$(echo "$odd" | jq -r .character_name)"; do
	is "one character: $name" "$(CONTRACT=off get "/stats/$(path_of "$name")" | jq -c --arg n "$name" '.character_name == $n')" true
done
is 'nobody' "$(code /stats/Nobody) $(code "/combat-stats/x'%20or%201=1") $(code /character-stats/Nobody) $(code /equipment-cantrips/Nobody)" '404 404 404 404'

# ---- rares ----
jq -rs 'unique_by([.character_name, .name, .timestamp[:19]])[] | [.timestamp[:23] + "Z", .character_name, .name] | @tsv' "$T/rare" >"$T/want"
get /rares >"$T/rares"
jq -r '.rares[] | [.timestamp, .character_name, .name] | @tsv' "$T/rares" >"$T/is"
same 'rares'
is 'newest first' "$(jq -c '[.rares[].timestamp] | . == (sort | reverse)' "$T/rares")" true
is 'by tier' "$(get '/rares?tier=great' | jq -c '[.rares[].tier] | unique - ["great"]')" '[]'
first=$(jq -r '.rares[0].character_name' "$T/rares")
is 'of one character' "$(get "/rares?character=$(path_of "$first")" | jq -c .count)" "$(jq -c --arg n "$first" '[.rares[] | select(.character_name == $n)] | length' "$T/rares")"
from=$(jq -r '.rares[9].timestamp' "$T/rares") to=$(jq -r '.rares[4].timestamp' "$T/rares")
is 'from is in, to is not' "$(get "/rares?from=$from&to=$to" | jq -c '[.count, .rares[0].id, .rares[-1].id]')" "$(jq -c '[5, .rares[5].id, .rares[9].id]' "$T/rares")"
cursor=
: >"$T/is"
while :; do
	get "/rares?limit=7$cursor" >"$T/page"
	jq -r '.rares[].id' "$T/page" >>"$T/is"
	[ "$(jq .more "$T/page")" = true ] || break
	cursor="&cursor=$(jq -r .cursor "$T/page")"
done
jq -r '.rares[].id' "$T/rares" >"$T/want"
ok 'all pages are the whole, in order' cmp "$T/want" "$T/is"

# ---- the newest of each kind ----
jq -rs 'group_by([.character_name, .quest_name])[] | max_by(.timestamp) | [.character_name, .quest_name, .countdown] | @tsv' "$T/quest" >"$T/want"
get '/quests?limit=10000' | jq -r '.quests[] | [.character_name, .quest_name, .countdown] | @tsv' >"$T/is"
same 'quests'
is 'of one character' "$(get "/quests/$(path_of "$first")" | jq -c --arg n "$first" '[(.quests | length > 0), all(.quests[]; .character_name == $n)]')" '[true,true]'
jq -rsc 'group_by(.character_name)[] | max_by(.timestamp) | del(.timestamp) | tojson | fromjson | [.character_name, (.items | map(.name, .state)), (.items | length)]' "$T/equipment_cantrip_state" >"$T/want"
each | while read -r n; do CONTRACT=off get "/equipment-cantrips/$(path_of "$n")" | jq -c 'select(.received_at != null) | [.character_name, (.items | map(.name, .state)), (.items | length)]'; done >"$T/is"
same 'equipment cantrips'
jq -rsc 'group_by(.character_name)[] | max_by(.timestamp) | [.character_name, .level, .total_xp, .skills, .attribs, .titles, .timestamp]' "$T/character_stats" | jq -cS . >"$T/want"
each | while read -r n; do CONTRACT=off get "/character-stats/$(path_of "$n")" | jq -cS 'select(.received_at != null) | [.character_name, .level, .total_xp, .skills, .attribs, .titles, .timestamp]'; done >"$T/is"
same 'character stats'
jq -rsc 'group_by(.landblock)[] | max_by(.timestamp) | [.landblock, .layers]' "$T/dungeon_map" >"$T/want"
jq -r .landblock "$T/dungeon_map" | sort -u | while read -r b; do get "/dungeon-map/0x$b" | jq -c '[.landblock, .layers]'; done >"$T/is"
same 'dungeon maps'

# ---- combat ----
jq -cs 'group_by(.character_name)[] | max_by(.timestamp)' "$T/combat_stats" | jq -cS . >"$T/want"
jq -r .character_name "$T/combat_stats" | sort -u | while read -r n; do get "/combat-stats/$(path_of "$n")" >"$T/combat.$n"; jq -cS .session "$T/combat.$n"; done >"$T/is"
same 'combat of the session, as sent'
jq -cs 'group_by([.character_name, .session_id])[] | max_by(.timestamp) | {n: .character_name, t: .totals}' "$T/combat_stats" |
    jq -rs 'group_by(.n)[] | [.[0].n, (map(.t.kills) | add), (map(.t.damage_given) | add), (map(.t.damage_received) | add)] | @tsv' >"$T/want"
get /combat-stats | jq -r '.characters[] | [.character_name, .kills, .damage_given, .damage_received] | @tsv' >"$T/is"
same 'combat of a lifetime'
for f in "$T"/combat.*; do jq -r '[.character_name, .lifetime.totals.kills, .lifetime.totals.damage_given, .lifetime.totals.damage_received] | @tsv' "$f"; done >"$T/is"
same 'the same in each character'\''s own'
is 'by pages' "$(get '/combat-stats?limit=2' | jq -r .cursor >"$T/c"; get "/combat-stats?limit=1&cursor=$(path_of "$(cat "$T/c")")" | jq -r '.characters[0].character_name')" "$(get /combat-stats | jq -r '.characters[2].character_name')"

# ---- history ----
jq -r '[(.timestamp[:23] | sub("Z$"; ".000") | sub("(?<t>:[0-9][0-9])$"; "\(.t).000")), .character_name, (.kills | tonumber)] | @tsv' "$T/telemetry" | sort -u >"$T/want"
get '/history?limit=1000000' | jq -r '.data[] | [.timestamp[:23], .character_name, .kills] | @tsv' >"$T/is"
same 'history, every row'
cursor=
: >"$T/pages"
while :; do
	get "/history?limit=700$cursor" >"$T/page"
	jq -r '.data[] | [.timestamp[:23], .character_name, .kills] | @tsv' "$T/page" >>"$T/pages"
	[ "$(jq .more "$T/page")" = true ] || break
	cursor="&cursor=$(jq -r .cursor "$T/page")"
done
ok 'by pages, in the same order' cmp "$T/pages" "$T/is"
get "/history?bucket=1m&character=$(path_of "$first")" >"$T/b"
jq -rs --arg n "$first" '[.[] | select(.character_name == $n)] | group_by(.timestamp[:16])[] | [.[0].timestamp[:16], .[-1].kills, (map(.kills_per_hour | tonumber) | add / length | round)] | @tsv' "$T/telemetry" >"$T/want"
jq -r '.data[] | [.timestamp[:16], .kills, (.kills_per_hour | round)] | @tsv' "$T/b" >"$T/is"
same 'by minutes: counters as last, rates as means'
is 'a step of its own' "$(get '/history?bucket=auto' | jq -c .step_s) $(get '/history?bucket=2m' | jq -c '[.step_s, ([.data[].timestamp[14:16] | tonumber % 2] | add)]')" '60 [120,0]'
is 'CSV has the same rows' "$(get '/history?limit=1000000' -H 'Accept: text/csv' | sed 1d | wc -l)" "$(wc -l <"$T/telemetry")"

get '/history?limit=1000000' -H 'Accept-Encoding: gzip' >"$T/zipped"
is 'a long answer is compressed on its way' "$(header content-encoding) $(header transfer-encoding) $(gunzip -c <"$T/zipped" | jq .count)" "gzip chunked $(wc -l <"$T/telemetry")"

# ---- spawns ----
sql "select round(ew * 10)::int, round(ns * 10)::int, count(*) from spawn_events group by 1, 2" | tr '|' ' ' >"$T/want"
wait_for "[ \"\$(get /spawns/heatmap | jq .total_events)\" = $(wc -l <"$T/spawn") ]"
get /spawns/heatmap | jq -r '.spawn_points[] | "\(.ew * 10 | round) \(.ns * 10 | round) \(.intensity)"' >"$T/is"
same 'heat map'
mob=$(jq -rs 'group_by(.mob) | max_by(length)[0].mob' "$T/spawn")
is 'of one monster' "$(get "/spawns/heatmap?mob=$(path_of "$mob")" | jq .total_events)" "$(jq -s --arg m "$mob" '[.[] | select(.mob == $m)] | length' "$T/spawn")"
is 'of none' "$(get "/spawns/heatmap?mob='%3B%20drop%20table%20x--" | jq -c '[.spawn_points, .total_events]')" '[[],0]'
dt-send -q <"$T/spawn"                   # the same again: they are there already
wait_for "[ \"\$(sql 'select max(seq) from dt.positions')\" = $((sent + $(wc -l <"$T/spawn"))) ]"
stop serve
serve_start
warm
wait_for '[ "$(code /spawns/heatmap)" = 200 ]'
is 'nothing counts twice, not after a restart either' "$(get /spawns/heatmap | jq .total_events)" "$(wc -l <"$T/spawn")"
head -n 3 "$T/spawn" | jq -c --arg t "$(now)" '.timestamp = $t' | dt-send -q
ok 'new ones do' wait_for "[ \"\$(get /spawns/heatmap | jq .total_events)\" = $(($(wc -l <"$T/spawn") + 3)) ]"
stop store
done_testing
