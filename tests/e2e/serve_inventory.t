#!/bin/sh
# Inventories from memory: whole, as files, with packs and drift; what changes in the database shows within a second; moves; a database that is not there, empty, restored, gone.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"
. "$ROOT/tests/store.sh"

publish_file() { dt-send -q <"$1"; }
store_start() { start store dt-store --sink inventory; }
names() { get "/search/items?limit=1000&sort=name&$1" | jq -r '[.items[] | .name + "@" + .character_name] | join(" ")'; }
# sees 'QUERY' 'TEXT': the search comes to give that within ten seconds
sees() { wait_for "[ \"\$(names '$1')\" = '$2' ]"; }

pg_start
fanout_start
serve_start
warm

# ---- before there is anything ----
is 'no such database: 503, and when to come again' "$(code /inventory-characters) $(jq -r .code "$T/body") $(header retry-after)" '503 database_away 5'
is 'what is live answers' "$(code /live) $(code /readyz)" '200 200'
inventory_db
ok 'a database that appears later is found, but it has no tables' wait_for '[ "$(code /search/items) $(jq -r .code "$T/body")" = "503 database_not_ready" ]' 30
store_start
ok 'then it has' wait_for '[ "$(code /search/items)" = 200 ]' 20
is 'an empty one' "$(get /search/items | jq -c '[.items, .total_count, .page, .limit, .cursor, .facets]')" '[[],0,1,200,null,{"set":[],"material":[],"slot":[],"object_class":[],"character":[]}]'
is 'of nobody' "$(get /inventory-characters | jq -c .) $(get /search/sets | jq -c .)" '{"characters":[]} {"values":[]}'
is 'nobody has an inventory' "$(code /inventory/Larsson) $(jq -r .code "$T/body")" '404 not_found'

# ---- an inventory ----
larsson='"218103810":1342391396'
in_pack='"218103810":-1925375235'
odd='"Q", <b>é</b>\n%_'
{
	snapshot Larsson -600 "$(item -1925375235 Pack 10 "$larsson")" "$(item -77 'Empty Pack' 10 "$larsson")" "$(item -1 Taper 12 "\"218103814\":894,$in_pack")" \
		"$(item -2 Helmet 2 '"10":1,"131":63,"28":400,"265":16,"218103822":1,"374":2' ',"HasIdData":true,"Spells":[6079,2108],"ActiveSpells":[4407]')" "$(item 5 "$(printf %s "$odd" | sed 's/"/\\"/g')" 8 '"218103810":999')"
	snapshot Zoli -590 "$(item -10 Sword 1)"
} >"$T/first"
publish_file "$T/first"
ok 'a snapshot shows' sees 'character=Zoli' 'Sword@Zoli'
# items are read before what is known of their owners
ok 'and whose it is' wait_for '[ "$(get /inventory-characters | jq -c "[.characters[].snapshot_at | type]")" = "[\"string\",\"string\"]" ]'
get /inventory/Larsson >"$T/i"
is 'the whole inventory' "$(jq -c '[.character_name, .item_count, (.items | length), .drift, (.snapshot_at | type)]' "$T/i")" '["Larsson",5,5,0,"string"]'
is 'the packs' "$(jq -c '.containers | sort_by(.name)' "$T/i")" '[{"container_id":-77,"name":"Empty Pack","item_count":0},{"container_id":-1925375235,"name":"Pack","item_count":1}]'
is 'on the body or in the main pack: 0' "$(jq -c '[.items[] | [.item_id, .container_id]] | sort' "$T/i")" '[[-1925375235,0],[-77,0],[-2,0],[-1,-1925375235],[5,0]]'
is 'an item as the contract has it' "$(jq -c '.items[] | select(.item_id == -2) | [.item_id_hex, .display_name, .equipped, .slots, .set, .armor_level, .ratings.crit_damage, ([.spells[].id]), .spells[0].cantrip_level, ([.active_spells[].id]), .value]' "$T/i")" \
	'["FFFFFFFE","Silver Helmet",true,["Head"],"Defender'"'"'s Set",400,2,[6079,2108],"Legendary",[4407],null]'
