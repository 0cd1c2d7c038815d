#!/bin/sh
# The same capture fed to dt-store twice changes nothing: live events again, replayed ones, a capture file, and --replay.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

# two characters, sessions that change, resets, rares, spawns in packs; BEGIN seconds ago
capture() {
	awk -v now="$(date +%s)" -v begin="$1" 'function t(s) { return strftime("%Y-%m-%dT%H:%M:%S", now - begin + s, 1) ".1234567Z" }
	function head(type, s) { return "{\"type\":\"" type "\",\"character_name\":\"" c "\",\"timestamp\":\"" t(s) "\"" }
	BEGIN {
		for (i = 0; i < 300; i++) for (k = 0; k < 2; k++) {
			c = "Walker " k
			kills[k] = i % 97 == 50 ? 0 : i % 140 == 139 ? 0 : kills[k] + i % 3
			session = "s" int(i / 140)
			print head("telemetry", i) ",\"session_id\":\"" session "\",\"ew\":" i / 10 ",\"ns\":1.5,\"z\":0,\"kills\":" kills[k] ",\"deaths\":\"" int(i / 50) "\"}"
			if (i % 5 == 0) for (j = 0; j < 3; j++) print head("spawn", i) ",\"mob\":\"Rat " j "\",\"ew\":\"1." j "\",\"ns\":\"2\",\"z\":\"0\"}"
			if (i % 60 == 30) print head("rare", i) ",\"name\":\"Gem " i "\",\"ew\":1,\"ns\":2}"
		}
	}'
}
everything() {
	sql 'select * from char_stats order by 1'
	sql 'select * from rare_stats order by 1'
	sql 'select * from rare_stats_sessions order by 1, 2'
	sql 'select name, total_deaths from dt.characters order by 1'
}
rows() {
	sql 'select count(*), sum(kills), count(distinct "timestamp") from telemetry_events'
	sql 'select count(*) from spawn_events'
	sql 'select count(*) from rare_events'
}
wipe() { sql 'truncate dt.telemetry, dt.spawns, dt.rares, dt.characters, dt.sessions, dt.mobs'; }
# by the rule of the contract, from the capture itself
expected_kills() {
	jq -rn '[inputs | select(.type == "telemetry")] | group_by(.character_name)[] | .[0].character_name as $c
	    | reduce .[] as $e ({ last: 0, session: "s0", sum: 0 }; if $e.session_id != .session then .last = 0 | .session = $e.session_id else . end
	      | .sum += (if $e.kills >= .last then $e.kills - .last else $e.kills end) | .last = $e.kills) | "\($c)|\(.sum)"' "$1"
}

capture 3600 >"$T/fresh"
put <"$T/fresh"
store
first=$(everything) first_rows=$(rows)
is 'kills are what the rule says' "$(sql 'select * from char_stats order by 1')" "$(expected_kills "$T/fresh")"
is 'rares once each' "$(sql 'select * from rare_stats order by 1')" 'Walker 0|5
Walker 1|5'
is 'by session' "$(sql "select session_id, session_rares from rare_stats_sessions where character_name = 'Walker 1' order by 1")" 's0|2
s1|3'

put <"$T/fresh"
store
is 'the same events again: totals' "$(everything)" "$first"
is 'the same events again: rows' "$(rows)" "$first_rows"
shuf --random-source=/dev/zero "$T/fresh" | put
store --rows 37
is 'in another order: totals' "$(everything)" "$first"
is 'in another order: rows' "$(rows)" "$first_rows"
sed -n 200,400p "$T/fresh" | put
store --rows 1
is 'a part of it: totals' "$(everything)" "$first"
is 'a part of it: rows' "$(rows)" "$first_rows"

capture 200000 >"$T/old"
wipe
put <"$T/old"
store
first=$(everything)
is 'an old capture, sent as if live: kills by its own times' "$(sql 'select * from char_stats order by 1')" "$(expected_kills "$T/old")"
is 'its rows take the receive time' "$(sql "select count(*) from telemetry_events where \"timestamp\" > now() - interval '1 hour'")" 600
put <"$T/old"
store
is 'and again: totals' "$(everything)" "$first"

sed 's/^{/{"_replay":true,/' "$T/old" >"$T/replay"
wipe
put <"$T/replay"
store
first_rows=$(rows)
is 'a replay: rows with their own times' "$(sql "select count(*) from telemetry_events where \"timestamp\" < now() - interval '2 days'")" 600
is 'a replay: nothing counts' "$(sql 'select sum(total_kills), sum(total_rares), sum(total_deaths) from dt.characters')" '0|0|0'
put <"$T/replay"
store
is 'a replay twice: rows' "$(rows)" "$first_rows"
put <"$T/replay"
store --replay
is 'a replay that counts: kills' "$(sql 'select * from char_stats order by 1')" "$(expected_kills "$T/old")"
is 'a replay that counts: rares' "$(sql 'select sum(total_rares) from rare_stats')" 10
is 'a replay that counts: rows' "$(rows)" "$first_rows"
first=$(everything)
put <"$T/replay"
store --replay
is 'a replay that counts twice' "$(everything)$(rows)" "$first$first_rows"

wipe
ok 'a capture file' dt-store -1 -r "$T/fresh"
first=$(everything) first_rows=$(rows)
is 'a capture file: kills' "$(sql 'select * from char_stats order by 1')" "$(expected_kills "$T/fresh")"
ok 'a capture file twice' dt-store -1 -r "$T/fresh"
is 'a capture file twice: totals' "$(everything)" "$first"
is 'a capture file twice: rows' "$(rows)" "$first_rows"
is 'captures leave the position alone' "$(sql 'select count(*) from dt.positions')" 1
done_testing
