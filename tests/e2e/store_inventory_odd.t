#!/bin/sh
# dt-store --sink inventory with odd items, items that the database refuses, replays and captures, and facts that are read again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1
inventory_db
reasons() { isql "select reason, count(*) from dead_letters where seq > $1 group by 1 order by 1"; }

# ---- ids and numbers at their edges ----
{
	snapshot Edge -900 "$(item -2147483648 a 1)" "$(item 2147483647 b 1)" "$(item 4294967295 c 1)" "$(item '"-2"' d 1)" "$(item '" 4,294,967,293 "' e 1)" \
	    "$(item 0 zero 1)" "$(item 4294967296 over 1)" "$(item -2147483649 under 1)" "$(item 9223372036854775807 far 1)" "$(item 9223372036854775808 farther 1)" \
	    "$(item 1e999 endless 1)" "$(item 1.5 half 1)" null 7 '"text"' '[]' '{}' '{"Name":"no id"}' "$(item '"N/A"' na 1)"
} | put
ok 'ids at their edges' inventory
is 'those of 32 bits are stored, signed' "$(isql 'select item_id, name from items order by name')" '-2147483648|a
2147483647|b
-1|c
-2|d
-3|e'
is 'each other is put aside by itself' "$(reasons 0)" 'bad_item: it has no valid Id|10
bad_item: it is no object|4'
is 'as it was sent' "$(isql "select event from dead_letters where event like '%half%'")" "$(item 1.5 half 1)"
is 'counted' "$(metric dt-store-inventory rejected_total bad_item)" 14

{
	snapshot Odd -800 \
	    "$(item 1 "O'Neil \\\"the\\\" \\\\ \\ttab \\u00e9\\ud83d\\ude00 <b>&amp;</b>" 1)" \
	    "$(item 2 'Zoë 漢字 %s {} \\N' 1)" \
	    '{"Id":3}' \
	    '{"Id":4,"Name":null,"ObjectClass":"2","IntValues":null,"DoubleValues":[],"StringValues":"x","BoolValues":7,"Spells":{},"ActiveSpells":null}' \
	    '{"Id":5,"Name":"Big","ObjectClass":1,"IntValues":{"19":9223372036854775807,"5":-9223372036854775808,"28":1e999,"218103814":"12","105":2147483648},"DoubleValues":{"22":1e400,"7":123456789012345678901234567890.5},"Spells":["6079",-1,2147483648,1.5,"x"]}' \
	    '{"Id":6,"Name":"Twice","ObjectClass":1,"IntValues":{"19":1}}' '{"Id":6,"Name":"Twice","ObjectClass":1,"IntValues":{"19":2}}' \
	    "{\"Id\":7,\"Name\":\"$(printf '%0300d' 0)\",\"ObjectClass\":1,\"StringValues\":{\"16\":\"$(printf '%09000d' 0)\"}}" \
	    '{"Id":8,"Name":"Deep","ObjectClass":1,"X":[[[[[[[[[[[[[[[[[[[[[[[[[[{"a":[]}]]]]]]]]]]]]]]]]]]]]]]]]]],"_seq":"mine"}'
} | put
ok 'odd items' inventory
is 'are all stored' "$(isql "select item_count from dt.characters where name = 'Odd'")" 8
is 'names with quotes, accents, markup, escapes' "$(isql 'select name from items where item_id in (1, 2) order by item_id')" "O'Neil \"the\" \\ 	tab é😀 <b>&amp;</b>
Zoë 漢字 %s {} \\N"
is 'maps that are missing or none' "$(isql 'select object_class_id, name is null, value is null, equipped from items where item_id in (3, 4) order by item_id')" '|t|t|f
2|t|t|f'
is 'a number that is too large costs itself' "$(isql 'select name, value is null, burden is null, stack_count from items where item_id = 5'; isql 'select array_agg(spell_id) @> array[6079] from item_spells where item_id = 5')" 'Big|t|t|12
t'
is 'of one id the last counts' "$(isql 'select value from items where item_id = 6')" 2
is 'texts are cut, the item as sent is whole' "$(isql "select length(name) <= 256, length(raw->>'Name') from items join item_raw_data using (item_id) where item_id = 7")" 't|300'
is 'items without a fact that is odd are counted' "$(metric dt-store-inventory odd_facts_total | awk '{ print ($1 > 0) }')" 1

