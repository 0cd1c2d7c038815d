#!/bin/sh
# Daily partitions: made ahead, made for old rows, dropped behind; rows that found none move; the indexes by block are kept up to date.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1
same_day 120
day() { date -u -d "@$(($(date +%s) + $1 * 86400))" +%Y%m%d; }
days() { sql "select string_agg(to_char(d, 'YYYYMMDD'), ' ' order by d) from dt.days('$1') d"; }
ahead="$(day -1) $(day 0) $(day 1) $(day 2) $(day 3)"

telemetry A -5 1 | put
store
is 'telemetry: days made ahead' "$(days telemetry)" "$ahead"
is 'spawns: days made ahead' "$(days spawns)" "$ahead"
is 'plain PostgreSQL' "$(sql 'select string_agg(distinct engine, $$ $$) from dt.series')" plain

replayed() { telemetry "$1" "$2" 1 | sed 's/^{/{"_replay":true,/'; }
{ replayed A $((-20 * 86400)); replayed A $((-40 * 86400)); replayed B $((-20 * 86400)); } | put
store
is 'an old row gets a day of its own, unless it is past retention' "$(days telemetry)" "$(day -20) $ahead"
is 'and lies in it' "$(sql "select count(*) from dt.telemetry_$(day -20)") $(sql 'select count(*) from dt.telemetry_default')" '2 1'
telemetry A -4 2 | put
store
is 'what is past retention goes at the next start' "$(sql 'select count(*) from dt.telemetry_default')" 0
is 'the rest stays' "$(sql 'select count(*) from telemetry_events')" 4

# a day that somebody dropped: its rows wait in the default partition and move
sql "drop table dt.telemetry_$(day -20)"
sql "insert into dt.telemetry (\"timestamp\", received_at, character_id) select now() - interval '20 days', now(), id from dt.characters where name = 'A'"
is 'a row without a day' "$(sql 'select count(*) from dt.telemetry_default')" 1
replayed C $((-20 * 86400)) | put
store
is 'moves when its day is made' "$(sql 'select count(*) from dt.telemetry_default') $(sql "select count(*) from dt.telemetry_$(day -20)")" '0 2'

sql "insert into dt.spawns select now() - interval '9 days', 1, 1, 0, 0, 0"
sql 'select dt.maintain()' >"$T/out"
is 'spawns are kept for less long' "$(sql 'select count(*) from dt.spawns')" 0

# days grow old: a part of what is kept is dropped day by day, the default partition too; days with rows that are kept stay
sql "update dt.series set keep = '15 days' where name = 'telemetry'"
kept=$(sql "select count(*) from telemetry_events where \"timestamp\" >= now() - interval '15 days'")
sql "insert into dt.telemetry (\"timestamp\", received_at, character_id) select now() - interval '200 days', now(), 1"
sql 'select dt.maintain()' >"$T/out"
is 'a day past retention is dropped' "$(days telemetry)" "$ahead"
is 'with its rows, those of no day too' "$(sql 'select count(*), count(*) filter (where "timestamp" < now() - interval $$15 days$$) from telemetry_events')" "$kept|0"
is 'what is dropped is gone' "$(sql "select count(*) from pg_class where relname = 'telemetry_$(day -20)'")" 0
{ replayed E $((-14 * 86400)); replayed E $((-16 * 86400)); } | put
store
is 'a day that is kept is made, one that is not is not' "$(days telemetry)" "$(day -14) $ahead"
sql "update dt.series set keep = '30 days' where name = 'telemetry'"
replayed C $((-20 * 86400)) | put
store
ok 'tending twice is harmless' sql 'select dt.maintain()'
is 'the block index covers all' "$(sql 'select dt.summarize()' >"$T/out"; sql 'select dt.summarize()')" 0

# dt-serve reads while days are made and dropped: neither waits for the other for long
sql "select pg_sleep(6) from dt.telemetry limit 1" >"$T/out" &
reader=$!
reading() { [ "$(sql "select count(*) from pg_stat_activity where query like '%pg_sleep(6)%' and state = 'active' and pid <> pg_backend_pid()")" = 1 ]; }
wait_for reading
replayed D $((-25 * 86400)) | put
store
is 'a long reader delays a new day, no more' "$(days telemetry)" "$(day -25) $(day -20) $(day -14) $ahead"
wait "$reader"
done_testing
