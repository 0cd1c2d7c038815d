#!/bin/sh
# dt-store makes rows of events: columns, times, numbers as strings, tiers, portals, totals, and dead letters for what fits no column.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

cat >"$T/events" <<END
{"type":"telemetry","character_name":"Larsson","char_tag":"mage1","session_id":"7f0f5d0e","timestamp":"$(at -60)","ew":33.58,"ns":42.11,"z":0.39,"kills":1482,"kills_per_hour":"743","onlinetime":"00.01:59:41","deaths":"0","total_deaths":"17","rares_found":"1","prismatic_taper_count":"8,712","vt_state":"Hunt \"x\"\tback\\\\slash","mem_mb":412.7,"cpu_pct":6.31,"mem_handles":1184,"latency_ms":38}
{"type":"telemetry","character_name":"+Zo\u00eb O'Neil","session_id":"s9","timestamp":"$(at -50)","ew":"-12.5","ns":" 7 ","z":"N/A","kills":"5"}
{"type":"spawn","character_name":"Larsson","timestamp":"$(at -40)","mob":"Tusker Guard","ns":"12.46","ew":"-48.93","z":"0.1"}
{"type":"spawn","character_name":"Larsson","timestamp":"$(at -40)","mob":"Tusker Guard","ns":"12.47","ew":"-48.93","z":"0.1"}
{"type":"spawn","character_name":"Larsson","timestamp":"$(at -40)","mob":"Tusker Guard","ns":"12.46","ew":"-48.93","z":"0.1"}
{"type":"rare","character_name":"Larsson","timestamp":"$(at -30)","name":" Warrior's Jewel ","ew":33.58,"ns":42.11,"z":0.39}
{"type":"rare","character_name":"Larsson","timestamp":"$(at -29)","name":"Adept's Fervor"}
{"type":"rare","character_name":"Larsson","timestamp":"$(at -28)","name":"Nobody's Own"}
{"type":"rare","character_name":"Larsson","timestamp":"$(at -28)","name":"Nobody's Own"}
{"type":"portal","character_name":"Larsson","timestamp":"$(at -27)","portal_name":"Old Name","ns":"42.31","ew":"33.12","z":"0.4"}
{"type":"portal","character_name":"Larsson","timestamp":"$(at -26)","portal_name":"Gateway to Rithwic","ns":"42.29","ew":"33.08","z":"0.5"}
{"type":"portal","character_name":"Larsson","timestamp":"$(at -27)","portal_name":"Older Name","ns":"42.3","ew":"33.1","z":"0.4"}
{"type":"chat","character_name":"Larsson","timestamp":"$(at -20)","text":"not stored"}
END
put <"$T/events"
ok 'it stores a journal and ends' store

columns() { sql "select string_agg(column_name, ' ' order by ordinal_position) from information_schema.columns where table_name = '$1' and table_schema = 'public'"; }
is 'columns of telemetry_events' "$(columns telemetry_events)" 'timestamp received_at character_name char_tag session_id ew ns z kills kills_per_hour onlinetime deaths total_deaths rares_found prismatic_taper_count vt_state mem_mb cpu_pct mem_handles latency_ms'
is 'columns of spawn_events' "$(columns spawn_events)" 'timestamp character_name mob ew ns z'
is 'columns of rare_events' "$(columns rare_events)" 'timestamp character_name name tier ew ns z'
is 'columns of portals' "$(columns portals)" 'portal_name ns ew z discovered_at discovered_by'
is 'columns of char_stats' "$(columns char_stats)" 'character_name total_kills'
is 'columns of rare_stats' "$(columns rare_stats)" 'character_name total_rares'
is 'columns of rare_stats_sessions' "$(columns rare_stats_sessions)" 'character_name session_id session_rares'
is 'columns of dead_letters' "$(columns dead_letters)" 'seq received_at reason event'

is 'every column' "$(sql "select char_tag, session_id, ew, ns, z, kills, kills_per_hour, onlinetime, deaths, total_deaths, rares_found, prismatic_taper_count, vt_state, mem_mb, cpu_pct, mem_handles, latency_ms from telemetry_events where character_name = 'Larsson'")" \
    "mage1|7f0f5d0e|33.58|42.11|0.39|1482|743|00.01:59:41|0|17|1|8712|Hunt \"x\"	back\\slash|412.7|6.31|1184|38"
