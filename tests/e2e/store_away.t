#!/bin/sh
# dt-store without a database, with one that goes away, hangs or is somebody else's, a second store, migrations that do not fit, and being asked to stop.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"

status 'a sink that is none' 64 dt-store --sink cellar
status '-1 without -r' 64 dt-store -1
status '-r with -s' 64 dt-store -r x -s y
status 'an operand' 64 dt-store x
status 'no journal' 66 dt-store -1 -r "$T/nowhere"
status 'a directory that is no journal' 66 dt-store -1 -r "$T"
status 'a URL that is none' 78 env DATABASE_URL='postgresql://u:p%%@h/' dt-store -1 -r "$T/journal"
unlike 'its password is not shown' "$(cat "$T/err")" 'p%%'

telemetry A -10 1 | put
start_plain early dt-store -r "$T/journal" -R 9 9>"$T/early.ready"
ok 'it waits for a database' wait_for 'grep -q "database is away" "$T/early.log"'
pg_start || exit 1
ok 'is ready when it is there' wait_for '[ -s "$T/early.ready" ]'
ok 'and stores' wait_for '[ "$(sql "select count(*) from telemetry_events")" = 1 ]'
is 'away was said once' "$(grep -c 'is away' "$T/early.log")" 1

status 'a second store is refused' 75 timeout 60 dt-store -r "$T/journal"
like 'said plainly' "$(cat "$T/err")" 'another dt-store already stores telemetry'

# away and back: postmaster killed the hard way, events meanwhile
pg_stop immediate
ok 'the loss is said' wait_for '[ "$(grep -c "is away" "$T/early.log")" = 2 ]'
telemetry A -9 2 | put
telemetry A -8 3 | put
ok 'its status says so' wait_for '[ "$(metric dt-store database_up)" = 0 ]'
ok 'it lives on' alive early
pg_run
ok 'it catches up' wait_for '[ "$(sql "select count(*) from telemetry_events")" = 3 ]' 20
is 'back was said once' "$(grep -c 'is back' "$T/early.log")" 1
ok 'its status says so' wait_for '[ "$(metric dt-store database_up)" = 1 ]'

# SIGTERM: what was read is stored
telemetry A -7 4 | put
wait_for '[ "$(sql "select count(*) from telemetry_events")" = 4 ]'
stop early
is 'it ends at once when asked' $? 0

# a backend that hangs: given up, and the rows are there once when it wakes
follow hung -r "$T/journal" --timeout 2
backend=$(sql "select pid from pg_stat_activity where application_name = 'dt-store' order by backend_start desc limit 1")
kill -STOP "$backend"
seq 1 50 | while read -r n; do telemetry B "-$n" "$((60 - n))"; done | put
ok 'a hung database is given up' wait_for 'grep -q "does not answer" "$T/hung.log"' 20
kill -CONT "$backend"
ok 'and it goes on' wait_for '[ "$(sql "select count(*) from telemetry_events where character_name = '"'B'"'")" = 50 ]' 30
is 'kills once' "$(sql "select total_kills from char_stats where character_name = 'B'")" 59
ok 'it ends when asked' stop hung

# a capture that comes through a pipe cannot be read again
sql 'alter table dt.telemetry add constraint odd check (kills <> 666)'
telemetry P -5 666 >"$T/capture"
# shellcheck disable=SC2016 # $1 is that shell's
status 'a pipe that would have to be read again' 75 sh -c 'cat "$1" | timeout 60 dt-store -1 -r /dev/stdin' sh "$T/capture"
like 'said plainly' "$(cat "$T/err")" 'unable to read /dev/stdin again, it is a pipe: put it into a file'
ok 'from a file it is' dt-store -1 -r "$T/capture"
is 'without what the database refuses' "$(sql "select reason ~ 'odd' from dead_letters")" t

# migrations
sql "update dt.migrations set checksum = 'x' where name = '002_telemetry.sql'"
status 'a migration that was changed' 78 dt-store -1 -r "$T/journal"
like 'said plainly' "$(cat "$T/err")" 'migration 002_telemetry.sql was changed after the database had it'
sql "delete from dt.migrations where name = '002_telemetry.sql'"
status 'a migration that fails' 78 dt-store -1 -r "$T/journal"
like 'with the database'"'"'s words' "$(cat "$T/err")" 'unable to migrate the database: relation "positions" already exists'
sql "insert into dt.migrations values ('002_telemetry.sql', 'x'), ('999_future.sql', 'x')"
sql "delete from dt.migrations where name = '002_telemetry.sql'"
status 'a newer database' 78 dt-store -1 -r "$T/journal"
like 'said plainly' "$(cat "$T/err")" 'migration 999_future.sql, which this version does not know'
is 'a failed migration leaves nothing' "$(sql "select count(*) from dt.migrations where name = '002_telemetry.sql'")" 0
done_testing
