#!/bin/sh
# Two dt-stores side by side, each with its database, position and status file, take a simulated fleet's stream; the inventories are those of the stream.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
. "$ROOT/tests/serve.sh"
pg_start || exit 1
inventory_db
fanout_start

start telemetry dt-store || exit 1
start inventory dt-store --sink inventory || exit 1
status 'a third one for the same' 75 dt-store --sink inventory
like 'is told so' "$(cat "$T/err")" 'another dt-store already stores inventory'

dt-sim -n 12 --seed 3 --rate max --seconds 1200 -t 'telemetry,full_inventory,inventory,inventory_delta' >"$T/stream"
ok 'the fleet has inventories and changes them' sh -c "grep -c '\"full_inventory\"' '$T/stream' && [ \$(grep -c '\"inventory_delta\"' '$T/stream') -gt 50 ]"
ok 'it is sent' sh -c "dt-send <'$T/stream'"
lines=$(cat "$DT_DATA"/journal/*.ndjson | wc -l)
newest=$(grep -hE '"(full_inventory|inventory|inventory_delta)"' "$DT_DATA"/journal/*.ndjson | tail -n 1 | jq ._seq)
ok 'inventories are stored' wait_for '[ "$(isql "select seq from dt.positions")" -ge '"$newest"' ]' 20
ok 'telemetry is stored' wait_for '[ "$(sql "select seq from dt.positions")" -ge '"$(grep -h '"telemetry"' "$DT_DATA"/journal/*.ndjson | tail -n 1 | jq ._seq)"' ]' 20
ok 'there was something' test "$lines" -gt 1000

# a plain fold: of each item the last that had it
cat "$DT_DATA"/journal/*.ndjson | jq -r 'def facts: [.Id, .IntValues["218103814"] // .IntValues["12"], .IntValues["19"], .IntValues["10"]];
	if .type == "full_inventory" or .type == "inventory" then [.character_name, "all"], (.items[] | ["", "item"] + facts), ["", "end"]
	elif .type == "inventory_delta" then [.character_name, .action] + (if .action == "remove" then [.item_id // .item.Id] else (.item | facts) end)
	else empty end | @tsv' >"$T/steps"
awk -F '\t' '
function take(c, id, s, w, e, full) { owner[id] = c; if (s != "" || full) stack[id] = s; if (w != "" || full) worth[id] = w; if (e != "" || full) worn[id] = e + 0 }
function lose(id) { delete owner[id]; delete stack[id]; delete worth[id]; delete worn[id] }
$2 == "all" { who = $1; split("", here); next }
$2 == "item" { here[$3] = 1; take(who, $3, $4, $5, $6, 1); next }
$2 == "end" { for (id in owner) if (owner[id] == who && !(id in here)) lose(id); next }
$2 == "remove" { if ($3 in owner && owner[$3] == $1) lose($3); next }
{ take($1, $3, $4, $5, $6, $2 == "add") }
END { for (id in owner) print owner[id] "|" id "|" stack[id] "|" worth[id] "|" worn[id] }' "$T/steps" | sort >"$T/want"
isql 'select character_name, item_id, stack_count, value, equipped_slot from items' | sort >"$T/got"
ok 'there is something to compare' test "$(wc -l <"$T/got")" -gt 500
ok 'inventories are those of the stream' diff "$T/got" "$T/want"
is 'no item lies in a pack of somebody else' "$(isql 'select count(*) from dt.items i left join dt.items p on p.item_id = i.container_id where i.container_id <> 0 and (p.item_id is null or p.character_id <> i.character_id or p.object_class not in (10, 38))')" 0
is 'nothing is put aside' "$(isql 'select count(*) from dead_letters')" 0

# figures of both
wait_for '[ "$(metric dt-store rows_total telemetry_events)" -gt 0 ]'
serve_start
ok 'two sets of figures' wait_for "curl -s $URL/metrics >'$T/metrics' && grep -q 'dt_up{program=\"dt-store-inventory\"} 1' '$T/metrics' && grep -q 'dt_up{program=\"dt-store\"} 1' '$T/metrics'"
like 'of the one' "$(grep dt_store_rows_total "$T/metrics")" 'dt_store_rows_total\{table="telemetry_events"\} [1-9]'
like 'of the other' "$(grep dt_store_rows_total "$T/metrics")" 'dt_store_rows_total\{instance="inventory",table="items"\} [1-9]'
if command -v promtool >/dev/null; then ok 'promtool is content' sh -c "promtool check metrics <'$T/metrics'"; else pass 'promtool is content # SKIP not installed'; fi
like 'dt-tap -S shows both' "$(dt-tap -S)" 'dt-store-inventory'
ok 'both end when asked' stop inventory
ok 'and the other' stop telemetry
done_testing