is 'numbers as strings, absent ones' "$(sql "select ew, ns, z, kills, deaths, char_tag from telemetry_events where character_name = '+Zoë O''Neil'")" '-12.5|7||5||'
is 'its own time' "$(sql "select count(*) from telemetry_events where \"timestamp\" < received_at - interval '40 s'")" 2
is 'spawns, one twice' "$(sql 'select mob, ew, ns, z from spawn_events order by ns')" "Tusker Guard|-48.93|12.46|0.1
Tusker Guard|-48.93|12.47|0.1"
is 'rares and their tiers' "$(sql 'select name, tier, ew from rare_events order by "timestamp"')" "Warrior's Jewel|common|33.58
Adept's Fervor|great|
Nobody's Own|great|"
is 'a portal per tenth of a degree, as last seen' "$(sql 'select portal_name, ns, ew, z, discovered_by from portals')" 'Gateway to Rithwic|42.29|33.08|0.5|Larsson'
is 'kills' "$(sql 'select character_name, total_kills from char_stats order by 1')" "+Zoë O'Neil|5
Larsson|1482"
is 'rares' "$(sql 'select * from rare_stats')" 'Larsson|3'
is 'rares of a session' "$(sql 'select * from rare_stats_sessions')" 'Larsson|7f0f5d0e|3'
is 'nothing is put aside' "$(sql 'select count(*) from dead_letters')" 0
is 'the position' "$(sql 'select sink, seq from dt.positions')" 'telemetry|13'
is 'status: rows' "$(metric dt-store rows_total telemetry_events)$(metric dt-store rows_total spawn_events)$(metric dt-store rows_total rare_events)" 223
is 'status: duplicates' "$(metric dt-store duplicates_total spawn_events)$(metric dt-store duplicates_total rare_events)" 11
is 'status: position' "$(metric dt-store position)" 13

# times that are not believed: counted from now
store_now=$(date +%s)
{
	telemetry Late -90000 1
	telemetry Late -90000 2
	telemetry Future 400 3
	telemetry Soon 250 4
	echo '{"type":"telemetry","character_name":"None","session_id":"s","ew":1,"ns":2,"kills":7}'
	echo '{"type":"telemetry","character_name":"None","session_id":"s","timestamp":"yesterday","ew":1,"ns":2,"kills":8}'
} | put
store
is 'a late time gives way to the receive time, each row stays' "$(sql "select count(*) from telemetry_events where character_name = 'Late' and \"timestamp\" - received_at between '0' and '1 ms'")" 2
is 'so does one ahead' "$(sql "select count(*) from telemetry_events where character_name = 'Future' and \"timestamp\" - received_at between '0' and '1 ms'")" 1
is 'a little ahead is believed' "$(sql "select count(*) from telemetry_events where character_name = 'Soon' and \"timestamp\" > received_at + interval '2 min'")" 1
is 'none at all' "$(sql "select count(*) from telemetry_events where character_name = 'None' and \"timestamp\" - received_at between '0' and '1 ms'")" 2
is 'they are counted' "$(metric dt-store odd_times_total late) $(metric dt-store odd_times_total future) $(metric dt-store odd_times_total unreadable)" '2 1 2'
is 'and count' "$(sql "select character_name, total_kills from char_stats where character_name in ('Late', 'Future', 'None') order by 1")" 'Future|3
Late|2
None|8'

# totals: reset, session change, deaths
{
	telemetry Killer -100 10 ',"deaths":1'
	telemetry Killer -98 15 ',"deaths":1'
	telemetry Killer -96 3 ',"deaths":2'
	SESSION=s2 telemetry Killer -94 4 ',"deaths":0'
	telemetry Killer -97 12
	telemetry Dead -100 0 ',"deaths":1,"total_deaths":40'
	telemetry Dead -99 0 ',"deaths":2,"total_deaths":41'
} | put
store
is 'a counter that falls was reset; a session begins at 0; late reports add nothing' "$(sql "select total_kills from char_stats where character_name = 'Killer'")" 22
is 'deaths by difference, or as stated' "$(sql "select name, total_deaths from dt.characters where name in ('Killer', 'Dead') order by 1")" 'Dead|41
Killer|2'

