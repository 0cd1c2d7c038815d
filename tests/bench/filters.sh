# shellcheck shell=sh
# What bench_api.sh searches for: sourced by it.
#
#   single_filters      name=value of each parameter of /search/items in the contract, with a value that some items meet
#   combinations        ten of several

single_filters() {
	curl -s "$URL/search/items?limit=200&sort=-armor_level" >"$T/some.json"
	jq -r '.paths["/search/items"].get.parameters[] | [.name // "", .schema.type // ""] | @tsv' "$ROOT/static/contract/openapi.json" | grep -vE '^(|limit|page|cursor)	' |
	    while read -r name type; do
		case $name in
		text | name) value=ring ;;
		description) value=the ;;
		q) value='al%3E=300+-equipped' ;;
		sort) value=-value ;;
		spell) value=strength ;;
		active_spell) value=$(jq '[.items[].active_spells[]? | if type == "object" then .id else . end][0] // 4407' "$T/some.json") ;;
		cantrip_level) value=epic ;;
		equipped | bonded | attuned | rare) value=true ;;
		damage_type) value=fire ;;
		imbue) value=$(jq -r '[.items[].imbue // empty | if type == "object" then .id else . end][0] // 1 | tostring | @uri' "$T/some.json") ;;
		slot) value=$(jq -r '[.items[].slots[]?][0] // "head" | @uri' "$T/some.json") ;;
		wield_skill) value=$(jq -r '[.items[].wield_skill // empty][0] // 6 | tostring | @uri' "$T/some.json") ;;
		character) value=$one ;;
		material | set | object_class | item_id | container_id | equipped_slot) value=$(jq -r --arg n "$name" '[.items[][$n] // empty][0] // 1 | tostring | @uri' "$T/some.json") ;;
		max_icon | max_wcid) value=30000 ;;
		max_*) value=1000 ;;
		*) value=1 ;;
		esac
		echo "$name=$value"
	done
}

combinations() {
	cat <<-'E'
		min_armor=300&material=iron
		text=ring&min_value=10000&sort=-value
		min_workmanship=6&min_tinks=1&equipped=true
		spell=strength&spell=endurance
		cantrip_level=legendary&min_armor=100&sort=-armor_level
		slot=head&min_armor=200&max_armor=400&sort=name
		min_damage=10&damage_type=slash&sort=-damage_max
		min_crit_damage_rating=1&max_level=180&sort=-workmanship
		q=al%3E%3D300+cantrip%3Aepic+-equipped&sort=-armor_level
		q=value%3E5000+spell%3A%22ward%22+tinks%3E%3D1&sort=-value&limit=1000
	E
}