# ---- too much ----
at=$(cat "$T/seq")
{
	printf '{"type":"full_inventory","character_name":"Hog","items":[{"Id":1,"Name":"%070000d"}' 0
	awk 'BEGIN { for (i = 2; i <= 20010; i++) printf ",{\"Id\":%d}", i + 100000; print "]}" }'
	delta Hog -750 add "$(item 5000 more 1)"
	delta Hog -749 update "{\"Id\":100002,\"X\":\"$(printf '%016370d' 0)\"}"
} | put
ok 'items beyond measure' inventory
is 'are put aside' "$(reasons "$at")" 'bad_item: it is too large|2
too_many_items|10'
is 'and only they' "$(isql "select item_count from dt.characters where name = 'Hog'")" 20000
snapshot Hog -740 "$(item 5001 x 1)" | put
inventory

# ---- events that are none ----
at=$(cat "$T/seq")
{
	echo '{"type":"full_inventory","character_name":"Odd","timestamp":"2026-01-01T00:00:00Z"}'
	echo '{"type":"inventory","character_name":"Odd","items":{}}'
	echo '{"type":"inventory_delta","character_name":"Odd"}'
	echo '{"type":"inventory_delta","character_name":"Odd","action":"swap","item":{"Id":1}}'
	echo '{"type":"inventory_delta","character_name":"Odd","action":"add"}'
	echo '{"type":"inventory_delta","character_name":"Odd","action":"update","item":[1]}'
	echo '{"type":"inventory_delta","character_name":"Odd","action":"remove"}'
	echo '{"type":"inventory_delta","character_name":"","action":"remove","item_id":1}'
	echo '{"type":"inventory_delta","action":"remove","item_id":1}'
	echo '{"type":"inventory_delta","character_name":"O\u0007","action":"remove","item_id":1}'
	printf '{"type":"full_inventory","character_name":"Many","items":['
	for _ in $(seq 300); do printf '7,'; done
	echo '{"Id":9001,"Name":"good"}]}'
	echo '{"type":"inventory_delta","character_name":"Odd","action":"remove","item":{"Id":1}}'
} | put
ok 'events that are none' inventory
is 'are put aside' "$(reasons "$at")" 'bad_action|2
bad_item|1
bad_item: it is no object|22
bad_name|1
no_character|2
no_items|2'
is 'others beside them are stored' "$(isql "select name, item_count from dt.characters where name in ('Odd', 'Many') order by 1")" 'Many|1
Odd|7'

# ---- refused by the database only ----
isql "alter table dt.items add constraint tested check (value <> 666)"
isql "alter table dt.item_raw add constraint tested2 check (raw->>'Name' <> 'Evil')"
at=$(cat "$T/seq")
{
	snapshot Poor -700 "$(item 11 A 1 '"19":1')" "$(item 12 B 1 '"19":666')" "$(item 13 Evil 1)" "$(item 14 D 1 '"19":4')"
	delta Poor -699 update '{"Id":11,"IntValues":{"19":666}}'
	delta Poor -698 add "$(item 15 E 1)"
} | put
ok 'items that the database refuses' inventory
is 'only they are left out' "$(isql "select item_id, value from items where character_name = 'Poor' order by 1")" '11|1
14|4
15|'
is 'and put aside' "$(isql "select seq - $at, split_part(reason, ':', 1), event::json->>'Id' from dt.dead_letters where seq > $at order by seq, 3")" '1|database|12
1|database|13
2|database|11'
is 'the position is at the end' "$(isql 'select seq from dt.positions')" $((at + 3))
isql 'alter table dt.items drop constraint tested'
isql 'alter table dt.item_raw drop constraint tested2'