is 'markup and quotes are text' "$(jq -r '.items[] | select(.item_id == 5) | .name' "$T/i")" "$(printf '"Q", <b>é</b>\n%%_')"
is 'all have the names of the contract' "$(jq -c '[.items[] | has("item_id", "item_id_hex", "name", "display_name", "character_name", "object_class", "icon", "container_id", "position", "equipped", "equipped_slot", "slots", "stack_count", "max_stack", "value", "burden", "material", "material_id", "set", "set_id", "armor_level", "base_armor_level", "workmanship", "tinks", "imbue", "damage_min", "damage_max", "damage_type", "wield_level", "wield_skill", "wield_skill_level", "spells", "active_spells", "ratings", "bonded", "attuned", "rare", "updated_at")] | all' "$T/i")" true
is 'who has one' "$(get /inventory-characters | jq -c '[.characters[] | [.character_name, .item_count, (.last_updated | type)]]')" '[["Larsson",5,"string"],["Zoli",1,"string"]]'
get /inventory/Larsson >"$T/i"
is 'not sent twice' "$(code /inventory/Larsson -H "If-None-Match: $(header etag)")" 304
is 'an unknown parameter' "$(code '/inventory/Larsson?x=1')" 400
is 'a name is no SQL' "$(code "/inventory/x'%3B%20drop%20table%20dt.items%3B--") $(code "/inventory/$(printf 'x%.0s' $(seq 200))") $(isql 'select count(*) from dt.items')" '404 400 6'

# ---- as files ----
get '/inventory/Larsson/export?format=ndjson' >"$T/n"
is 'as lines: the same items' "$(jq -cS . "$T/n" | sort | cksum)" "$(jq -cS '.items[]' "$T/i" | sort | cksum)"
like 'with a type and a name' "$(header content-type) $(header content-disposition)" '^application/x-ndjson.* attachment; filename="Larsson-inventory.ndjson"'
get /inventory/Larsson/export >"$T/c"
like 'as CSV' "$(header content-type) $(header content-disposition)" '^text/csv; charset=utf-8 attachment; filename="Larsson-inventory.csv"'
like 'its head' "$(head -n 1 "$T/c")" '^item_id,item_id_hex,name,display_name,.*,damage_rating,damage_resist_rating,.*,spells,active_spells,updated_at'
is 'quotes doubled, a line break inside' "$(grep -A 1 -c '^5,00000005,"""Q"", <b>é</b>$' "$T/c") $(grep -c '^%_",' "$T/c")" '1 2'
is 'lists in one field' "$(grep -c ",Head,.*,Legendary Storm Ward; Brogard's Defiance,Incantation of Impenetrability,20" "$T/c")" 1
is 'of nobody' "$(code /inventory/Nobody/export) $(code '/inventory/Larsson/export?format=xml') $(jq -r .error "$T/body")" '404 400 parameter "format" must be csv or ndjson'

snapshot Formula -580 "$(item 11 '=1+1' 1)" "$(item 12 '+Envoy,x' 1)" "$(item 13 '-2' 1)" "$(item 14 '@SUM(1)' 1)" "$(item 15 '\tTab' 1)" "$(item 16 "'quoted" 1)" "$(item 17 'a=b' 1)" >"$T/f"
publish_file "$T/f"
ok 'names like formulas' wait_for '[ "$(get "/search/items?character=Formula" | jq .total_count)" = 7 ]'
is 'nothing is a formula for a spreadsheet, numbers stay numbers' "$(get /inventory/Formula/export | sed 1d | cut -d, -f1-3 | tr '\t\n' '>|')" \
	"11,0000000B,'=1+1|12,0000000C,\"'+Envoy|13,0000000D,'-2|14,0000000E,'@SUM(1)|15,0000000F,'>Tab|16,00000010,'quoted|17,00000011,a=b|"
is 'in JSON every text is as it is' "$(get '/inventory/Formula/export?format=ndjson' | jq -r .name | tr '\t\n' '>|')" "=1+1|+Envoy,x|-2|@SUM(1)|>Tab|'quoted|a=b|"

# ---- what changes ----
# one right after the other has been seen, so that each waits the longest; what stands still for a while gets another try
took=99999
for n in 893 892 891 890 889 888 887 886; do
	delta Larsson -500 update "{\"Id\":-1,\"IntValues\":{\"218103814\":$n}}" >"$T/d"
	publish_file "$T/d"
	begin=$(date +%s%N)
	wait_for "[ \"\$(get '/search/items?q=stack%3D$n' | jq .total_count)\" = 1 ]" || break
	took=$((($(date +%s%N) - begin) / 1000000))
	[ $took -ge 2000 ] || break
