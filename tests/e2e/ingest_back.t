#!/bin/sh
# What dt-ingest hands to plugins: commands to the newest owner of a name, shared vitals to the others of a server, requests for maps.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

fanout_start
start ingest dt-ingest
for p in larsson zoli fabel borelean; do plugin $p; done

publish() { printf '%s\n' "$1" | dt-send; }

# ---- commands
say larsson '{"type":"telemetry","character_name":"Larsson","char_tag":"mage1","ew":1}'
say zoli '{"type":"vitals","character_name":"Zoli","vitae":0}'
in_journal '"Larsson"' && in_journal '"Zoli"'
status 'a command to a character' 0 dt-send -w 60 -c Larsson '/radar start'
is 'its status' "$(cat "$T/out")" sent
ok 'the plugin gets it' hears larsson '^\{"player_name":"Larsson","command":"/radar start"\}$'
status 'to nobody' 1 dt-send -w 60 -c Nobody '/radar start'
is 'is offline' "$(cat "$T/out")" offline
status 'the case of a name counts' 1 dt-send -w 60 -c larsson '/radar start'
status 'to a tag' 0 dt-send -w 60 -g mage1 '/f "hi"'
like 'says to whom' "$(cat "$T/out")" 'sent.*Larsson'
ok 'the plugin gets that too' hears larsson '^\{"player_name":"Larsson","command":"/f \\"hi\\""\}$'
status 'to a tag that nobody has' 1 dt-send -w 60 -g mage2 /f
publish '{"type":"command","id":"c-17","player_name":"Zoli","command":"/a","by":"me"}'
ok 'the status carries the id' in_journal '"type":"command_status".*"id":"c-17","player_name":"Zoli","command":"/a","status":"sent"'
publish '{"type":"command","player_name":"Zoli","command":"/b","_replay":true}'
publish '{"type":"command","player_name":"Zoli"}'
publish '{"type":"command","player_name":"Zoli","command":"/c\n/d"}'
dt-send -w 60 -c Zoli /last >/dev/null
ok 'the last comes' hears zoli '"/last"'
is 'a replayed and a broken one do not' "$(count_of zoli '^\{')" 2
is 'nobody else got any' "$(count_of fabel '^\{') $(count_of borelean '^\{')" '0 0'

# ---- two connections claim a name
plugin second
say second '{"type":"chat","character_name":"Larsson","text":"me too"}'
in_journal 'me too'
dt-send -w 60 -c Larsson /who >/dev/null
ok 'F37: the newest one gets the command' hears second '"/who"'
is 'F37: the older one does not' "$(count_of larsson '"/who"')" 0
say larsson '{"type":"chat","character_name":"Larsson","text":"still here"}'
in_journal 'still here'
dt-send -w 60 -c Larsson /still >/dev/null
ok 'F37: nor when it speaks while the newer one is open' hears second '"/still"'
like 'F37: the conflict is logged' "$(cat "$T/ingest.log")" 'warning: Larsson is claimed by a second connection'
say second '!close'
hears second '^!end'
say larsson '{"type":"chat","character_name":"Larsson","text":"me again"}'
in_journal 'me again'
status 'F37: the older one has it back when it speaks' 0 dt-send -w 60 -c Larsson /again
ok 'and gets the command' hears larsson '"/again"'
is 'F37: counts the conflict' "$(fresh_metric name_conflicts_total)" 1