# ---- replays and captures ----
snapshot Replayed -600 "$(item 21 A 1)" "$(item 22 B 1)" | put
inventory
{
	snapshot Replayed -650 "$(item 23 Old 1)"
	delta Replayed -640 remove 21
	delta Replayed -640 add "$(item 11 A 1)"
} | sed 's/}$/,"_replay":true}/' | put
inventory
is 'what a replay says of before changes nothing' "$(isql "select item_id from items where character_name = 'Replayed' order by 1"; isql 'select character_name from items where item_id = 11')" '21
22
Poor'
is 'it is counted' "$(metric dt-store-inventory older_total)" 3
delta Replayed -590 remove 21 | sed 's/}$/,"_replay":true}/' | put
inventory
is 'of after does' "$(isql "select item_id from items where character_name = 'Replayed'")" 22
snapshot Replayed -1000 "$(item 24 Older 1)" >"$T/capture.ndjson"
snapshot Fresh -1000 "$(item 25 New 1)" >>"$T/capture.ndjson"
ok 'a capture' dt-store --sink inventory -1 -r "$T/capture.ndjson"
is 'it is as a replay' "$(isql "select item_id, character_name from items where item_id in (22, 24, 25) order by 1")" '22|Replayed
25|Fresh'
ok 'the same again' dt-store --sink inventory -1 -r "$T/capture.ndjson"
snapshot Other -3000 "$(item 22 B 1)" "$(item 26 Own 1)" >"$T/capture2.ndjson"
ok 'an old capture of somebody else' dt-store --sink inventory -1 -r "$T/capture2.ndjson"
is 'takes nothing from those of whom something newer is known' "$(isql "select item_id, character_name from items where item_id in (22, 26) order by 1")" '22|Replayed
26|Other'
snapshot Replayed -1000 "$(item 24 Older 1)" | put
inventory
is 'what the stream brings now is newer, whatever its clock says' "$(isql "select item_id from items where character_name = 'Replayed'")" 24

# fed twice in one run: two characters, one thing that goes over, several events of one time
{
	snapshot Giver -2000 "$(item 31 Gift 1)" "$(item 32 Kept 1)"
	snapshot Taker -2000 "$(item 33 Own 1)"
	delta Taker -1990 add "$(item 31 Gift 1)"
	delta Taker -1990 add "$(item 34 Same 1)"
	delta Taker -1990 remove 33
} >"$T/twice"
who() { isql "select item_id, character_name from items where item_id between 31 and 34 order by 1"; isql "select count(*) from item_moves where item_id between 31 and 34"; }
sed 's/}$/,"_replay":true}/' "$T/twice" | put
inventory
once=$(who)
is 'once' "$once" '31|Taker
32|Giver
34|Taker
3'
sed 's/}$/,"_replay":true}/' "$T/twice" | put
sed 's/}$/,"_replay":true}/' "$T/twice" | put
inventory
is 'again and again' "$(who)" "$once"
is 'all of it was known' "$(metric dt-store-inventory older_total)" 10
cat "$T/twice" "$T/twice" | sed 's/Giver/Giver2/; s/Taker/Taker2/; s/"Id":3/"Id":4/g; s/"item_id":3/"item_id":4/' >"$T/capture3.ndjson"
ok 'a capture that is twice itself' dt-store --sink inventory -1 -r "$T/capture3.ndjson"
is 'is as if once' "$(isql "select item_id, character_name from items where character_name like '%2' order by 1") $(metric dt-store-inventory older_total)" '41|Taker2
42|Giver2
44|Taker2 5'

# ---- facts are read again ----
for n in $(seq 1 1500); do item "$((n + 10000))" "Thing $n" 1 "\"19\":$n"; echo; done >"$T/many"
# shellcheck disable=SC2046
(IFS='
'; snapshot Hoard -500 $(cat "$T/many")) | put
inventory
facts="select md5(string_agg(i::text, ',' order by item_id)) from (select item_id, character_id, hash, name, value, container_id, updated_at from dt.items where item_id > 10000) i"
right=$(isql "$facts")
isql "update dt.items set value = null, name = 'x', hash = 0 where item_id % 3 = 0"
isql "update dt.meta set value = '0' where key = 'facts'"
ok 'a newer program' inventory
is 'reads all items again' "$(isql "$facts")" "$right"
like 'and says so' "$(cat "$T/inventory.log")" 'read 15[0-9]* items again'
isql "update dt.items set value = -1 where item_id in (10010, 11400)"
isql "update dt.meta set value = '0' where key = 'facts'; insert into dt.meta values ('facts_through', '11000')"
inventory
is 'it goes on where it was' "$(isql 'select value from items where item_id in (10010, 11400) order by 1')" '-1
1400'
is 'and is done with it' "$(isql "select key from dt.meta where key like 'facts%'")" facts

# ---- the wrong database ----
INVENTORY_DATABASE_URL="postgresql:///dereth?host=$DT_RUN/pg&user=dereth"
export INVENTORY_DATABASE_URL
store || true
status 'the database of the other sink' 78 dt-store --sink inventory -1 -r "$T/journal"
like 'said' "$(cat "$T/err")" 'it belongs to'
status 'no such sink' 64 dt-store --sink inventories
like 'what there is' "$(cat "$T/err")" 'telemetry and inventory'
done_testing