done
is 'an update shows' "$(get "/search/items?q=stack%3D$n" | jq .total_count)" 1
ok "within two seconds ($took ms)" [ $took -lt 2000 ]
delta Zoli -499 add "$(item -2 Helmet 2 '"10":1,"131":63,"28":400')" >"$T/d"
publish_file "$T/d"
ok 'an item that others have now has moved' sees 'text=helmet' 'Helmet@Zoli'
is 'and is nowhere else' "$(get /inventory/Larsson | jq -c '[.item_count, (.items | map(.item_id) | index(-2))]')" '[4,null]'
delta Zoli -498 remove -10 >"$T/d"
publish_file "$T/d"
ok 'a removed one vanishes' sees 'character=Zoli' 'Helmet@Zoli'
stop store
delta Zoli -400 add "$(item -11 Dagger 1)" >"$T/d"
publish_file "$T/d"
store_start
ok 'the store was away: then it shows' sees 'character=Zoli' 'Dagger@Zoli Helmet@Zoli'
snapshot Larsson -300 "$(item -1925375235 Pack 10 "$larsson")" "$(item -1 Taper 12 "\"218103814\":1000,$in_pack")" >"$T/d"
publish_file "$T/d"
ok 'a snapshot that disagrees with the deltas' sees 'character=Larsson' 'Pack@Larsson Taper@Larsson'
ok 'is told as drift' wait_for '[ "$(get /inventory/Larsson | jq .drift)" -gt 0 ]'
is 'in the list too' "$(get /inventory-characters | jq '.characters[] | select(.character_name == "Larsson") | .drift')" "$(get /inventory/Larsson | jq .drift)"

# ---- who took it ----
is 'where it went' "$(get '/item-moves?item_id=-2' | jq -c '[.moves[] | [.kind, .name, .from_character, .to_character, .source]]')" '[["moved","Helmet","Larsson","Zoli","delta"]]'
is 'ids unsigned too, names as a part in any case' "$(get '/item-moves?item_id=4294967294' | jq -c .count) $(get '/item-moves?name=HELM' | jq -c .count)" '1 1'
is 'of or to a character' "$(get /inventory/Zoli/moves | jq -cS .)" "$(get '/item-moves?character=Zoli' | jq -cS .)"
is 'newest first' "$(get /inventory/Zoli/moves | jq -c '[.moves[].kind]')" '["looted","lost","moved"]'
get '/item-moves?character=Zoli&limit=2' >"$T/m"
is 'page by page' "$(get "/item-moves?character=Zoli&limit=2&cursor=$(jq -r .cursor "$T/m")" | jq -c '[.moves[].kind]') $(jq -r .more "$T/m")" '["moved"] true'
is 'a kind' "$(get '/item-moves?kind=lost&character=Zoli' | jq -c '[.moves[].item_id]')" '[-10]'
is 'a time' "$(get '/item-moves?to=2000-01-01T00:00:00Z' | jq -c .count)" 0
is 'no pattern, no SQL' "$(get '/item-moves?name=%25%25' | jq .count) $(get "/item-moves?name='%20or%20''='" | jq .count) $(get "/item-moves?character=%27%3B--" | jq .count)" '0 0 0'
for q in item_id=x item_id=4294967296 item_id=-2147483649 kind=stolen cursor=-1 limit=1001 'from=2026-01-02&to=2026-01-01' name= foo=1; do
	is "refused: $q" "$(code "/item-moves?$q") $(jq -r .error "$T/body" | grep -c "\"${q%%=*}\"")" '400 1'
done

# ---- a database from a backup: its versions have gone back ----
"$pg_bin/pg_dump" -h "$DT_RUN/pg" -U dereth -Fc --clean --if-exists -f "$T/dump" inventory_db
{
	delta Zoli -200 add "$(item -12 Later 1)"
	delta Zoli -199 remove -11
} >"$T/d"
publish_file "$T/d"
ok 'later changes' sees 'character=Zoli' 'Helmet@Zoli Later@Zoli'
stop store
"$pg_bin/pg_restore" -h "$DT_RUN/pg" -U dereth --clean --if-exists -d inventory_db "$T/dump"
ok 'a restored database is read anew' sees 'character=Zoli' 'Dagger@Zoli Helmet@Zoli'
isql "update dt.items set name = 'Renamed', version = nextval('dt.version') where item_id = -11"
ok 'and followed' sees 'character=Zoli' 'Helmet@Zoli Renamed@Zoli'
isql "truncate dt.items"
ok 'a table that was emptied' sees '' ''

# ---- it goes away, and comes back ----
pg_stop immediate
ok 'away: 503 rather than what was' wait_for '[ "$(code /inventory/Larsson)" = 503 ]'
is 'all routes of it' "$(for p in /inventory/Larsson/export /inventory/Zoli/moves /inventory-characters /search/items /search/sets /item-moves; do code $p; done | sort | uniq -c | tr -s ' ')" ' 6 503'
is 'parameters are checked all the same' "$(code '/search/items?foo=1')" 400
is 'what is live goes on' "$(code /live) $(code /readyz)" '200 200'
pg_run
ok 'and back by itself' wait_for '[ "$(code /inventory-characters)" = 200 ]' 30
done_testing
