#!/bin/sh
# Roll-ups equal an aggregate over the rows: loaded, again, late, by halves, killed in the middle, made afterwards; what is past retention does not count.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

# three characters over some hours from BEGIN seconds ago, sessions that change, numbers that are missing, spawns in cells of both signs
capture() {
	awk -v now="$store_now" -v begin="$1" -v n="${2:-400}" -v step="${3:-13}" 'function t(s) { return strftime("%Y-%m-%dT%H:%M:%S", now - begin + s, 1) ".5Z" }
	function head(type, s) { return "{\"type\":\"" type "\",\"character_name\":\"Roller " k "\",\"timestamp\":\"" t(s) "\"" }
	BEGIN {
		for (i = 0; i < n; i++) for (k = 0; k < 3; k++) {
			s = i * step + k
			print head("telemetry", s) ",\"session_id\":\"s" int(i / 90) "\",\"ew\":" i / 8 ",\"ns\":-1.25,\"z\":" k ",\"kills\":" i % 90 * (k + 1) \
			    (i % 7 ? ",\"kills_per_hour\":\"" i % 50 ".5\"" : ",\"kills_per_hour\":\"N/A\"") ",\"deaths\":\"" int(i / 50) "\"" \
			    (i % 3 ? ",\"mem_mb\":" 300 + i % 9 ".25,\"cpu_pct\":" k ".75,\"mem_handles\":" 900 + i % 70 : "") (k ? ",\"latency_ms\":" 20 + i % 30 : "") \
			    (i % 5 ? ",\"prismatic_taper_count\":\"" 9000 - i "\",\"vt_state\":\"Hunt\\t" i % 4 "\"" : "") ",\"onlinetime\":\"00:" int(i / 60) "\",\"char_tag\":\"t" k "\"}"
			if (i % 4 == 0) for (j = 0; j < 3; j++)
				print head("spawn", s) ",\"mob\":\"Rat " j % 2 "\",\"ew\":\"" (i % 6 - 3) / 20 "\",\"ns\":\"" j ".25\",\"z\":\"0\"}"
		}
	}'
}
differences() { sql "select coalesce((select what || ' ' || which from rollup_differences limit 1), 'none')"; }
replayed() { sed 's/^{/{"_replay":true,/'; }
views() { psql -X -q -v ON_ERROR_STOP=1 -h "$DT_RUN/pg" -U dereth -d dereth -f "$ROOT/tests/rollup.sql"; }

capture 15000 >"$T/one"
put <"$T/one"
store
views || exit 1
is 'rows that came once' "$(differences)" none
is 'there are some' "$(sql 'select sum(n) from dt.telemetry_1m') $(sql 'select sum(n) from dt.telemetry_6h') $(sql 'select sum(n) from dt.spawn_cells_1h')" '1200 1200 900'
is 'in buckets of every width' "$(sql 'select count(distinct tier), count(distinct bucket) > 80 from dt.telemetry_rollup')" '4|t'

put <"$T/one"
store
is 'the same again' "$(differences)" none
shuf --random-source=/dev/zero "$T/one" | put
store --rows 37
is 'in another order' "$(differences)" none
is 'nothing counted twice' "$(sql 'select sum(n) from dt.telemetry_1h') $(sql 'select sum(n) from dt.spawn_cells_1h')" '1200 900'

# between the rows that are there, some of them new, some twice in one batch, some of a character that is new
capture 14997 500 11 | sed 's/Roller 2/Newcomer/' >"$T/late"
cat "$T/late" "$T/late" | shuf --random-source=/dev/zero | put
store --rows 251
is 'late rows' "$(differences)" none
ok 'they count' [ "$(sql 'select sum(n) from dt.telemetry_10m')" -gt 2000 ]
capture $((20 * 86400)) | grep -v '"spawn"' | replayed | put
capture $((5 * 86400)) | replayed | put
store
is 'rows of old days' "$(differences)" none

sql 'truncate dt.telemetry, dt.spawns, dt.telemetry_rollup, dt.spawn_cells_1h, dt.characters, dt.sessions, dt.mobs'
half=$(($(wc -l <"$T/one") / 2))
{ head -n $((half + 100)) "$T/one"; head -n $half "$T/late"; } | put
store
{ tail -n +$half "$T/late"; tail -n +$half "$T/one"; } | put
store --rows 500
is 'two halves that overlap' "$(differences)" none
rolled() { sql 'select md5(string_agg(r::text, chr(10) order by tier, bucket, name)) from have_rollup r join dt.characters on id = character_id'; }
halves=$(sql 'select sum(n), max(last_at) from dt.telemetry_1m')
cat "$T/one" "$T/late" | put
store
is 'all of it changes nothing' "$(sql 'select sum(n), max(last_at) from dt.telemetry_1m')" "$halves"

