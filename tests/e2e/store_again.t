#!/bin/sh
# The same capture of a fleet, all accumulators compared: fed twice, in halves that overlap, shuffled within a second, by small batches, as a replay, through kills -9 of the store and the database.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

# the same bytes whenever it runs
rx=2026-01-01T12:40:00.000Z
dt-sim -n 10 --seconds 1500 --seed 13 --rare-rate 300 --types telemetry,spawn,rare,combat_stats,character_stats,quest,equipment_cantrip_state,dungeon_map \
    >"$T/capture" 2>"$T/sim.log"

everything() {
	sql "select name, total_kills, total_deaths, deaths_at, total_rares, tapers, tapers_at, session_at, (select session from dt.sessions s where s.id = c.session_id)
	    from dt.characters c order by 1"
	sql 'select c.name, session, first_at, last_at, kills, deaths, kills_sum, deaths_sum from dt.sessions s join dt.characters c on c.id = s.character_id order by 1, 2'
	sql 'select * from rare_stats_sessions order by 1, 2'
	sql 'select "timestamp", character_name, name, tier from rare_events order by 1, 2, 3'
	sql 'select * from combat_stats order by 1, 2, 3, 4, 5'
	sql 'select * from combat_stats_monsters order by 1, 2'
	sql 'select * from combat_stats_totals order by 1'
	sql 'select c.name, x.at, x.seq, x.kills_sum, x.damage_given_sum, x.damage_received_sum, x.snapshot from dt.combat_sessions x join dt.characters c on c.id = x.character_id order by 1, 2, 3'
	sql 'select character_name, "timestamp", event from character_stats order by 1'
	sql 'select character_name, quest_name, "timestamp", countdown, solves from quests order by 1, 2'
	sql 'select character_name, "timestamp", event from equipment_cantrip_state order by 1'
	sql 'select landblock, "timestamp", event from dungeon_maps order by 1'
}
tables='dt.characters, dt.sessions, dt.mobs, dt.telemetry, dt.spawns, dt.rares, dt.combat, dt.combat_mobs, dt.combat_characters, dt.combat_sessions,
	dt.character_stats, dt.quests, dt.equipment_cantrips, dt.dungeon_maps, dt.positions'
# fresh EVENTS…: an empty database and journal, then each file in a run of its own
fresh() {
	sql "truncate $tables"
	rm -f "$T"/journal/*.ndjson*
	echo 0 >"$T/seq"
	for _f; do
		put $rx <"$_f"
		store --rows "$rows" || return 1
	done
	everything >"$T/got"
}
same() { ok "$1" cmp "$T/want" "$T/got" || diff "$T/want" "$T/got" | head -n 20 | cut -c1-200 | sed 's/^/# /'; }

rows=10000
put $rx <"$T/capture"
store
everything >"$T/want"

# by the contract, from the capture itself
is 'kills: what each session grew by' "$(sql 'select * from char_stats where total_kills > 0 order by 1')" \
    "$(jq -rn '[inputs | select(.type == "telemetry")] | group_by(.character_name) | map({ n: .[0].character_name, k: (group_by(.session_id) | map(map(.kills) | max) | add) })
	| sort_by(.n | explode)[] | select(.k > 0) | "\(.n)|\(.k)"' "$T/capture" | LC_ALL=C sort)"
is 'deaths: as stated last' "$(sql 'select sum(total_deaths) from dt.characters')" \
    "$(jq -n '[inputs | select(.type == "telemetry")] | group_by(.character_name) | map(last.total_deaths | tonumber) | add' "$T/capture")"
is 'rares: each once' "$(sql 'select sum(total_rares) from rare_stats')" "$(grep -c '"type":"rare"' "$T/capture")"
is 'tapers: the newest count' "$(sql 'select sum(tapers) from dt.characters')" \
    "$(jq -n '[inputs | select(.type == "telemetry")] | group_by(.character_name) | map(last.prismatic_taper_count | tonumber) | add' "$T/capture")"
jq -rn '[inputs | select(.type == "combat_stats")] | group_by([.character_name, .session_id]) | map(last)
    | [.[] | .character_name as $c | .monsters | to_entries[] | .key as $m | .value | ("given", "received") as $d | .[$d] | to_entries[] | .key as $a | .value | to_entries[]
      | { k: [$c, $m, $d, $a, .key], v: .value }]
    | group_by(.k)[] | [.[0].k[], (map(.v.attacks) | add), (map(.v.failed) | add), (map(.v.crits) | add), (map(.v.normal_damage) | add), (map(.v.max_normal) | max),
      (map(.v.crit_damage) | add), (map(.v.max_crit) | max)] | join("|")' "$T/capture" | LC_ALL=C sort >"$T/combat"
sql 'select * from combat_stats' | LC_ALL=C sort >"$T/combat.got"
ok 'combat: each counter is the sum over the last snapshots' cmp "$T/combat" "$T/combat.got"
ok 'there is some' test "$(wc -l <"$T/combat")" -gt 100
is 'more than one session' "$(sql 'select count(*) > (select count(*) from dt.characters) from dt.sessions')" t

fresh "$T/capture" "$T/capture"
same 'twice'
lines=$(wc -l <"$T/capture")
head -n $((lines * 6 / 10)) "$T/capture" >"$T/first"
tail -n +$((lines * 4 / 10)) "$T/capture" >"$T/second"
fresh "$T/first" "$T/second"
same 'in two parts that overlap'
fresh "$T/first" "$T/second" "$T/first"
same 'and the first again'
awk 'BEGIN { srand(7) } { t = match($0, /"timestamp":"[^.]*/) ? substr($0, RSTART, RLENGTH) : ""; printf "%s\t%.9f\t%s\n", t, rand(), $0 }' "$T/capture" |
    LC_ALL=C sort -t "$(printf '\t')" -k1,2 | cut -f3- >"$T/shuffled"
ok 'the order is another' sh -c "! cmp -s '$T/capture' '$T/shuffled'"
fresh "$T/shuffled"
same 'shuffled within a second'
rows=150
fresh "$T/shuffled"
same 'by small batches'
rows=10000
sed 's/^{/{"_replay":true,/' "$T/capture" >"$T/replay"
fresh "$T/capture" "$T/replay"
same 'and a replay of it'

# the store and its database, killed again and again
sql "truncate $tables"
rm -f "$T"/journal/*.ndjson*
echo 0 >"$T/seq"
put $rx <"$T/capture"
position() { sql 'select coalesce(max(seq), 0) from dt.positions'; }
# moved N: so many events further, or at the end
moved() { wait_for '_at=$(position); [ "${_at:-0}" -gt $((from + '"$1"')) ] || [ "${_at:-0}" -ge $lines ]' 20; }
for who in store database store database; do
	from=$(position)
	start_plain store dt-store -r "$T/journal" --rows 100
	moved 1000
	if [ "$who" = database ]; then
		pg_stop immediate
		pg_run
		from=$(position)
		moved 500
	fi
	kill9 store
done
ok 'killed four times, then to the end' store
everything >"$T/got"
same 'after kills -9'
done_testing
