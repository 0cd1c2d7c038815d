#!/bin/sh
# request_dungeon_map: from memory, after a restart from the database, else from a plugin that was last seen there; floods and bad landblocks cost the rest nothing.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"

pg_start
fanout_start
start store dt-store
start ingest dt-ingest
serve_start --map-wait 120
warm
ask() { say "$1" "{\"type\":\"request_dungeon_map\",\"landblock\":\"$2\"}"; }
only_answers() { say "$1" '{"type":"subscribe","message_types":[]}'; hears "$1" subscribed; }
browser b
only_answers b

# ---- memory, then the database
publish '{"type":"dungeon_map","character_name":"A","landblock":"0x0007","name":"Town Network","layers":[{"z":0,"cells":[[0,-60,265,0]]}]}'
ok 'it is stored' wait_for '[ "$(sql "select count(*) from dt.dungeon_maps")" = 1 ]' 20
ask b 7
ok 'from memory' hears b 'Town Network'
stop serve
stop fanout
sed -i '/dungeon_map/d' "$DT_DATA"/journal/*.ndjson    # the journal of the last hour does not have it
rm -f "$DT_DATA"/journal/*.idx
fanout_start
serve_start --map-wait 120
warm
wait_for 'get /metrics | grep -q "^dt_serve_database_up 1"'
browser c
only_answers c
ask c 0007FFFF
ok 'after a restart from the database' hears c '"name": *"Town Network"'
ask c 01E3
ok 'what nobody has is not found' hears c '"landblock":"01E3","found":false'

# ---- a plugin that is there
socket p -H "X-Plugin-Secret: $SHARED_SECRET" "$DT_RUN/ingest.sock" /ws/position
say p '{"type":"telemetry","character_name":"Larsson","landcell":"01E30105","ew":1,"ns":2}'
wait_for 'get /live | grep -q Larsson'
browser d
only_answers d
ask d 01e3
ask d 01E3
ask c 0x01E3
ok 'who was last seen there is asked' hears p '^\{"type":"request_dungeon_map","landblock":"01E3"\}$'
say p '{"type":"dungeon_map","character_name":"Larsson","landblock":"01E30000","name":"Deep","layers":[]}'
ok 'and answers all who wait' eval 'hears c Deep && hears d Deep'
is 'once each, and is asked once' "$(count_of c Deep) $(count_of d Deep) $(count_of p request_dungeon_map)" '1 1 1'
stop serve
serve_start --map-wait 1
warm
browser e
only_answers e
say p '{"type":"telemetry","character_name":"Larsson","landcell":"01E40105","ew":1,"ns":2}'
wait_for 'get /live | grep -q 01E40105'
ask e 01E4
ok 'a plugin that does not answer' hears p '"01E4"'
ok 'is not waited for long' hears e '"landblock":"01E4","found":false'
is 'requests are no events for browsers' "$(count_of b request_dungeon_map)" 0

# ---- floods
browser flood
say flood '!repeat 1000 {"type":"request_dungeon_map","landblock":"%d"}'
hears flood '"code":"too_many"'
browser bad
for block in xyz 123456789 '' 0x "'; drop table dt.dungeon_maps" 00-7; do ask bad "$block"; done
say bad '{"type":"request_dungeon_map"}' '{"type":"request_dungeon_map","landblock":7}'
ok 'F66: bad landblocks are refused' wait_for '[ "$(count_of bad bad_landblock)" = 8 ]'
wait_for '[ "$(metric dt-serve rejected_total bad_landblock)" = 8 ]'
is 'F66: and counted' "$(metric dt-serve rejected_total bad_landblock)" 8
ask e 0007
ok 'the others are answered' wait_for '[ "$(count_of e "Town Network")" = 1 ]'
is 'F66: a flood is answered to its rate' "$(get /healthz >/dev/null; cat "$T/status") $([ "$(count_of flood '"found":')" -lt 200 ] && echo few)" '200 few'
done_testing