# killed with -9 again and again, rows that are surely new and such as may be there
capture 14000 1500 2 >"$T/long"
capture 9000 1500 2 >>"$T/long"
part=$(($(wc -l <"$T/long") / 6 + 1))
position() { sql 'select coalesce(max(seq), 0) from dt.positions'; }
killed=0
for n in 0 1 2 3 4 5; do
	# a part each time: who stands still when it should kill comes too late for that one only
	from=$(cat "$T/seq")
	tail -n +$((n * part + 1)) "$T/long" | head -n $part | put
	last=$(cat "$T/seq")
	follow store -r "$T/journal" --rows 23 || exit 1
	wait_for '[ "$(position)" -gt '"$((from + 300))"' ] || [ "$(position)" = '"$last"' ]'
	kill9 store
	[ "$(position)" = "$last" ] || killed=$((killed + 1))
done
ok 'killed in the middle' [ "$killed" -gt 0 ]
store
is 'and all is stored in the end' "$(position)" "$last"
is 'roll-ups as the rows' "$(differences)" none

# past retention: nobody can tell whether it was there before
capture $((45 * 86400)) 30 | replayed | put
capture $((9 * 86400)) 30 | replayed | grep '"spawn"' | put
before=$(sql 'select sum(n) from dt.telemetry_1m') cells=$(sql 'select sum(n) from dt.spawn_cells_1h')
store
is 'rows past retention do not count' "$(sql 'select sum(n) from dt.telemetry_1m') $(sql 'select sum(n) from dt.spawn_cells_1h')" "$before $cells"
ok 'they were stored' [ "$(sql "select count(*) from dt.telemetry where \"timestamp\" < now() - interval '40 days'")" = 90 ]
store --rows 10
is 'until the next upkeep' "$(sql "select count(*) from dt.telemetry where \"timestamp\" < now() - interval '40 days'") $(sql "select count(*) from dt.spawns where \"timestamp\" < now() - interval '8 days'")" '0 0'
is 'roll-ups as the rows that are left' "$(differences)" none

# what is made of rows that were there before
before=$(rolled)
sql 'drop view rollup_differences, have_rollup, want_rollup, want_cells; drop table dt.telemetry_rollup, dt.spawn_cells_1h, dt.kept cascade;
	drop function dt.bucket, dt.counts_from, dt.forget_rollups' 2>/dev/null
sql "delete from dt.migrations where name like '004%'"
store
views || exit 1
is 'made afterwards' "$(differences)" none
is 'the very same' "$(rolled)" "$before"

# a migration of a large database takes longer than a transaction may
mkdir -p "$T/tree/build/bin"
cp "$BIN/dt-store" "$T/tree/build/bin"
cp -r "$ROOT/sql" "$ROOT/Makefile" "$T/tree"
echo 'select pg_sleep(4)' >"$T/tree/sql/dereth/990_slow.sql"
ok 'a migration takes the time it needs' "$T/tree/build/bin/dt-store" -1 -r "$T/journal" --timeout 2
is 'and is there' "$(sql "select count(*) from dt.migrations where name like '990%'")" 1
sql "delete from dt.migrations where name like '990%'"

# how long roll-ups are kept
sql "insert into dt.telemetry_rollup
	select tier, 1, dt.bucket(tier, now() - age), now() - age, 1, null, 1, 2, 3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null
	from (values (60), (600), (3600), (21600)) t (tier), (values (interval '60 days'), ('100 days'), ('3 years')) a (age);
	insert into dt.spawn_cells_1h select dt.bucket(3600, now() - age), 1, 1, 1, 1 from (values (interval '20 days'), ('40 days')) a (age)"
store
is 'minutes for 90 days, ten minutes for a year, hours for ever' "$(sql "select string_agg(tier || '/' || n, ' ' order by tier) from (
	select tier, count(*) n from dt.telemetry_rollup where last_at < now() - interval '50 days' group by 1) x")" '60/1 600/2 3600/3 21600/3'
is 'cells for 30 days' "$(sql "select count(*) from dt.spawn_cells_1h where hour < now() - interval '15 days'")" 1
done_testing