# ---- sharing: larsson, zoli and fabel on Coldeve, borelean on another server, loner has named none
say larsson '{"type":"character_stats","character_name":"Larsson","server":"Coldeve"}'
say fabel '{"type":"share_hello","character_name":"Fabel","server":"Coldeve"}'
say borelean '{"type":"share_client_data","character_name":"Borelean","server":"Frostfell"}'
in_journal character_stats && in_journal 'share_hello.*Fabel' && in_journal Frostfell
shared='{ "type":"share_vital_update","character_name":"Zoli","server":"Coldeve","player_id":-12,"x":1.50, "big":12345678901234567890 }'
say zoli "$shared"
ok 'larsson gets it' hears larsson '"share_vital_update"'
ok 'fabel too' hears fabel '"share_vital_update"'
is 'byte for byte' "$(grep share_vital "$T/fabel.out")" "$shared"
say larsson '{"type":"share_cast_attempt","character_name":"Larsson","spell_id":4473}'
ok 'a share without server follows its connection' hears fabel 'share_cast_attempt'
say larsson '{"type":"share_new_kind","character_name":"Larsson","_by":"x","z":1}'
ok 'unknown kinds are relayed' hears fabel '^\{"type":"share_new_kind","character_name":"Larsson","z":1\}$'
is 'never to the sender' "$(count_of zoli 'share_vital') $(count_of larsson 'share_cast|share_new')" '0 0'
plugin loner
plugin other
say loner '{"type":"share_item_update","character_name":"Loner","items":[]}'
ok 'those who named no server share among themselves' hears other 'share_item_update'
is 'nothing crosses servers' "$(count_of borelean 'share_') $(count_of larsson 'Loner|Borelean')" '0 0'
publish '{"type":"share_vital_update","character_name":"Zoli","server":"Coldeve","_replay":true,"old":1}'
publish '{"type":"share_vital_update","character_name":"Remote","server":"Coldeve","new":1}'
ok 'a share of another door reaches all' hears zoli '"Remote"'
is 'a replayed one nobody' "$(cat "$T"/*.out | grep -c '"old"')" 0

say zoli '!abort'
ok 'an end says goodbye' hears larsson '^\{"type":"share_goodbye","character_name":"Zoli","timestamp":"[^"]*Z","server":"Coldeve","player_id":-12\}$'
say fabel '{"type":"share_goodbye","character_name":"Fabel","server":"Coldeve"}' '!close'
hears larsson 'share_goodbye.*Fabel'
status 'zoli is offline now' 1 dt-send -w 60 -c Zoli /x
is 'who said goodbye is not repeated' "$(count_of larsson 'share_goodbye.*Fabel')" 1
is 'who never shared leaves silently' "$(journal share_goodbye | wc -l | tr -d ' ')" 2

# ---- maps
say larsson '{"type":"telemetry","character_name":"Larsson","landcell":"01E30105"}'
say borelean '{"type":"nearby_objects","character_name":"Borelean","landcell":"0007010A","objects":[]}'
in_journal 01E30105 && in_journal nearby          # over two connections: each may be the later one
publish '{"type":"request_dungeon_map","landblock":"01E3"}'
ok 'who is there is asked' hears larsson '^\{"type":"request_dungeon_map","landblock":"01E3"\}$'
publish '{"type":"request_dungeon_map","landblock":"0x0007"}'
ok 'by nearby_objects too' hears borelean '^\{"type":"request_dungeon_map","landblock":"0007"\}$'
publish '{"type":"request_dungeon_map","landblock":"nowhere"}'
is 'the others are not' "$(cat "$T"/*.out | grep -c request_dungeon_map)" 2

# ---- the bus dies; the subscription goes on, commands arrive once
kill9 fanout
fanout_start
wait_for "grep -q 'connected to the bus at .*events.out' '$T/ingest.log'"
dt-send -w 60 -c Larsson /after >/dev/null
ok 'commands come after the bus was killed' hears larsson '"/after"'
is 'none comes twice' "$(count_of larsson '"/after"|"/again"')" 2

# ---- a plugin that does not read
plugin deaf
say deaf '{"type":"share_hello","character_name":"Deaf","server":"Coldeve"}' '!sync' '!deaf'
hears deaf '!synced'
in_journal 'share_hello.*Deaf'
for round in 1 2 3 4 5 6; do          # 700 kB each: what may wait for those who read
	say other "!repeat 700 {\"type\":\"share_x\",\"character_name\":\"Other\",\"server\":\"Coldeve\",\"r\":$round,\"n\":%d,\"pad\":\"$(printf '%01000d' 0)\"}"
	hears larsson "\"r\":$round,\"n\":699,"
