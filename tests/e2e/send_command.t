#!/bin/sh
# dt-send -c and -g: a command becomes an event, its status decides the exit; every wrong command with its message.
. "$(dirname "$0")/../lib.sh"

said() { like "$1" "$(cat "$T/err")" "^dt-send: $2"; }

status "no command" 64 dt-send -c Larsson
said "  is said" "error: the command is missing; try"
status "-c and -g" 64 dt-send -c Larsson -g mage /x
said "  is said" "error: -c and -g exclude each other"
status "a command to nobody" 64 dt-send /radar start
said "  is said" "error: unexpected '/radar': events come from standard input, a command needs -c or -g"
for bad in 5 -1s 61s x nans ""; do status "delay '$bad'" 64 dt-send --delay "$bad" -c all /x; done
said "  is said" "error: --delay: \"\" is no time of at most 60s, as 200ms or 2s"
status "a delay for one" 64 dt-send --delay 1s -c Larsson /x
said "  is said" "error: --delay is for commands to a tag or to all"
status "a count for one" 64 dt-send -n 2 -c Larsson /x
said "  is said" "error: --count is for commands to a tag or to all"
status "an empty tag" 64 dt-send -c tag: /x
said "  is said" "error: the tag is empty"
status "--strip with a command" 64 dt-send --strip -c Larsson /x
status "an empty command" 64 dt-send -c Larsson ''
said "  is said" "error: the command is empty"
status "an empty name" 64 dt-send -c '' /x
said "  is said" "error: the name is empty"
status "a line break" 64 dt-send -c Larsson "$(printf '/a\n/b')"
said "  is said" "error: the command holds a line break or control character"
status "a control character in a tag" 64 dt-send -g "$(printf 'a\tb')" /b
said "  is said" "error: the tag holds a line break or control character"
status "half a character" 64 dt-send -c Larsson "$(printf '/a \303')"
said "  is said" "error: the command or the name is not valid UTF-8"
status "501 characters" 64 dt-send -c Larsson "$(printf '%0501d' 0)"
said "  is said" "error: the command has 501 characters; 500 are the limit"
for bad in 0 -1 x '' inf; do status "wait '$bad'" 64 dt-send -w "$bad" -c Larsson /x; done
said "  is said" "error: --wait: "

status "no bus" 69 dt-send -w 0.3 -c Larsson /x
said "  is said" "waiting for the bus at"
like "no bus: message" "$(tail -n 1 "$T/err")" "^dt-send: error: no bus at $DT_RUN/events.in within 0.3 s: is the tracker up\?"

start fanout dt-fanout
status "nobody answers" 75 dt-send -w 4 -c Larsson '/radar start'
said "  is said" "error: no status within 4 s: is dt-ingest running\?"
dt-tap -1 -t command >"$T/event"
is "the event" "$(jq -c '[.type, .player_name, .command, .tag]' "$T/event")" '["command","Larsson","/radar start",null]'
like "its id, who and when" "$(jq -c '[.id, .by, .timestamp]' "$T/event")" '\["c-[0-9a-f]{16}","shell:[^"]+","20[^"]*Z"\]'

events() { dt-tap -1 -t command | jq -c '[.player_name, .tag, .all, .delay_ms]'; }
start_plain tagged dt-send -w 60 -c tag:mage --delay 200ms /x
ok "to a tag: the event" wait_for "events | grep -qxF '[null,\"mage\",null,200]'"
start_plain all dt-send -w 60 -c all /x
ok "to all: the event" wait_for "events | grep -qxF '[null,null,true,null]'"
for p in tagged all; do
	code=0
	stop $p || code=$?
	is "told to stop before a status came ($p)" "$code" 75
done

# somebody who plays dt-ingest: Larsson and the mages are online
cat >"$T/door.jq" <<'JQ'
	(if .tag == "mage" then "Mage A", "Mage B" elif .tag then empty else .player_name end) as $name
	| {type: "command_status", id, player_name: $name, command, status: (if $name == "Nobody" then "offline" else "sent" end)}
JQ
start_plain door sh -c 'dt-tap -t command | jq --unbuffered -c -f "$1" | dt-send' sh "$T/door.jq"
ok "the door listens" wait_for 'dt-send -w 0.5 -c Larsson /ping >/dev/null 2>&1'
status "sent" 0 dt-send -w 60 -c Larsson /radar start
is "  it says so" "$(cat "$T/out")" sent
is "  words are joined" "$(dt-tap -1 -t command | tail -n 1 | jq -r .command)" "/radar start"
status "offline" 1 dt-send -w 60 -c Nobody '/radar start'
is "  it says so" "$(cat "$T/out")" offline
status "to a tag" 0 dt-send -w 60 -n 2 -g mage 'say "hé"'
is "  a line for each" "$(cat "$T/out")" "sent Mage A
sent Mage B"
status "500 characters of two bytes" 0 dt-send -w 60 -c Larsson "$(printf '%0500d' 0 | sed 's/0/é/g')"
status "one that looks like an option" 0 dt-send -w 60 -c Larsson -- -x
status "the socket by name" 0 dt-send -w 60 -s "$DT_RUN/events.in" -c Larsson /x
done_testing
