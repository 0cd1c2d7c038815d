#!/bin/sh
# An audit adds the totals up again from the journal: it agrees with what is stored, finds each total that was tampered with, and says what it cannot compare.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

dt-sim -n 8 --seconds 1500 --seed 5 --rare-rate 400 --types telemetry,rare,combat_stats >"$T/capture" 2>"$T/sim.log"
mkdir -p "$T/scratch/status"
rx=2026-01-01T12:40:00.000Z
head -n 2000 "$T/capture" | put $rx
store || exit 1
put_at=2001
tail -n +2001 "$T/capture" | put $rx
store || exit 1

scratch_url="postgresql://dereth@/scratch?host=$DT_RUN/pg"
totals() { sql "$(cat "$ROOT/sql/queries/audit_totals.sql")" "$1"; }
# audit [SEQ]: into $T/audit.out, exit status in $code
audit() {
	totals dereth >"$T/live"
	sql 'drop database if exists scratch' postgres 2>>"$T/scratch.log"
	sql 'create database scratch' postgres
	DATABASE_URL=$scratch_url DT_RUN=$T/scratch timeout $((60 * slow)) \
	    dt-store -1 -r "$T/journal" --to "${1:-$(sed -n '1s/.*\t//p' "$T/live")}" 2>>"$T/scratch.log"
	totals scratch >"$T/derived"
	code=0
	awk -f "$ROOT/scripts/audit.awk" "$T/derived" "$T/live" >"$T/audit.out" || code=$?
}
lines=$(($(wc -l <"$T/capture")))

audit
is 'it agrees' "$code" 0
like 'and says on what' "$(tail -n 1 "$T/audit.out")" "^events 1 to $lines of journal journal-[0-9]*: [0-9]{3,} totals compared, 0 differ, 0 cannot be compared\$"
is 'line by line' "$(diff "$T/live" "$T/derived" | wc -l)" 0

# later events of the journal are not looked at
telemetry Late -1 5 | put
audit
is 'to where the database stands' "$code" 0

# every kind of total
name=$(sql "select name from dt.characters where id = (select character_id from dt.combat order by character_id limit 1)")
sql "update dt.characters set total_kills = total_kills + 1 where name = '$name';
	update dt.sessions set deaths_sum = 9 where id = (select min(id) from dt.sessions);
	update dt.combat set max_crit = max_crit + 1 where ctid = (select ctid from dt.combat limit 1);
	update dt.combat_mobs set cloak_surges = 77 where ctid = (select ctid from dt.combat_mobs limit 1);
	update dt.combat_characters set damage_given = 1 where character_id = (select min(character_id) from dt.combat_characters);
	update dt.combat_sessions set kills_sum = 0 where session_id = (select min(session_id) from dt.combat_sessions);
	delete from dt.rares where ctid = (select ctid from dt.rares limit 1)"
audit
is 'what was tampered with is found' "$code $(cut -d: -f1,2 "$T/audit.out" | sed -n 's/^\(differs: [a-z_]*\) .*/\1/p' | sort | tr '\n' ' ')" \
    '1 differs: character differs: combat differs: combat_counters differs: combat_monster differs: combat_session differs: rare differs: session '
like 'with both values' "$(grep "^differs: character" "$T/audit.out")" "^differs: character \"$name\": the database has kills=[0-9]+ .*; the journal gives kills=[0-9]+ "
like 'also what is missing' "$(grep '^differs: rare' "$T/audit.out")" ': the database lacks it; the journal gives tier='

audit 100
is 'another event: no comparison' "$code" 65
like 'and why' "$(cat "$T/audit.out")" "^not comparable: the database is at event $lines of journal [^,]*, the journal was read to 100 "

# the journal has lost its beginning: what began there is not compared, what began later is
sql 'truncate dt.positions, dt.characters, dt.sessions, dt.telemetry, dt.rares, dt.combat, dt.combat_mobs, dt.combat_characters, dt.combat_sessions, dt.mobs'
{
	SESSION=young telemetry "$name" -40 3
	telemetry Newcomer -50 7
	telemetry Newcomer -40 9
	printf '{"type":"combat_stats","character_name":"Newcomer","timestamp":"%s","session_id":"s1","seq":1,"monsters":{"Rat":{"kills":2}}}\n' "$(at -30)"
} | put
store || exit 1
rm "$T/journal/00000000000000000001.ndjson"
audit
is 'a journal without its beginning: what is left agrees' "$code" 0
like 'it says what it cannot compare' "$(cat "$T/audit.out")" 'not compared: [0-9]+ of [0-9]+ lines of kind character began before event 2001 or elsewhere'
sql "update dt.sessions set kills_sum = 4 where session = 'young'; update dt.characters set total_kills = total_kills + 1; update dt.combat_mobs set kills = kills + 1"
audit
is 'what began inside is still compared' "$code $(sed -n 's/^\(differs: .*\): the .*/\1/p' "$T/audit.out" | sort)" "1 differs: character \"Late\"
differs: character \"Newcomer\"
differs: combat_monster [\"Newcomer\", \"Rat\"]
differs: session [\"$name\", \"young\"]"

# a database that is older than the numbers: it says so, and blames nobody for what it did not keep then
sql 'update dt.characters set journal = null, first_seq = null; update dt.sessions set journal = null, first_seq = null; delete from dt.combat_mobs'
audit
is 'totals of unknown beginning are not compared' "$code $(tail -n 1 "$T/audit.out" | sed 's/.*: \([0-9]* totals compared, [0-9]* differ\).*/\1/')" '0 0 totals compared, 0 differ'
done_testing