# what fits nowhere
before=$(sql 'select count(*) from telemetry_events')
{
	echo '{"type":"telemetry","session_id":"s","timestamp":"2026-01-01T00:00:00Z","ew":1,"ns":2}'
	echo '{"type":"telemetry","character_name":"","ew":1,"ns":2}'
	echo '{"type":"telemetry","character_name":"a\u0007b","ew":1,"ns":2}'
	echo '{"type":"telemetry","character_name":"X","ew":1,"kills":2}'
	echo '{"type":"telemetry","character_name":"X","ew":1,"ns":2,"kills":3000000000}'
	echo '{"type":"telemetry","character_name":"X","ew":1,"ns":2,"kills":-1}'
	echo '{"type":"telemetry","character_name":"X","ew":1,"ns":2,"deaths":1.5}'
	echo '{"type":"telemetry","character_name":"X","ew":1e300,"ns":2}'
	echo '{"type":"telemetry","character_name":"X","ew":1e999,"ns":2}'
	echo '{"type":"telemetry","character_name":"X","ew":1,"ns":2,"mem_mb":1e39}'
	echo '{"type":"spawn","character_name":"X","ew":1,"ns":2}'
	echo '{"type":"spawn","character_name":"X","mob":"Rat","ns":2}'
	echo '{"type":"rare","character_name":"X","name":"   "}'
	echo '{"type":"portal","character_name":"X","portal_name":"P","ew":"x","ns":2}'
	printf '{"type":"spawn","character_name":"X","ew":1,"ns":2,"mob":"%0300d"}\n' 0
	echo '{"type":"telemetry","character_name":"X","ew":1,"ns":2,'
	printf '{"type":"telemetry","character_name":"\377X\t"}\n'
	echo '{"type":"telemetry","character_name":"X","ew":1e-300,"ns":2,"z":"1e-44","kills":1}'
	echo '{"type":"telemetry","character_name":"X","ew":1.00000000000000000000000000000000001,"ns":2E0,"kills":1,"vt_state":7,"char_tag":null}'
} | put
ok 'odd events do not stop it' store
is 'why they are put aside' "$(sql 'select reason, count(*) from (select split_part(reason, $$:$$, 1) as reason from dead_letters) d group by 1 order by 1')" 'bad_name|2
no_character|2
no_name|2
no_position|3
not_an_event|2
out_of_range|6'
is 'the event is kept' "$(sql "select event from dead_letters where reason = 'no_name' order by seq limit 1" | jq -r .type)" spawn
is 'whatever its bytes' "$(sql "select event like '%\\\\xFFX%' from dead_letters where reason like 'not_an_event%' order by seq desc limit 1")" t
is 'counted by reason' "$(metric dt-store rejected_total out_of_range)" 6
is 'tiny numbers are zero, long ones are rounded' "$(sql "select ew, ns, z, vt_state, char_tag is null from telemetry_events where character_name = 'X' order by \"timestamp\"")" '0|2|0||t
1|2||7|t'
is 'the others are stored' "$(sql 'select count(*) from telemetry_events')" $((before + 2))

# a capture that was never stamped, with a clock that was never set
echo '{"type":"telemetry","character_name":"Y","session_id":"s","timestamp":"0001-01-01T00:00:00","ew":1,"ns":2,"kills":3}' >"$T/capture.ndjson"
echo '{"type":"telemetry","character_name":"Y","session_id":"s","timestamp":"9999-12-31T23:59:59Z","ew":1,"ns":2,"kills":4}' >>"$T/capture.ndjson"
ok 'a capture with impossible times' dt-store -1 -r "$T/capture.ndjson"
is 'gets possible ones' "$(sql "select count(*), max(kills) from telemetry_events where character_name = 'Y' and \"timestamp\" between now() - interval '1 hour' and now()")" '2|4'
is 'they count' "$(sql "select total_kills from char_stats where character_name = 'Y'")" 4
done_testing
