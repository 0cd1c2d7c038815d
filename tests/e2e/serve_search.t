#!/bin/sh
# Item search: every filter against a plain scan of what the plugins sent; facets, order, pages and cursors; what is refused; the pickers.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"
. "$ROOT/tests/store.sh"

pg_start
inventory_db
dt-sim -n 3 --seconds 120 --types full_inventory --mules 60 --seed 5 2>/dev/null >"$T/sim"
snapshot "O'Neil +1" -5 \
	"$(item -1 "Zz'); drop table dt.items;--" 8 '"19":2147483647')" "$(item -2 '100% <b>Épée</b>' 1 '"19":0,"218103842":2147483647,"218103841":3,"33":1,"17":5')" \
	"$(item 2147483647 'Z_z' 2 '"28":-7,"370":3,"371":4,"372":5,"373":6,"374":7,"375":8,"376":9,"379":10,"114":1' ',"HasIdData":true,"Spells":[6079,6079,4667,2147483647]')" \
	"$(item -2147483648 'ÉPÉE \"q\" \\\\ x' 1 '"131":63,"265":14,"158":7,"160":180,"105":7,"171":0')" \
	"$(item -3 Staff 31 '"28":300,"158":7,"160":100,"270":2,"271":34,"272":150,"218103841":16' ',"Spells":[6079]')" "$(item -4 Axe 1 '"158":1,"159":44,"160":325')" >"$T/hand"
cat "$T/sim" "$T/hand" | put
inventory
serve_start
wait_for '[ "$(code /search/items)" = 200 ]'

# the same facts, read from the events by other means: v finds a property under both of its ids
awk -F '\t' '/^[0-9]/ { printf "%s{\"id\":%s,\"name\":\"%s\"}", sep, $1, $2; sep = "," } BEGIN { printf "[" } END { print "]" }' "$ROOT/lib/game/data/spells.tsv" |
	jq -c 'map({key: (.id | tostring), value: .name}) | from_entries' >"$T/spells"
