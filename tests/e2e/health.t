#!/bin/sh
# dt-health: a game server that is up, slow, silent, closed, speaks otherwise, has no address; TreeStats that answers, fails, hangs, says nonsense.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

world=$T/world
mkdir "$world"
counts() { printf '[{"server":"Other","count":9,"date":"2026-11-22 20:40:00 UTC","age":"now"},{"server":"ColdEve","count":%s,"date":"%s"}]\n' "$1" "$2" >"$world/http.new"; mv "$world/http.new" "$world/http"; }
says() { printf '%s\n' "$2" >"$world/$1.new"; mv "$world/$1.new" "$world/$1"; }
health() { get /server-health | jq -c "$1"; }
lines() { grep -c -- "$1" "$T/health.log"; }
counted=$(date -u -d '-5 minutes' '+%Y-%m-%d %H:%M:%S UTC')
counts 312 "$counted"
start_plain world node "$ROOT/tests/helpers/gameserver.mjs" "$world"
wait_for '[ -s "$world/udp.port" ] && [ -s "$world/http.port" ]'
TREESTATS_BASE=http://127.0.0.1:$(cat "$world/http.port")/
export TREESTATS_BASE

# not configured, or wrongly
status 'off' 78 env -u DT_GAME_SERVER dt-health
is 'in one line' "$(cat "$T/err")" 'dt-health: fatal: off: DT_GAME_SERVER is not set, so there is no game server to watch'
DT_GAME_SERVER='Coldeve'
export DT_GAME_SERVER
status 'without an address' 78 dt-health
for bad in nowhere nowhere: :9000 nowhere:0 nowhere:65536 nowhere:9x; do status "no address: $bad" 78 env DT_GAME_ADDRESS="$bad" dt-health; done
like 'says which' "$(cat "$T/err")" 'DT_GAME_ADDRESS=nowhere:9x is no host:port'
DT_GAME_ADDRESS=localhost:$(cat "$world/udp.port")
export DT_GAME_ADDRESS
status 'no address of TreeStats' 78 env TREESTATS_BASE=ftp://x dt-health
status 'TreeStats is not asked more often than it counts' 64 env TREESTATS_BASE=https://treestats.net dt-health --counts 300

# up
fanout_start
serve_start
warm
is 'nothing is known yet' "$(health .status)" '"unknown"'
browser b
say b '{"type":"subscribe","message_types":["server_status"]}'
hears b subscribed
start health dt-health --counts 0.3 --interval 0.1 --timeout 20 --misses 4
ok 'up' wait_for '[ "$(health "[.status, .player_count]")" = "[\"up\",312]" ]'
is 'who and where' "$(jq -c '[.server_name, .server_address]' "$T/body")" "[\"Coldeve\",\"$DT_GAME_ADDRESS\"]"
is 'latency and age' "$(jq -c '[.latency_ms > 0, .latency_ms < 60000, .uptime_seconds >= 0, .age_s < 60]' "$T/body")" '[true,true,true,true]'
is 'the age of the count' "$(jq -c '[.player_count_age_s >= 300, .player_count_age_s < 900]' "$T/body")" '[true,true]'
ok 'browsers are told' hears b '"type":"server_status".*"online":true.*"player_count":312'
is 'the login packet' "$(cat "$world/login")" \
    '00000000000001009300d005000000004000000004003138303200003400000001000000000000003eb8a8581c006163736572766572747261636b65723a6a6a3968323668637367676300000000000000000000'
like 'what TreeStats is asked' "$(sed -n 1p "$world/asked")" '^GET /player_counts-latest.json dt-health/'

# what is the same is not said again and again
n=$(metric dt-health events_total)
probes=$(metric dt-health probes_total answered)
wait_for '[ "$(metric dt-health probes_total answered)" -gt $((probes + 20)) ]' 30
ok 'nothing is said without need' [ $(($(metric dt-health events_total) - n)) -le 2 ]

# TreeStats in bad hands
for what in '!500' 'nonsense' '{"server":"Coldeve"}' '[{"server":"Coldeve","count":"many"}]' '[{"server":"Coldeve","count":-3}]' '[1,null,[],{"server":7}]'; do
	before=$(lines 'no player count from')
	says http "$what"
	asked=$(wc -l <"$world/asked")
	wait_for '[ $(($(wc -l <"$world/asked") - asked)) -ge 4 ]'      # the third answer is out, so the second was read
	case $what in *-3*) expected=0 ;; *) expected=1 ;; esac         # the same mistake again
	is "said once: $what" "$(($(lines 'no player count from') - before))" $expected
	[ "$what" = '[1,null,[],{"server":7}]' ] || is 'the last count stays for an hour' "$(health '[.status, .player_count]')" '["up",312]'
done
ok 'none where the server is not in the list' wait_for '[ "$(health "[.status, .player_count, .player_count_age_s]")" = "[\"up\",null,null]" ]'
counts 5 "$counted"
ok 'and it is well again' wait_for '[ "$(health .player_count)" = 5 ]'
is 'said once' "$(lines 'player counts come from')" 1
says http '!hang'
n=$(metric dt-health probes_total answered)
ok 'a TreeStats that hangs holds nothing up' wait_for '[ "$(metric dt-health probes_total answered)" -gt $((n + 10)) ]'

# the server in bad hands
says udp slow
stop health
start health dt-health --counts 0.3 --interval 0.1 --timeout 20 --misses 4
ok 'slow' wait_for '[ "$(health "[.status, .latency_ms >= 119]")" = "[\"up\",true]" ]'
for how in garbage short; do
	says udp $how
	ok "$how is unknown, not down" wait_for '[ "$(health "[.status, .latency_ms]")" = "[\"unknown\",null]" ]'
	says udp up
	ok 'up again' wait_for '[ "$(health .status)" = "\"up\"" ]'
done
is 'never down so far' "$(count_of b '"online":false')" 0
n=$(metric dt-health probes_total missed)
says udp closed
ok 'a closed port is down' wait_for '[ "$(health "[.status, .latency_ms, .uptime_seconds]")" = "[\"down\",null,null]" ]'
ok 'after several probes' wait_for '[ $(($(metric dt-health probes_total missed) - n)) -ge 4 ]'
like 'and why' "$(cat "$T/health.log")" 'Coldeve at localhost:[0-9]* is down: its port is closed'
says udp up
ok 'up once more' wait_for '[ "$(health .status)" = "\"up\"" ]'
ok 'browsers saw it all' hears b '"online":false'
stop health
says udp silent
start health dt-health --interval 0.1 --timeout 0.2 --misses 3
ok 'silence is down' wait_for '[ "$(health .status)" = "\"down\"" ]'
ok 'ends when told' stop health

# a name without an address
DT_GAME_ADDRESS=no.such.host.invalid:9000 start health dt-health --interval 0.2 --timeout 1 --misses 1
ok 'without an address nothing is known' wait_for '[ "$(health .status)" = "\"unknown\"" ] && [ "$(metric dt-health probes_total unclear)" -ge 2 ]' 20
is 'one line' "$(lines 'its name cannot be resolved')" 1
is 'and no miss' "$(metric dt-health probes_total missed)" 0

# the bus away
kill9 fanout
says udp up
ok 'goes on without a bus' wait_for '[ "$(metric dt-health bus_up)" = 0 ]'
fanout_start
ok 'and comes back to it' wait_for '[ "$(metric dt-health bus_up)" = 1 ]' 20
ok 'ends when told' stop health
done_testing
