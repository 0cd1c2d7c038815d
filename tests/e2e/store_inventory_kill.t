#!/bin/sh
# only: plain
# Inventories are those of a plain fold of the journal when dt-store --sink inventory, its backend and PostgreSQL are killed with -9 while events pour in.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1
inventory_db

# eight characters with things, of which they pick up, lose, use and hand over some; now and then one logs in again
awk -v now="$(date +%s)" -v n=5000 '
function fields(id) { return sprintf("\"Id\":%d,\"Name\":\"Thing %d\",\"ObjectClass\":%d,\"IntValues\":{\"218103814\":%d,\"19\":%d}", id, id, id % 10 == 0 ? 10 : 1, stack[id], worth[id]) }
function event(type, c, rest) { printf "{\"type\":\"%s\",\"character_name\":\"C%d\",\"timestamp\":\"%s.%06dZ\",%s}\n", type, c, strftime("%Y-%m-%dT%H:%M:%S", now - 3600 + int(k / 20), 1), k, rest }
function delta(c, action, rest) { event("inventory_delta", c, "\"action\":\"" action "\"," rest) }
function all(c,  id, s) { for (id in owner) if (owner[id] == c && rand() > 0.01) s = s (s ? "," : "") "{" fields(id) "}"; event("full_inventory", c, "\"items\":[" s "]") }
BEGIN {
	srand(7)
	for (k = 1; k <= n; k++) {
		c = int(rand() * 8); id = 1000 + int(rand() * 800); r = rand()
		if (k % 97 == 0) { all(c); continue }
		if (r < 0.35 || !(id in owner)) { owner[id] = c; stack[id] = int(rand() * 100); worth[id] = k; delta(c, "add", "\"item\":{" fields(id) "}") }
		else if (r < 0.85) { c = owner[id]; stack[id] = int(rand() * 100); delta(c, "update", sprintf("\"item\":{\"Id\":%d,\"IntValues\":{\"218103814\":%d}}", id, stack[id])) }
		else { delta(owner[id], "remove", "\"item_id\":" id); delete owner[id] }
	}
}' >"$T/events"
lines=$(wc -l <"$T/events")

start fanout dt-fanout || exit 1
follow store --sink inventory --rows 20 --timeout 2 || exit 1
start_plain feed sh -c "split -l 300 --filter='dt-send -w 240; sleep 0.1' $T/events"

stored() { isql "select coalesce((select max(seq) from dt.positions), 0)" 2>/dev/null || echo 0; }
# wait_more N: until so many more events are stored
wait_more() {
	_from=$(stored)
	wait_for '[ "$(stored)" -gt '"$((_from + $1))"' ] || ! alive feed' 20
}
for _ in 1 2 3; do
	wait_more 200
	kill9 store
	follow store --sink inventory --rows 20 --timeout 2 || exit 1
	wait_more 200
	# the backend: PostgreSQL ends all sessions and recovers
	kill -9 "$(isql "select pid from pg_stat_activity where application_name = 'dt-store-inventory' limit 1" 2>/dev/null || echo 999999)" 2>/dev/null
	wait_for 'pg_ready'
done
wait_more 200
pg_stop immediate
pg_run
ok 'all is sent' wait_for '! alive feed' 30
ok 'all is stored' wait_for '[ "$(stored)" = '"$lines"' ]' 40

# the same by a plain fold: who has what, and what was told of it
cat "$DT_DATA"/journal/*.ndjson | jq -r '(.item_id // .item.Id) as $id |
	if .type == "full_inventory" then [._seq, .character_name, "all", ""], (.items[] | [._seq, "", "item", .Id, .IntValues["218103814"], .IntValues["19"]]), [._seq, "", "end", ""]
	else [._seq, .character_name, .action, $id, .item.IntValues["218103814"], .item.IntValues["19"]] end | @tsv' >"$T/steps"
awk -F '\t' '
function take(c, id, s, w, full) {
	if (!(id in owner)) { if (!(id in last) || last[id] == c) looted += told; else moved++ }
	else if (owner[id] != c) moved++
	owner[id] = c; if (s != "" || full) stack[id] = s; if (w != "" || full) worth[id] = w
}
function lose(id) { last[id] = owner[id]; delete owner[id]; delete stack[id]; delete worth[id]; lost++ }
{ told = 1 }
$3 == "all" { who = $2; first = !(who in seen); seen[who] = 1; split("", here); next }
$3 == "item" { here[$4] = 1; told = !first; take(who, $4, $5, $6, 1); next }
$3 == "end" { for (id in owner) if (owner[id] == who && !(id in here)) lose(id); next }
$3 == "remove" { if ($4 in owner && owner[$4] == $2) lose($4); next }
{ take($2, $4, $5, $6, $3 == "add") }
END { for (id in owner) print owner[id] "|" id "|" stack[id] "|" worth[id] >(out "/want"); print "looted|" looted + 0 "\nlost|" lost + 0 "\nmoved|" moved + 0 }' out="$T" "$T/steps" >"$T/moves"
sort "$T/want" >"$T/want.sorted"
isql "select character_name, item_id, stack_count, value from items" | sort >"$T/got"
ok 'there is something to compare' test "$(wc -l <"$T/got")" -gt 100
ok 'the inventories are those of the journal' diff "$T/got" "$T/want.sorted"
is 'each move is told once' "$(isql "select kind, count(*) from item_moves where kind <> 'changed' group by 1 order by 1")" "$(cat "$T/moves")"
is 'what is told of a change is bounded' "$(isql "select count(*) from (select item_id, from_character, to_character from item_moves where kind = 'changed' and source <> 'drift' group by item_id, from_character, to_character, date_trunc('hour', at) having count(*) > 3) x")" 0
is 'items as sent: of each that there is' "$(isql "select count(*) from dt.item_raw r full join dt.items i using (item_id) where r.item_id is null or i.item_id is null or (r.raw->'IntValues'->>'218103814')::int is distinct from i.stack_count")" 0
is 'counts' "$(isql 'select sum(item_count) from dt.characters')" "$(wc -l <"$T/got" | tr -d ' ')"
is 'nothing is put aside' "$(isql 'select count(*) from dead_letters')" 0
ok 'dt-store ends when asked' stop store
done_testing
