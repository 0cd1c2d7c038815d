#!/bin/sh
# dt-store keeps the newest of character_stats (merged), quests, worn equipment, dungeon maps and the server's state; nothing of nearby_objects.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

# event TYPE NAME SECONDS FIELDS
event() { printf '{"type":"%s","character_name":"%s","timestamp":"%s",%s}\n' "$1" "$2" "$(at "$3")" "$4"; }
# ask QUERY PARAMETERS: as dt-serve does
ask() { sql "prepare p as $(cat "$ROOT/sql/queries/$1.sql") execute p($2)"; }
stats() { ask character_stats "'$1'"; }

{
	event character_stats Larsson -600 '"name":"Larsson","server":"Coldeve","level":275,"total_xp":191226310247,"luminance_earned":9223372036854775807,"attribs":{"strength":{"base":200}},"monarch":{"name":"Borelean","race":2},"patron":{"name":"Zoli"},"vassals":[{"name":"Fabel"}],"birth":"2/14/2019 8:40:12 PM","odd":"7.0","x":12345678901234567890123'
	event character_stats Larsson -500 '"name":"Larsson","server":"Coldeve","timestamp_":1'
	event character_stats Stub -600 '"name":"Stub","server":"Coldeve","level":3,"monarch":{"name":"Borelean"}'
	event character_stats Stub -500 '"version":2,"name":"Stub","server":"Leafcull"'
	event character_stats Left -600 '"level":3,"monarch":{"name":"Borelean"},"patron":{"name":"Zoli"},"vassals":[],"rank":2'
	event character_stats Left -500 '"level":4,"monarch":null,"patron":{"name":"??"}'
	event character_stats Alias -600 '"level":3,"attribs":{"self":{"base":1}}'
	event character_stats Alias -500 '"level":3,"attributes":{"self":{"base":2}}'
	event character_stats Order -500 '"level":5,"rank":1'
	event character_stats Order -600 '"level":4,"rank":9,"gender":"Male"'
	event quest Larsson -600 '"quest_name":"Stipend Collection Timer","countdown":"6d 4h 12m","flag":"StipendTimer","solves":"3","max_solves":-1,"repeat_s":604800'
	event quest Larsson -590 '"quest_name":"Stipend Collection Timer","countdown":"6d 4h 11m"'
	event quest Larsson -595 '"quest_name":"Stipend Collection Timer","countdown":"9d","flag":"StipendTimer","solves":"3"'
	event quest Larsson -600 '"quest_name":"Bob'"'"'s \"<b>Ünique\"","countdown":"READY"'
	event quest Larsson -600 '"quest_name":"Some Day","countdown":"some day"'
	event equipment_cantrip_state Larsson -600 '"items":[{"item_id":-1,"state":"Active","spells":[6079]}],"cantrips":[]'
	event equipment_cantrip_state Larsson -590 '"items":[{"item_id":-2,"state":"NotActive","spells":[]}]'
	event equipment_cantrip_state Larsson -595 '"items":[]'
	event dungeon_map Larsson -600 '"landblock":"0007FFFF","name":"Old Network","layers":[]'
	event dungeon_map Larsson -590 '"landblock":"0x0007","name":"Town Network","layers":[{"z":-6,"cells":[[10,-70,412,180]]}]'
	event dungeon_map Larsson -595 '"landblock":7,"name":"Older","layers":[]'
	event dungeon_map Larsson -590 '"landblock":"1e3","layers":[]'
	printf '{"type":"server_status","timestamp":"%s","server":"Coldeve","online":true,"latency_ms":41,"player_count":312,"uptime_s":903211,"last_checked":"%s"}\n' "$(at -60)" "$(at -60)"
	printf '{"type":"server_status","timestamp":"%s","server":"Coldeve","online":false}\n' "$(at -90)"
	event nearby_objects Larsson -10 '"landcell":"A9B40019","objects":[]'
} >"$T/events"
put <"$T/events"
today=$(sed -n '1s/.*"_rx":"\([0-9-]*\)T.*/\1/p' "$T/put")
ok 'stored' store --rows 100
is 'nothing is put aside' "$(sql 'select reason from dead_letters')" ''

is 'character_stats whole, with all digits' "$(stats Larsson | grep -oE '191226310247|9223372036854775807|12345678901234567890123|"odd": "7.0"' | LC_ALL=C sort | tr '\n' ' ')" \
    '"odd": "7.0" 12345678901234567890123 191226310247 9223372036854775807 '