jq -n -c '[inputs | .character_name as $c | .items[] | . + {c: $c}]' "$T/sim" "$T/hand" >"$T/all"
defs='def v(f): .IntValues[f]; def name: .StringValues["1"]; def about: .StringValues["16"] // .StringValues["15"] // "";
	def spells: [.Spells[]? | $spell[0][tostring] // ""]; def low: ascii_downcase; def has_text($t): (name | low | contains($t)) or (about | low | contains($t));
	def bit($mask; $b): (($mask // 0) / $b | floor) % 2 == 1;
	def rank: [spells[] | if startswith("Minor ") then 2 elif startswith("Moderate ") then 4 elif startswith("Major ") then 6 elif startswith("Epic ") then 7 elif startswith("Legendary ") then 8 else 0 end] | max // 0;
	def worn: (v("10") // 0) != 0; def level: if v("158") == 7 then v("160") else null end; def skill: if v("158") == 1 or v("158") == 2 then v("159") elif v("270") == 2 then v("271") else null end;
	def damage: (v("218103842") // 0) + (if .ObjectClass == 9 then v("204") // 0 else 0 end) | if . > 0 then . else null end;
	def slots: v("218103822");
	def work: if .ObjectClass == 39 then (.DoubleValues["167772169"] // (if v("170") and v("105") then v("105") / v("170") else v("105") end)) else v("105") end;'

n=0
# same QUERY CONDITION: the items of which the condition holds are found, all of them and no others
same() {
	n=$((n + 1))
	printf '%s\n' "$2" >>"$T/conditions"
	printf '%s\n' "$1" >>"$T/asked"
	get "/search/items?limit=1000&sort=item_id&$1" >>"$T/answers"
}
same '' true
same 'character=Haruka' '.c == "Haruka"'
same 'character=Haruka&character=O%27Neil+%2B1' '.c == "Haruka" or .c == "O'"'"'Neil +1"'
same 'text=plate' 'has_text("plate")'
same 'text=%25' 'has_text("%")'
same 'text=_' 'has_text("_")'
same 'text=%27%29%3B+drop+table' 'has_text("drop table")'
same 'text=%3Cb%3E' 'has_text("<b>")'
same 'text=%C3%A9p%C3%A9e' 'name | test("épée"; "i")'
same 'text=%22q%22+%5C' 'name | contains("\"q\" \\")'
same 'material=gold' 'v("131") == 60'
same 'material=SILVER' 'v("131") == 63'
same 'material=63' 'v("131") == 63'
same 'set=adept%27s+set' 'v("265") == 14'
same 'set=16' 'v("265") == 16'
same 'slot=head' 'bit(slots; 1)'
same 'slot=Chest' 'bit(slots; 512)'
same 'slot=1048576' 'bit(slots; 1048576)'
same 'object_class=armor' '.ObjectClass == 2'
same 'object_class=Melee+Weapon' '.ObjectClass == 1'
same 'object_class=39' '.ObjectClass == 39'
same 'min_armor=200' 'v("28") != null and v("28") >= 200'
same 'max_armor=150' 'v("28") != null and v("28") <= 150'
same 'min_armor=-7&max_armor=-7' 'v("28") == -7'
same 'min_damage=30' 'damage != null and damage >= 30'
same 'max_damage=20' 'damage != null and damage <= 20'
same 'damage_type=slash' 'bit(v("218103841"); 1)'
same 'damage_type=fire' 'bit(v("218103841"); 16)'
same 'min_workmanship=7' 'work != null and work >= 7'
same 'max_workmanship=5.5' 'work != null and work <= 5.5'
same 'min_tinks=1' 'v("171") != null and v("171") >= 1'
same 'max_tinks=0' 'v("171") == 0'
same 'imbue=1' 'bit(v("179"); 1)'
same 'imbue=armor+rending' 'bit(v("179"); 4)'
same 'spell=ward' 'spells | any(low | contains("ward"))'
same 'spell=6079' '[.Spells[]?] | index(6079)'
same 'spell=legendary&spell=storm' '(spells | any(low | contains("legendary"))) and (spells | any(low | contains("storm")))'
same 'spell=no+such+spell' false
same 'cantrip_level=minor' 'rank >= 2'
same 'cantrip_level=moderate' 'rank >= 4'
same 'cantrip_level=major' 'rank >= 6'
same 'cantrip_level=Epic' 'rank >= 7'
same 'cantrip_level=legendary' 'rank >= 8'
same 'min_value=10000' 'v("19") >= 10000'
same 'max_value=0' 'v("19") == 0'
same 'min_value=2147483647' 'v("19") == 2147483647'
same 'min_burden=1000' 'v("5") >= 1000'
same 'max_burden=5' 'v("5") != null and v("5") <= 5'
same 'min_level=150' 'level != null and level >= 150'
same 'max_level=149' 'level != null and level <= 149'
same 'wield_skill=heavy+weapons' 'skill == 44'
same 'wield_skill=34' 'skill == 34'
for r in damage:370 damage_resist:371 crit:372 crit_resist:373 crit_damage:374 crit_damage_resist:375 heal_boost:376 vitality:379; do
	same "min_${r%:*}_rating=1" "(v(\"${r#*:}\") // 0) >= 1"
	same "min_${r%:*}_rating=3" "(v(\"${r#*:}\") // 0) >= 3"
done
same 'equipped=true' worn
same 'equipped=false' 'worn | not'
for f in bonded:33 attuned:114 rare:17; do
	same "${f%:*}=true" "(v(\"${f#*:}\") // 0) > 0"
	same "${f%:*}=false" "(v(\"${f#*:}\") // 0) <= 0"
done
same 'q=al%3E%3D200+spell:legendary+-equipped' '(v("28") // 0) >= 200 and (spells | any(low | contains("legendary"))) and (worn | not)'
same 'q=set:none+material:any&equipped=true' 'v("265") == null and v("131") != null and worn'
same 'q=%22drop+table%22+value%3E0' 'has_text("drop table") and v("19") > 0'
same 'character=Haruka&object_class=armor&min_armor=100&max_value=30000&equipped=false' '.c == "Haruka" and .ObjectClass == 2 and v("28") >= 100 and v("19") <= 30000 and (worn | not)'

sed 's/^/([.[] | select(/; s/$/) | .Id] | sort)/; $!s/$/,/' "$T/conditions" >"$T/program"
jq -c --slurpfile spell "$T/spells" "$defs $(cat "$T/program") | [., length]" "$T/all" >"$T/want"
jq -c '[([.items[].item_id]), .total_count]' "$T/answers" >"$T/found"
i=0 empty=0
while read -r want <&3 && read -r got <&4 && read -r asked <&5; do
	i=$((i + 1))
	[ "$want" = "$got" ] && got=$want || want=$(printf %.200s "$want") got="other: $(printf %.200s "$got")"
	is "search: $asked" "$got" "$want"
	[ "$want" = '[[],0]' ] && empty=$((empty + 1)) && diag "nothing: $asked"
done 3<"$T/want" 4<"$T/found" 5<"$T/asked"
ok "a page holds all" [ "$(jq length "$T/all")" -le 1000 ]
is 'all were compared' "$i" "$n"
is 'one of them finds nothing' "$empty" 1

# ---- facets: exactly the items that were found ----
get '/search/items?limit=1000&q=material:any' >"$T/f"
is 'facets count all items found' "$(jq -c '[.facets | .set, .material, .object_class, .slot, .character | map(.count) | add]' "$T/f")" \
	"$(jq -c '.items as $i | [([$i[] | select(.set_id)] | length), ([$i[] | select(.material_id)] | length), ($i | length), ([$i[].slots[]] | length), ($i | length)]' "$T/f")"
is 'the most frequent first, by id, name and count' "$(jq -c '.facets.material[0]' "$T/f")" "$(jq -c '[.items[] | {id: .material_id, name: .material}] | group_by(.id) | map(.[0] + {count: length}) | sort_by(-.count, .id)[0]' "$T/f")"
is 'slots by bit' "$(jq -c '[.facets.slot[] | select(.id == 1)]' "$T/f")" "$(jq -c '[{id: 1, name: "Head", count: [.items[].slots[] | select(. == "Head")] | length}]' "$T/f")"
is 'whatever the page' "$(get '/search/items?limit=1&page=3&q=material:any' | jq -cS .facets)" "$(jq -cS .facets "$T/f")"

# ---- order ----
for column in name -value armor_level -workmanship set -object_class damage_max item_id -updated_at character_name; do
	key=${column#-}
	get "/search/items?limit=1000&q=value%3E500&sort=$column" >"$T/o"
	is "order by $column, absent last, then by item_id" "$(jq -r '[.items[].item_id] | @csv' "$T/o" | cksum)" "$(jq -r --arg k "$key" --argjson down "$([ "$key" = "$column" ] && echo false || echo true)" '
		def low: if type == "string" then ascii_downcase else . end;
		[.items[] | {id: .item_id, k: (.[$k] | low)}] | sort_by(.id) | [.[] | select(.k == null)] as $none | [.[] | select(.k != null)] | group_by(.k) | if $down then reverse else . end | add + $none | map(.id) | @csv' "$T/o" | cksum)"
done

# ---- pages ----
total=$(get '/search/items?sort=-value&limit=1000' | jq .total_count)
get '/search/items?sort=-value&limit=1000' | jq -r '.items[].item_id' >"$T/whole"
cursor='' pages=0
: >"$T/by_cursor"
: >"$T/by_page"
while :; do
	pages=$((pages + 1))
	get "/search/items?sort=-value&limit=300$cursor" >"$T/p"
	jq -r '.items[].item_id' "$T/p" >>"$T/by_cursor"
	get "/search/items?sort=-value&limit=300&page=$pages" | jq -r '.items[].item_id' >>"$T/by_page"
	[ "$(jq -r '[.page, .total_count] | @csv' "$T/p")" = "$pages,$total" ] || break
	[ "$(jq -r .cursor "$T/p")" = null ] && break
	cursor="&cursor=$(jq -r .cursor "$T/p")"
done
is 'all pages were there' "$pages" $(((total + 299) / 300))
is 'cursor by cursor it is the whole list' "$(cksum <"$T/by_cursor") $(sort -u "$T/by_cursor" | wc -l)" "$(cksum <"$T/whole") $total"
ok 'page by page too' cmp "$T/by_cursor" "$T/by_page"
is 'behind the last page is nothing' "$(get '/search/items?page=1000000&limit=1000' | jq -c '[(.items | length), .total_count, .cursor]')" "[0,$total,null]"
is 'the usual page' "$(get '/search/items?' | jq -c '[(.items | length), .page, .limit]')" '[200,1,200]'

# ---- refused, by name ----
refused() { is "F47: refused: $1" "$(code "/search/items?$1") $(jq -r .code "$T/body") $(jq -r .error "$T/body" | grep -c "\"$2\"")" "400 ${3:-bad_parameter} 1"; }
refused foo=1 foo
refused 'set=1&set=2' set
refused set=adepd set
refused material= material
refused slot=nowhere slot
refused object_class=-3 object_class
refused imbue=x imbue
refused wield_skill=juggling wield_skill
refused damage_type=love damage_type
refused cantrip_level=ultra cantrip_level
refused cantrip_level=5 cantrip_level
refused min_armor=abc min_armor
refused min_armor= min_armor
refused min_tinks=1.5 min_tinks
refused max_value=2147483648 max_value
refused min_value=-9223372036854775809 min_value
refused 'min_armor=5&max_armor=4' min_armor
refused min_foo_rating=1 min_foo_rating
refused equipped=maybe equipped
refused rare= rare
refused sort=foo sort
refused sort=--name sort
refused sort=spells sort
refused page=0 page
refused page=1000001 page
refused limit=1001 limit
refused limit=1e2 limit
refused 'cursor=x' cursor
refused 'cursor=2.name.a.0.1.1&sort=value' cursor
refused 'cursor=2.name.a.0.1.1&page=2' cursor
refused 'text=%C3%28' text
refused 'q=al%3E%3Dx' q bad_query
is 'a query says where' "$(get '/search/items?q=al%3E1+%22abc' | jq -c '[.position, .code]')" '[5,"bad_query"]'
is 'F47: SQL is text' "$(get "/search/items?spell=%27%20or%201%3D1--&character=%27%3B+drop+table+dt.items" | jq -c .total_count) $(isql 'select count(*) from items')" "0 $total"

is 'the manual has all fields' "$(sed -n 's/^FIELD([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$ROOT/lib/itemq/fields.def" | while read -r field; do grep -q "^\.It $field Ta" "$ROOT/man/dt-serve.8" || echo "$field"; done)" ''
is 'any field of one value orders' "$(get '/search/items?limit=1' | jq -r '.items[0] | to_entries[] | select(.value | type | . != "array" and . != "object") | .key' | while read -r column; do
	[ "$(code "/search/items?limit=1&sort=$column")" = 200 ] || echo "$column"
done)" ''

# ---- what can be asked for ----
get '/search/items?limit=1' >"$T/f"
for p in sets:set materials:material slots:slot; do
	is "picker: ${p%:*}" "$(get "/search/${p%:*}" | jq -c '.values | sort_by(.id)')" "$(jq -c ".facets.${p#*:} | sort_by(.id)" "$T/f")"
done
is 'picker: spells, each item once' "$(get /search/spells | jq -c '[.values[] | select(.id == 6079)]')" "[{\"id\":6079,\"name\":\"Legendary Storm Ward\",\"count\":$(jq '[.[] | select(.Spells | index(6079))] | length' "$T/all")}]"
is 'one that nobody knows' "$(get /search/spells | jq -c '[.values[] | select(.id == 2147483647) | .name]')" '["#2147483647"]'
is 'by name' "$(get /search/materials | jq -c '[.values[].name | ascii_downcase] | . == sort')" true
is 'they take no parameters' "$(code '/search/sets?x=1')" 400
done_testing