done
is 'the others get everything' "$(count_of larsson '"share_x"')" 4200
wait_for '[ "$(metric dt-ingest dropped_total share)" -gt 0 ]'
ok 'the deaf one loses shares' test "$(metric dt-ingest dropped_total share)" -gt 0
dt-send -w 60 -c Deaf '/hear this' >"$T/o"
is 'but no command' "$(cat "$T/o")" sent
say deaf '!listen'
ok 'which comes when it reads' hears deaf '"/hear this"'
ok 'the connection has lived' test "$(count_of deaf '^!closed')" = 0
is 'counts commands' "$(fresh_metric commands_total sent) $(metric dt-ingest commands_total offline) $(metric dt-ingest commands_total invalid)" '9 4 2'

# ---- what only the tracker may say
for type in command command_status player_offline alert server_status request_dungeon_map '\u0063ommand'; do
	say larsson "{\"type\":\"$type\",\"character_name\":\"Larsson\",\"player_name\":\"Other\",\"command\":\"/spoof\",\"landblock\":\"01E3\"}"
done
settled larsson
is 'a plugin cannot say it' "$(fresh_metric rejected_total server_type) $(count_of larsson 'a type that only the tracker') $(count_of other /spoof)" '7 7 0'
is 'and nothing of it is in the journal' "$(journal spoof | wc -l | tr -d ' ')" 0

# ---- bad commands cost only themselves
long=$(printf '%0501d' 0)
publish '{"type":"command","player_name":"Other","tag":"mage1","command":"/bad"}'
publish '{"type":"command","command":"/bad"}'
publish '{"type":"command","tag":"mage1","delay_ms":60001,"command":"/bad"}'
publish '{"type":"command","tag":"mage1","delay_ms":"soon","command":"/bad"}'
publish "{\"type\":\"command\",\"player_name\":\"Other\",\"command\":\"/bad$long\"}"
publish '{"type":"command","player_name":"Other","command":"/bad\u0007"}'
publish "{\"type\":\"command\",\"player_name\":\"Other\",\"command\":\"/bad$(printf '%0100000d' 0)\"}"
status 'what follows is sent' 0 dt-send -w 60 -c Other '/good'
is 'nobody got the bad ones' "$(cat "$T"/*.out | grep -c '/bad') $(fresh_metric commands_total invalid)" '0 9'

# ---- too many: more than the rates allow even if somebody stops for seconds; many senders, whose own rate none of them reaches
many() { awk -v n="$1" -v by="$2" -v event="$3" 'BEGIN { for (i = 0; i < n; i++) { e = event; gsub("#", i, e); printf "%s,\"command\":\"/many\",\"by\":\"%s%d\"}\n", e, by, by == "bot" ? 0 : i % 50 } }' | dt-send; }
many 400 bot- '{"type":"command","id":"m#","player_name":"Other"'
ok 'each has its status' in_journal '"id":"m399"'
settled other 1
ok 'a character gets no more than its rate' test "$(count_of other /many)" -ge 15 -a "$(count_of other /many)" -lt 400
ok 'who is over it is limited' in_journal '"player_name":"Other","command":"/many","status":"limited"'
many 600 bot '{"type":"command","id":"s#","tag":"mage1"'
ok 'a sender too' in_journal '"id":"s[0-9]*","tag":"mage1","command":"/many","status":"limited"'

# ---- one after the other, and the status of who goes away meanwhile
for p in one two three; do
	plugin m$p
	say m$p "{\"type\":\"telemetry\",\"character_name\":\"M $p\",\"char_tag\":\"slow\",\"ew\":1}"
	in_journal "M $p"
done
# (the last one has twice the delay to leave in)
start_plain slow dt-send -w 60 -n 3 -c tag:slow --delay 4s '/ub jump'
ok 'the first at once' hears mone '/ub jump'
is 'the last not yet' "$(count_of mtwo '/ub jump')" 0
say mtwo '!abort'
ok 'the others after it' hears mthree '/ub jump'
wait_for '! alive slow'
is 'a status for each' "$(cat "$T/slow.out")" 'sent M one
sent M three
offline M two'
done_testing