is 'with when it was received' "$(stats Larsson | jq -r .received_at | cut -c1-10)" "$today"
is 'without our own names' "$(stats Larsson | jq -c 'keys | map(select(startswith("_")))')" '[]'
is 'an upload without an allegiance takes it away' "$(stats Larsson | jq -c '[.level, .monarch, .patron, .vassals, .timestamp_]')" '[275,null,null,null,1]'
is 'a stub takes nothing away' "$(stats Stub | jq -c '[.server, .level, .monarch.name]')" '["Leafcull",3,"Borelean"]'
is 'null is none; a patron ?? is not believed' "$(stats Left | jq -c '[.level, has("monarch"), .patron.name, has("vassals"), .rank]')" '[4,false,"Zoli",false,2]'
is 'attributes is attribs' "$(stats Alias | jq -c '[.attribs, .attributes.self.base]')" '[null,2]'
is 'an older upload changes nothing' "$(stats Order | jq -c '[.level, .rank, .gender]')" '[5,1,null]'
is 'nobody' "$(stats Nobody)" ''

is 'the newest timer' "$(sql "select countdown, seconds, flag, ready_at > now() from quests where quest_name like 'Stip%'")" '6d 4h 11m|533460||t'
is 'ready' "$(sql "select quest_name, seconds from quests where countdown = 'READY'")" "Bob's \"<b>Ünique\"|0"
is 'one that is not understood' "$(sql "select seconds is null from quests where countdown = 'some day'")" t
is 'quests of one' "$(ask serve_quests "'Larsson', 100, 0" | cut -d'|' -f2)" "Bob's \"<b>Ünique\"
Some Day
Stipend Collection Timer"
is 'worn equipment' "$(ask serve_equipment_cantrips "'Larsson'" | jq -c '.items[0].item_id')" -2
is 'dungeon maps by landblock' "$(sql 'select landblock, name from dungeon_maps order by 1')" '0007|Town Network
01E3|'
is 'the map as sent, its landblock as four digits' "$(ask dungeon_map "'0007'" | jq -c '[.landblock, .layers[0].cells[0]]')" '["0007",[10,-70,412,180]]'
is 'the server' "$(sql 'select server, online, latency_ms, player_count, uptime_s, last_checked = "timestamp" from server_status')" 'Coldeve|t|41|312|903211|t'
is 'the server as sent' "$(sql "$(cat "$ROOT/sql/queries/server_status.sql")" | cut -d'|' -f1 | jq .player_count)" 312

# totals: the newest count of tapers, the rares of the current session
{
	telemetry Larsson -400 1 ',"prismatic_taper_count":"8,712"'
	event rare Larsson -390 '"name":"First Gem"'
	SESSION=s2 telemetry Larsson -300 2 ',"prismatic_taper_count":"8000"'
	telemetry Larsson -350 1 ',"prismatic_taper_count":"9999"'
	SESSION=s2 telemetry Larsson -290 2
	event rare Larsson -280 '"name":"Second Gem"'
	event rare Larsson -300 '"name":"Third Gem"'
	SESSION=s9 telemetry Larsson -100 7 ',"prismatic_taper_count":"5","_replay":true'
} | put
store --rows 1
is 'stats' "$(ask serve_stats "'Larsson', 'character_name', 1, 1, 0" | cut -d'|' -f 1-7)" 'Larsson|3|0|3|2|8000|s2'
is 'rares of each session' "$(sql 'select session_id, session_rares from rare_stats_sessions order by 1')" 's1|1
s2|2'

# again, and what is none
all() { sql 'select character_id, at, event from dt.character_stats order by 1'; sql 'select character_id, quest_name, at, countdown, flag from dt.quests order by 1, 2'; sql 'select event from equipment_cantrip_state'; sql 'select event from dungeon_maps order by landblock'; }
first=$(all)
put <"$T/events"
store
is 'the same events again' "$(all)" "$first"
{
	event quest Larsson -1 '"countdown":"ready"'
	event quest Larsson -1 '"quest_name":"Q","countdown":{}'
	event quest Larsson -1 '"quest_name":"Q","countdown":"99999999999999d"'
	event dungeon_map Larsson -1 '"landblock":"xyz","layers":[]'
	event dungeon_map Larsson -1 '"landblock":"01E3","layers":7'
	event equipment_cantrip_state Larsson -1 '"items":{}'
	event character_stats '' -1 '"level":1'
	event character_stats Larsson -1 '"level":1e99999999'
	event equipment_cantrip_state Larsson -1 '"items":[1e99999999]'
	echo '{"type":"server_status","latency_ms":1e300}'
	event quest Larsson -1 '"quest_name":"Last","countdown":"1s"'
} | put
ok 'odd events do not stop it' store
is 'why they are put aside' "$(sql "select regexp_replace(reason, 'database: .*', 'database') from dead_letters order by seq")" 'no_name
bad_shape: no countdown
bad_shape: landblock is none
bad_shape: layers is not an array
bad_shape: items is not an array
no_character
database
database
out_of_range'
is 'the others are stored' "$(sql "select quest_name, seconds from quests where quest_name in ('Q', 'Last') order by 1")" 'Last|1
Q|'
done_testing
