#!/bin/sh
# dt-store on TimescaleDB: the same migrations, rows, totals and roll-ups as on plain PostgreSQL, the same answers to the same queries; its retention works.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
. "$(dirname "$0")/../timescale.sh"
pg_start || exit 1

# The branch that plain PostgreSQL never takes, with functions of the extension's names and arguments that do nothing: is its SQL right at all?
sql 'create database branch' postgres
{
	echo 'create schema dt;
		create function create_hypertable(relation regclass, time_column_name name, chunk_time_interval anyelement, create_default_indexes boolean)
			returns void language sql as $$ $$;
		create function add_retention_policy(relation regclass, drop_after interval) returns int language sql as $$ select 1 $$;
		create function drop_chunks(relation regclass, older_than interval) returns setof text language sql as $$ select relation::text $$;'
	cat "$ROOT/sql/dereth/001_series.sql"
	echo "create or replace function dt.engine() returns text language sql as 'select ''timescale'' ';"
	for f in "$ROOT"/sql/dereth/*.sql; do case $f in */001_*) ;; *) cat "$f" ;; esac; done
	echo "select dt.maintain(); update dt.series set engine = 'timescale-apache'; select dt.maintain(), dt.forget_rollups(), dt.summarize();"
	echo "select dt.make_series('by_apache', '\"timestamp\" timestamptz not null', '1 day')"
} >"$T/branch.sql"
ok 'the migrations take the branch of TimescaleDB' psql -X -q -v ON_ERROR_STOP=1 -h "$DT_RUN/pg" -U dereth -d branch -f "$T/branch.sql"
is 'which makes no days of its own' "$(sql "select count(*) from pg_class where relname ~ '_\d{8}$'" branch)" 0

if ! timescale_here; then
	pass 'on TimescaleDB # SKIP: TimescaleDB: its npm package is not installed (scripts/test installs it)'
	done_testing
fi
ok 'a server with TimescaleDB' timescale_start
alive timescale || done_testing

# the same journal into both
dt-sim --characters 5 --seed 7 --rare-rate 300 --seconds 900 --rate max --start "$(at -5000)" >"$T/capture" 2>"$T/sim.log"
put "$(at -4000 | sed 's/Z$/.000Z/')" <"$T/capture"
both() { "$@" && on_timescale "$@"; }
each() { printf '%s\n' "plain: $(sql "$1")" "timescale: $(on_timescale sql "$1")"; }
same() {
	_plain=$(sql "$2" 2>&1) _timescale=$(on_timescale sql "$2" 2>&1)
	if [ -n "$_plain" ]; then is "$1" "$_timescale" "$_plain"; else fail "$1: nothing there"; fi
}
ok 'stored in both' both store
is 'by the engine that it is' "$(each "select string_agg(distinct engine, ' ') from dt.series")" 'plain: plain
timescale: timescale'
is 'tables by day are hypertables' "$(on_timescale sql 'select string_agg(hypertable_name, $$ $$ order by hypertable_name) from timescaledb_information.hypertables')" 'spawns telemetry'

query() {
	_file=$ROOT/sql/queries/$1.sql
	{ echo "set timezone = 'UTC'; prepare q as"; cat "$_file"; echo "; execute q $2"; } >"$T/query.sql"
	psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$DT_RUN/pg" -U dereth -d dereth -f "$T/query.sql" 2>&1
}
in_order() { if grep -q 'order by' "$ROOT/sql/queries/$1.sql"; then cat; else sort; fi; }
answers() {
	query "$@" | in_order "$1" >"$T/plain.answer"
	on_timescale query "$@" | in_order "$1" >"$T/timescale.answer"
	_rows=$(wc -l <"$T/plain.answer")
	if [ "$_rows" -gt 0 ] && ! grep -q ERROR "$T/plain.answer"; then
		ok "the same answer: $1 ($_rows rows)" cmp "$T/plain.answer" "$T/timescale.answer"
	else
		fail "an answer: $1"
		sed -n '1,5s/^/# /p' "$T/plain.answer"
	fi
}
compare_all() {
	same "totals $1" 'select (select count(*) from telemetry_events), (select count(*) from spawn_events), (select count(*) from rare_events),
		(select string_agg(s::text, chr(10) order by character_name) from char_stats s), (select sum(total_rares) from rare_stats)'
	same "rows $1" "select md5(string_agg(t::text, chr(10) order by t.\"timestamp\", character_name)) from telemetry_events t"
	same "roll-ups $1" "select count(*), md5(string_agg(r::text, chr(10) order by r::text)) from telemetry_rollups r"
	same "cells $1" "select sum(n), md5(string_agg(r::text, chr(10) order by r::text)) from spawn_cells r"
}
compare_all 'the same'
from=$(at -6000) to=$(at 0)
name=$(sql 'select name from dt.characters where id = 2' | sed "s/'/''/g")
answers history_raw "('$from', '$to', null, 100, null, null)"
answers history_raw "('$from', '$to', '$name', 5000, '$(at -4500)', 1)"
for tier in 60 600 3600 21600; do answers history_tier "('$(at -40000)', '$to', null, 5000, null, null, $tier)"; done
answers history_steps "('$(at -40000)', '$to', '$name', 5000, null, null, 60, 120)"
hour=$((store_now / 3600))
answers spawn_cells "('{$((hour - 2)),$((hour - 1)),$hour}', 'none')"
answers trails "('$from', '$to', null, 10)"
for q in load_characters load_sessions load_mobs; do answers $q '' 2>/dev/null; done

# again, killed, restarted, late
put <"$T/capture"
sed 's/^{/{"_replay":true,/' "$T/capture" | sed 's/"timestamp":"\(....-..-..\)T/"timestamp":"'"$(at $((-3 * 86400)) | cut -c 1-10)"'T/' | put
both store --rows 3000
compare_all 'the same when fed again and late'
on_timescale start again dt-store -r "$T/journal" --rows 50
telemetry Late -50 1 | put
wait_for '[ "$(on_timescale sql "select count(*) from telemetry_events where character_name = '"'Late'"'")" = 1 ]'
kill9 again
telemetry Late -40 2 | put
ok 'goes on after kill -9' both store
compare_all 'the same after that'

# retention: chunks past it go by the extension's own jobs, or by dt.maintain where the edition has none
old() {
	on_timescale sql "insert into dt.telemetry (\"timestamp\", received_at, character_id) select now() - interval '40 days', now(), 1;
		insert into dt.spawns select now() - interval '9 days', 1, 1, 0, 0, 0"
}
past() { on_timescale sql "select (select count(*) from dt.telemetry where \"timestamp\" < now() - interval '31 days'), (select count(*) from dt.spawns where \"timestamp\" < now() - interval '8 days')"; }
kept=$(on_timescale sql 'select (select count(*) from dt.telemetry), (select count(*) from dt.spawns)')
old
is 'rows past retention' "$(past)" '1|1'
for job in $(on_timescale sql "select job_id from timescaledb_information.jobs where proc_name = 'policy_retention'"); do on_timescale sql "call run_job($job)"; done 2>"$T/jobs.log"
is 'its jobs drop them' "$(past) $(on_timescale sql 'select (select count(*) from dt.telemetry), (select count(*) from dt.spawns)')" "0|0 $kept"
old
on_timescale sql "update dt.series set engine = 'timescale-apache'; select dt.maintain(); update dt.series set engine = 'timescale'" >"$T/out"
is 'dt.maintain does where there are no jobs' "$(past) $(on_timescale sql 'select (select count(*) from dt.telemetry), (select count(*) from dt.spawns)')" "0|0 $kept"
done_testing
