#!/bin/sh
# dt-store --sink inventory: snapshots replace by difference, deltas apply in order, items move, and what is odd costs no more than itself.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1
inventory_db

helmet='{"Id":-1925474135,"Name":"Helmet","ObjectClass":2,"HasIdData":true,"LastIdTime":1745254711,"IntValues":{"5":379,"10":1,"19":20315,"28":720,"105":9,"131":63,"159":1,"160":180,"158":7,"171":10,"179":4096,"265":16,"374":1,"218103810":1342391396,"218103818":1342391396,"218103821":16384,"218103822":1},"DoubleValues":{"5":-0.06666667014360428},"StringValues":{"1":"Helmet"},"BoolValues":{},"ActiveSpells":[4397,4407],"Spells":[2108,4560,6079,6082]}'
pack() { item "$1" Pack 10 "${2:-\"218103810\":1342391396}"; }
taper() { item "${3:--1849254352}" 'Prismatic Taper' 12 "\"5\":$1,\"218103814\":$1,\"218103810\":${2:--1925375235}"; }

snapshot Larsson -600 "$helmet" "$(taper 894)" "$(pack -1925375235)" | put
ok 'a snapshot is stored' inventory
is 'the items' "$(isql 'select item_id, item_id_hex, character_name, display_name, object_class, container_id, container, equipped, stack_count from items order by 1')" \
    '-1925474135|8D3B98A9|Larsson|Silver Helmet|Armor|0||t|
-1925375235|8D3D1AFD|Larsson|Pack|Container|0||f|
-1849254352|91C69E30|Larsson|Prismatic Taper|Spell Component|-1925375235|Pack|f|894'
is 'its facts in the views' "$(isql 'select armor_level, (select wield_skill_level from item_requirements r where r.item_id = c.item_id), material, item_set, tinks, workmanship, imbue_bits, damage_rating is null, (select crit_damage_rating from item_ratings g where g.item_id = c.item_id) from item_combat_stats c join item_enhancements e using (item_id) join item_ratings using (item_id) where item_id = -1925474135')" \
    "720||Silver|Defender's Set|10|9|4096|t|1"
is 'its spells' "$(isql "select spell_id, spell, active from item_spells where spell_id in (6079, 4407) order by 1")" '4407|Incantation of Impenetrability|t
6079|Legendary Storm Ward|f'
is 'the packs' "$(isql 'select character_name, container_id, container_id_hex, name, item_count from containers')" 'Larsson|-1925375235|8D3D1AFD|Pack|1'
is 'the item as sent' "$(isql "select raw->>'LastIdTime', raw->'DoubleValues'->>'5' from item_raw_data where item_id = -1925474135")" '1745254711|-0.06666667014360428'
is 'the character' "$(isql 'select character_name, item_count, drift, snapshot_at is not null from inventory_characters')" 'Larsson|3|0|t'
is 'what a character always had is no move' "$(isql 'select count(*) from item_moves')" 0
is 'the position' "$(isql 'select sink, seq from dt.positions')" 'inventory|1'

# ---- by difference ----
versions() { isql 'select item_id, xmin, version from dt.items order by 1'; isql 'select item_id, xmin from dt.item_raw order by 1'; }
before=$(versions)
# the same in another order, spelled otherwise, appraised anew
snapshot Larsson -590 "$(pack -1925375235)" "$(taper 894.0)" "$(echo "$helmet" | sed 's/1745254711/1745259999/; s/"5":379,"10":1/"10":1,"5":379/')" | put
inventory
is 'an unchanged snapshot rewrites nothing' "$(versions)" "$before"
is 'but the character was seen' "$(isql "select item_count, snapshot_at = updated_at, extract(epoch from own_at)::bigint - $store_now from dt.characters")" '3|t|-590'
snapshot Larsson -580 "$helmet" "$(taper 893)" "$(pack -1925375235)" | put
inventory
is 'what changed is rewritten, the rest is not' "$(isql "select item_id from dt.items where version > $(echo "$before" | cut -d'|' -f3 | sort -n | tail -1)")" -1849254352

# ---- deltas ----
{
	delta Larsson -500 update '{"Id":-1849254352,"IntValues":{"218103814":800}}'
	delta Larsson -499 update '{"Id":"2445712944","IntValues":{"218103814":799,"19":5}}'
	delta Larsson -498 add "$(item 2147483648 Edge 1)"
	delta Larsson -497 add "$(item -1 Last 1)"
	delta Larsson -496 update "$(item 77 'Never added' 1)"
	delta Larsson -495 remove 4294967295
	delta Larsson -494 remove 12345
	delta Larsson -493 remove '"77"'
	delta Nobody -492 add "$(item 500 Sword 1)"
} | put
ok 'deltas' inventory
is 'an update merges map by map' "$(isql "select stack_count, value, container_id, burden from items where name = 'Prismatic Taper'")" '799|5|-1925375235|893'
is 'also in the item as sent' "$(isql "select raw->'IntValues'->>'218103814', raw->>'ObjectClass', raw->'StringValues'->>'1' from item_raw_data where item_id = -1849254352")" '799|12|Prismatic Taper'
is 'ids signed and unsigned are one; added, removed' "$(isql "select item_id, name from items where character_name = 'Larsson' order by 1")" '-2147483648|Edge
-1925474135|Helmet
-1925375235|Pack
-1849254352|Prismatic Taper'
is 'before a first snapshot they apply to nothing' "$(isql "select item_count, snapshot_at is null, deltas from dt.characters where name = 'Nobody'")" '1|t|1'
is 'nothing is put aside' "$(isql 'select * from dead_letters')" ''

