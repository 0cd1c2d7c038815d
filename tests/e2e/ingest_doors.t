#!/bin/sh
# Two dt-ingest on one bus: a command reaches its character by whichever door it came, with one status; shares cross, in order; goodbyes are right.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

# Who speaks for the absent is sure: the first in the beginning, nobody later, when all are there.
fanout_start
telemetry() { say "$1" "{\"type\":\"telemetry\",\"character_name\":\"$2\",\"char_tag\":\"$3\",\"ew\":1,\"ns\":1}"; }
# hears_stream DOOR: it takes commands
hears_stream() {
	SOCK=$DT_RUN/$1.sock
	plugin "probe$1"
	telemetry "probe$1" "Probe $1" prober
	in_journal "telemetry.*Probe $1"
	status "the door $1 is there" 0 dt-send -w 60 -c "Probe $1" /probe
}
start second dt-ingest -u "$DT_RUN/second.sock" --absent 30000
hears_stream second
start ingest dt-ingest
hears_stream ingest
status 'to nobody of either' 1 dt-send -w 60 -c Nobody /one
is '  its status' "$(cat "$T/out")" offline
status 'a tag that nobody has' 1 dt-send -w 60 -n 1 -c tag:smith /four
is '  one status' "$(cat "$T/out")" offline
stop ingest
start ingest dt-ingest --absent 30000
SOCK=$DT_RUN/second.sock
for p in b1 b2; do plugin $p; done
SOCK=$DT_RUN/ingest.sock
for p in a1 a2; do plugin $p; done
telemetry a1 Larsson mage
telemetry a2 Zoli archer
telemetry b1 Fabel mage
telemetry b2 Borelean mage
for name in Larsson Zoli Fabel Borelean; do in_journal "telemetry.*$name"; done

# ---- commands
for name in Larsson Fabel; do
	status "to $name" 0 dt-send -w 60 -c $name /one
	is '  its status' "$(cat "$T/out")" sent
done
ok 'each by its own door' eval 'hears a1 "/one" && hears b1 "/one"'
status 'to a tag' 0 dt-send -w 60 -n 3 -c tag:mage --delay 10ms /two
is '  a status each' "$(sort "$T/out")" 'sent Borelean
sent Fabel
sent Larsson'
say probesecond '!close'
hears probesecond '^!end'
status 'to all' 0 dt-send -w 60 -n 4 -c all /three
is '  a status each' "$(sort "$T/out")" 'sent Borelean
sent Fabel
sent Larsson
sent Zoli'
telemetry a1 Larsson archer
dt-send -w 60 -c Zoli /last >/dev/null
wait_for 'journal "Larsson.*archer" | grep -q .'
is 'the stream has one status for each character and command' "$(journal command_status | jq -r '[.player_name, .command, .status] | join(" ")' | sort | uniq -d)" ''
is '  and one for each that nobody got' "$(journal command_status | jq -r 'select(.status == "offline") | .command' | sort | tr '\n' ' ')" '/four /one '

# ---- shares
share() { say "$1" "{\"type\":\"share_vital_update\",\"character_name\":\"$2\",\"server\":\"Coldeve\",\"player_id\":$3,\"health_current\":$4,\"health_max\":200}"; }
share a1 Larsson 1 100
share a2 Zoli 2 100
share b1 Fabel 3 50
say b2 '{"type":"share_vital_update","character_name":"Borelean","server":"Frostfell","health_current":1,"health_max":2}'
for name in Larsson Borelean Fabel Zoli; do in_journal "share.*$name"; done
say a1 '!repeat 500 {"type":"share_x","character_name":"Larsson","server":"Coldeve","n":%d}'
ok 'they cross to the other door' hears b1 '"n":499'
ok '  and reach those of the same' hears a2 '"n":499'
is '  all of them, in order' "$(grep share_x "$T/b1.out" | jq .n | sort -cn 2>&1; count_of b1 share_x)" 500
is '  not the sender, nor another server' "$(count_of a1 share_x) $(count_of b2 share_x)" '0 0'

# ---- Fabel comes by the other door while its old connection there is still open
SOCK=$DT_RUN/second.sock
plugin moved
say moved '{"type":"share_client_data","character_name":"Moved","server":"Coldeve","player_id":9}'
ok 'another one comes' hears a1 Moved
SOCK=$DT_RUN/ingest.sock
plugin a3
share a3 Fabel 3 60
ok '  and Fabel, at both doors' eval 'hears a1 "\"health_current\":60" && hears moved "\"health_current\":60"'
say b1 '!abort'
wait_for '! alive b1'
say moved '!abort'
ok 'who is gone says goodbye to both doors' eval 'hears a1 "share_goodbye.*Moved" && hears a3 "share_goodbye.*Moved"'
is 'who shares by the other door does not' "$(journal 'share_goodbye.*Fabel' | wc -l | tr -d ' ')" 0

# ---- taken over by a newer connection
plugin newer
share newer Larsson 1 90
in_journal 'Larsson.*"health_current":90'
say a1 '!abort'
wait_for '[ "$(count_of a1 "^!end")" = 1 ] || ! alive a1'
status 'a newer connection takes over' 0 dt-send -w 60 -c Larsson /newer
is '  without a goodbye' "$(journal 'share_goodbye.*Larsson' | wc -l | tr -d ' ')" 0
kill9 newer
ok 'a client that is killed says goodbye' hears a2 'share_goodbye.*Larsson.*"server":"Coldeve","player_id":1\}'
done_testing
