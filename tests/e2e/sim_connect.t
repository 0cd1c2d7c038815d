#!/bin/sh
# The simulated fleet as plugins of dt-ingest: what the ledger says was sent is in the journal, commands are obeyed, connections come back.
# shellcheck disable=SC2016 # conditions of wait_for are evaluated later
# only: plain
. "$(dirname "$0")/../lib.sh"

export SHARED_SECRET=only-for-this-test-4711
J=$DT_DATA/journal
URL=ws+unix://$DT_RUN/ingest.sock:/ws/position
port=$(free_port)
journaled() { cat "$J"/*.ndjson | grep -cE "$1"; }
# names and numbers of the telemetry in the journal, as the ledger has them
numbers() { cat "$J"/*.ndjson | grep '"sim_n"' | jq -r '[.character_name, .sim_n, .timestamp] | @tsv' | sort; }
stamp() { date -u +%Y-%m-%dT%H:%M:%S.%N | sed 's/..$/Z/'; }
# What a client said before this moment is in the journal when something that it said later is: twelve clients, twelve names.
said_since() { cat "$J"/*.ndjson | grep '"sim_n"' | jq -r --arg t "$1" 'select(.timestamp > $t) | .character_name' | sort -u | wc -l; }

ok 'the bus starts' start fanout dt-fanout
ok 'the door starts' start ingest dt-ingest -p "$port" --max-messages 0 --max-bytes 0

# ---- live, over TCP ----
ok 'ready when all are connected' start live dt-sim -n 12 --seed 4 --connect "ws://127.0.0.1:$port/ws/position" --ledger "$T/live.tsv"
is 'all are' "$(wait_for '[ "$(metric dt-sim connected)" = 12 ]'; metric dt-sim connected)" 12
ok 'all register' wait_for '[ "$(journaled "\"type\":\"register\"")" = 12 ]'
ok 'and move' wait_for '[ "$(journaled "\"type\":\"telemetry\"")" -ge 36 ]'
ok 'inventories come' wait_for '[ "$(journaled "\"type\":\"full_inventory\"")" = 12 ]'
ok 'the ledger has it' wait_for '[ "$(grep -c sent "$T/live.tsv")" -ge 36 ]'
who=$(cut -f 1 "$T/live.tsv" | head -n 1)
is 'nobody turned a radar on' "$(journaled nearby_objects)" 0
is 'a command arrives' "$(dt-send -w 60 -c "$who" /radar start)" sent
ok 'the radar is on' wait_for '[ "$(journaled "\"type\":\"nearby_objects\",\"character_name\":\"$who\"")" -ge 3 ]'
cat "$J"/*.ndjson | grep '"type":"nearby_objects"' >"$T/radars"
is 'of nobody else' "$(grep -cv "\"character_name\":\"$who\"" "$T/radars")" 0
is 'it is turned off' "$(dt-send -w 60 -c "$who" /radar stop)" sent
is 'another command arrives' "$(dt-send -w 60 -c "$who" /vt start)" sent
ok 'and is printed' wait_for 'grep -q "^$who	/vt start$" "$T/live.out"'
is 'a command for somebody else is refused by the server' "$(dt-send -w 60 -c 'Nobody Here' /vt start)" offline
before=$(stamp)
ok 'all go on' wait_for '[ "$(said_since "$before")" = 12 ]'
n=$(journaled nearby_objects)

# ---- the door goes and comes ----
kill9 ingest
ok 'the fleet notices' wait_for '[ "$(metric dt-sim connected)" = 0 ]'
ok 'it counts what it cannot say' wait_for '[ "$(metric dt-sim dropped_total offline)" -gt 0 ]'
noticed=$(stamp)
ok 'the door is back' start ingest dt-ingest -p "$port" --max-messages 0 --max-bytes 0
ok 'F26: the fleet is back' wait_for '[ "$(metric dt-sim connected)" = 12 ]'
ok 'F26: and tells everything again' wait_for '[ "$(journaled "\"type\":\"full_inventory\"")" -ge 24 ]'
is 'who they are, too' "$(journaled '"type":"register"')" 24
is 'the radar stayed off' "$(journaled nearby_objects)" "$n"
ok 'SIGTERM: exit 0' stop live
is 'the status file says so' "$(jq .stopped "$DT_RUN/status/dt-sim.json")" true
ok 'the last words got through' wait_for '[ "$(journaled share_goodbye)" -ge 1 ]'
is 'sessions went on over the break' "$(cat "$J"/*.ndjson | grep '"type":"telemetry"' | jq -r .session_id | sort -u | wc -l)" 12
wait_for '[ "$(metric dt-ingest connections)" = 0 ]'
stop ingest
stop fanout
numbers >"$T/got"
is 'F26: nothing twice' "$(cut -f 1,2 "$T/got" | uniq -d)" ''
# what was in the kernel's hands when the door was killed may be lost; no more than that, and nothing that the ledger does not have
cut -f 1-3 "$T/live.tsv" | sort >"$T/sent"
is 'nothing that was not sent' "$(comm -13 "$T/sent" "$T/got")" ''
is 'a break loses what was said in it alone' "$(comm -23 "$T/sent" "$T/got" | awk -F '\t' -v from="$before" -v to="$noticed" '$3 < from || $3 > to')" ''

# ---- a load ----
# it ends by the clock: what stood still meanwhile gets another try
for _ in 1 2 3 4 5 6; do
	rm -rf "$DT_DATA"
	mkdir -p "$DT_DATA" "$DT_RUN"
	start fanout dt-fanout
	start ingest dt-ingest --max-messages 0 --max-bytes 0
	began=$(date +%s)
	code=0
	timeout 240 dt-sim -n 20 --connect "$URL" --rate 2000 --seconds 3 --ledger "$T/load.tsv" 2>"$T/load.err" || code=$?
	sent=$(metric dt-sim events_total | jq add)
	[ "$sent" -gt 4800 ] && [ "$(metric dt-sim dropped_total)" = '{}' ] && break
	stop ingest
	stop fanout
done
is 'a load of so many a second' "$code" 0
is 'about that many' "$(awk -v n="$sent" 'BEGIN { print (n > 4800 && n < 6400) ? "yes" : n }')" yes
is 'nothing was dropped' "$(metric dt-sim dropped_total)" '{}'
ok 'all arrived' wait_for '[ "$(journaled .)" = "$sent" ]'
numbers >"$T/got"
is 'each telemetry event, once' "$(cat "$T/got")" "$(cut -f 1-3 "$T/load.tsv" | sort)"
# of a character that logged out a moment ago dt-sim may not know
ok 'nearly all are surely sent' [ "$(grep -vc 'sent$' "$T/load.tsv")" -le 20 ]
is 'with the times of the clock' "$(jq -rs --argjson began "$began" 'map(.timestamp[0:19] + "Z" | fromdate) | [min >= $began, max <= now] | @csv' "$J"/*.ndjson)" true,true
# what is made while dt-ingest stands still may find no room, or its connection gone: then once more
refused() { metric dt-ingest rejected_total | jq 'add // 0'; }
for _ in 1 2 3 4 5 6 7 8; do
	stop ingest
	start ingest dt-ingest --max-messages 0 --max-bytes 0
	code=0
	timeout 240 dt-sim -n 20 --connect "$URL" --rate max --seconds 2 --odd --bad 2>"$T/report" || code=$?
	want=$(tail -n 1 "$T/report" | jq '[.bad[]] | add')
	for _ in 1 2 3 4 5 6 7 8 9 10; do [ "$(refused)" = "$want" ] && break 2; sleep 1; done
done
is 'illegal frames among them' "$code" 0
ok 'each is refused' [ "$(refused)" = "$want" ]
is 'by its reason' "$(metric dt-ingest rejected_total | jq -cS 'with_entries(select(.value > 0))')" "$(tail -n 1 "$T/report" | jq -cS '.bad | with_entries(select(.value > 0))')"
# dt-sim leaves when it has said all: answers that come later it does not read
is 'and answered' "$(metric dt-sim received_total error | awk -v n="$want" '{ print ($1 > 0 && $1 <= n) ? "yes" : $1 }')" yes
status 'a wrong secret' 69 env SHARED_SECRET=some-other-secret-4711 dt-sim -n 2 --connect "$URL" --seconds 1
ok 'is in no log and no argument' sh -c '! grep -rq only-for-this-test "$1"/*.log "$1"/report' sh "$T"
done_testing