# ---- moves ----
history() { isql "select kind, from_character, to_character, stack_before, stack_after, source from item_moves where item_id = $1 order by id"; }
is 'looted and lost' "$(history 77)" 'looted||Larsson|||delta
lost|Larsson||||delta'
is 'of a stack that changes all the time one an hour' "$(history -1849254352)" 'changed|Larsson|Larsson|894|893|snapshot'
{
	delta Larsson -400 remove -1925474135
	delta Nobody -399 add "$helmet"
} | put
inventory
is 'given away: lost here, moved there' "$(history -1925474135)" 'lost|Larsson||||delta
moved|Larsson|Nobody|||delta'
is 'and it is there' "$(isql 'select character_name, equipped from items where item_id = -1925474135')" 'Nobody|t'
delta Larsson -390 remove 2147483648 | put
inventory
is 'lost' "$(isql 'select item_id from dt.gone')" -2147483648
delta Nobody -389 add "$(item -2147483648 Edge 1)" | put
inventory
is 'the same over two transactions' "$(history -2147483648)" 'looted||Larsson|||delta
lost|Larsson||||delta
moved|Larsson|Nobody|||delta'
is 'it is not gone any more' "$(isql 'select count(*) from dt.gone')" 0
snapshot Larsson -380 "$(taper 799)" "$(pack -1925375235)" | put
delta Larsson -379 remove 500 | put
delta Larsson -378 remove -1925474135 | put
inventory
is 'who had it before does not take it back by not having it' "$(isql "select count(*) from items where character_name = 'Nobody'")" 3
delta Larsson -370 update '{"Id":500}' | put
inventory
is 'but by having it' "$(isql "select character_name, name from items where item_id = 500") $(history 500)" 'Larsson|Sword looted||Nobody|||delta
moved|Nobody|Larsson|||delta'
is 'counts of both' "$(isql 'select name, item_count from dt.characters order by 1')" 'Larsson|3
Nobody|2'

# ---- containers ----
{
	delta Larsson -360 add "$(item 601 Gem 11 '"218103810":600')"
	delta Larsson -359 add "$(item 602 Worn 2 '"218103810":600,"10":512')"
} | put
inventory
is 'a container that is no pack is the character' "$(isql 'select item_id, container_id from items where item_id in (601, 602) order by 1')" '601|0
602|0'
moves=$(isql 'select count(*) from item_moves')
delta Larsson -350 add "$(item 600 Foci 38)" | put
inventory
is 'until the pack comes; what is worn is on the body' "$(isql 'select item_id, container_id from items where item_id in (601, 602) order by 1')" '601|600
602|0'
is 'that is no move' "$(isql 'select count(*) from item_moves')" $((moves + 1))
delta Larsson -340 remove 600 | put
inventory
is 'and when it goes' "$(isql 'select item_id, container_id from items where item_id in (601, 602) order by 1')" '601|0
602|0'

# ---- drift ----
snapshot Drifter -300 "$(item 701 A 1)" "$(item 702 B 1)" "$(taper 5 0 703)" | put
snapshot Drifter -299 "$(item 701 A 1)" "$(item 704 D 1)" "$(taper 5 0 703)" | put
inventory
is 'without deltas between them snapshots do not disagree' "$(isql "select drift, drift_total from dt.characters where name = 'Drifter'")" '0|0'
{
	delta Drifter -290 update '{"Id":703,"IntValues":{"218103814":4}}'
	snapshot Drifter -280 "$(item 701 A 1 '"107":55')" "$(item 704 D 1)" "$(taper 4 0 703)"
} | put
inventory
is 'nor when the deltas told all that matters' "$(isql "select drift, drift_total from dt.characters where name = 'Drifter'")" '0|0'
{
	delta Drifter -270 update '{"Id":703,"IntValues":{"218103814":3}}'
	snapshot Drifter -260 "$(item 704 D 1 '"10":1')" "$(item 705 E 1)" "$(taper 2 0 703)"
} | put
inventory
is 'a deltas missed: a lost, a worn, a new one and a count' "$(isql "select drift, drift_total from dt.characters where name = 'Drifter'")" '4|4'
is 'in the history' "$(isql "select kind, item_id, stack_before, stack_after from item_moves where source = 'drift' order by 1, 2")" 'changed|703|3|2
looted|705||
lost|701||'
delta Drifter -250 remove 705 | put "$(at -43200 | sed 's/Z$/.000Z/')"
snapshot Drifter -240 "$(item 704 D 1)" | put "$(at -42600 | sed 's/Z$/.001Z/')"
inventory
is 'after a silence it is not counted' "$(isql "select drift, drift_total from dt.characters where name = 'Drifter'")" '0|4'
done_testing
