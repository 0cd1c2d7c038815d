#!/bin/sh
# A row that only the database refuses is found by halving, put aside with the database's words, and everything else is stored once.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

events() { awk -v now="$(date +%s)" -v from="$1" -v to="$2" 'BEGIN { for (i = from; i <= to; i++)
	printf "{\"type\":\"telemetry\",\"character_name\":\"C%d\",\"session_id\":\"s\",\"timestamp\":\"%s\",\"ew\":1,\"ns\":2,\"z\":%d,\"kills\":%d}\n",
	    i % 7, strftime("%Y-%m-%dT%H:%M:%SZ", now - 5000 + i, 1), i, i }'; }
missing() { sql "select string_agg(n::text, ' ') from (select n from generate_series(1, $1) n except select z::int from telemetry_events order by 1) m"; }

events 1 3 | put
ok 'migrated' store
sql 'alter table dt.telemetry add constraint tested check (kills not in (666, 1500, 1501, 3000))'
events 4 3000 | put
ok 'it gets past poisoned rows' store --rows 1000
is 'all others are stored' "$(missing 3000)" '666 1500 1501 3000'
is 'once' "$(sql 'select count(*) from telemetry_events')" 2996
is 'each is put aside' "$(sql 'select seq from dead_letters order by seq')" '666
1500
1501
3000'
like 'with why' "$(sql 'select reason from dead_letters limit 1')" '^database: new row for relation "telemetry_[0-9]*" violates check constraint "tested"$'
is 'and what' "$(sql 'select event from dead_letters where seq = 666' | jq .kills)" 666
is 'they are counted' "$(metric dt-store rejected_total database)" 4
is 'the totals are those of what is stored' "$(sql 'select sum(total_kills) from char_stats')" "$(sql 'select sum(m) from (select max(kills) m from telemetry_events group by character_name) x')"
is 'the position is at the end' "$(sql 'select seq from dt.positions')" 3000

# a whole stretch of them, at the very beginning of a run
sql 'alter table dt.telemetry add constraint tested2 check (kills not between 3001 and 3010)'
events 3001 3100 | put
ok 'a stretch of poison' store
is 'the rest of it is stored' "$(missing 3100)" "666 1500 1501 3000 $(seq -s ' ' 3001 3010)"
is 'dead letters' "$(sql 'select count(*) from dead_letters')" 14

# a name that is refused: the database does not say for which event
sql "alter table dt.characters add constraint tested5 check (name <> 'Evil')"
{ events 1 500; telemetry Evil -1 1; events 501 600; } | sed "s/\"C/\"D/" | put
ok 'a refusal without a place' store
is 'is found by halving' "$(sql 'select seq from dead_letters order by seq desc limit 1') $(sql "select count(*) from telemetry_events where character_name like 'D%'")" '3601 600'

# nothing can be stored at all: waiting, not throwing away
sql 'alter table dt.dead_letters add constraint tested3 check (seq < 3702)'
sql 'alter table dt.telemetry add constraint tested4 check (kills < 5000)'
events 5001 5003 | put
start_plain stuck dt-store -1 -r "$T/journal" --wait 10
ok 'what cannot even be put aside is said' wait_for 'grep -q "unable to store" "$T/stuck.log"'
sql 'alter table dt.telemetry drop constraint tested4'
sql 'alter table dt.dead_letters drop constraint tested3'
ok 'and it goes on when it can' wait_for '[ "$(sql "select seq from dt.positions")" = 3704 ]'
is 'nothing is lost' "$(sql 'select (select count(*) from telemetry_events where kills > 5000) + (select count(*) from dead_letters where seq > 3701)')" 3
ok 'said too' wait_for 'grep -q "storing again" "$T/stuck.log"'
done_testing
