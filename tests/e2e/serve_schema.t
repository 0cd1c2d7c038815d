#!/bin/sh
# dt-serve before dt-store has made the tables: said once, questions are refused with the reason, and answered as soon as the tables are there.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../serve.sh"
pg_start || exit 1
fanout_start
walk Anna 10 20
serve_start
ok 'no tables yet is said' wait_for 'grep -q "the database has no tables yet: dt-store makes them" "$T/serve.log"'
is 'a question has to wait' "$(code /stats)" 503
like 'for dt-store' "$(get /stats)" 'database_not_ready'
unlike 'no database is away' "$(cat "$T/serve.log")" 'is away: ERROR|relation'

# when it does go away, that is what is said: not what was wrong before
pg_stop immediate
ok 'a loss is said' wait_for 'grep -Eq "warning: database is away" "$T/serve.log"'
unlike 'in its own words' "$(cat "$T/serve.log")" 'relation'
pg_run
start store dt-store
ok 'the tables are found' wait_for 'grep -q "the database has its tables now" "$T/serve.log"' 30
ok 'and asked' wait_for '[ "$(code /stats)" = 200 ]'
is 'once was enough' "$(grep -c 'no tables yet' "$T/serve.log")" 1
done_testing
