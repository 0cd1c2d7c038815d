#!/bin/sh
# The map page in a real browser: a fleet of 60 plugins moves where /live says, the controls work, it comes back after a restart, also on a phone.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

fanout_start
start ingest dt-ingest
serve_start
warm
start sim dt-sim --connect "ws://127.0.0.1:$PORT/ws/position" -n 60 --seed 10        # of whom nobody logs out for a quarter of an hour

node "$ROOT/tests/browser/map.mjs" "$URL" "$T" 60 >"$T/map.out" 2>"$T/map.log" </dev/null &
echo $! >"$T/map.pid"
children="$children $!"
if wait_for "[ -e '$T/kill' ] || ! alive map" 400 && [ -e "$T/kill" ]; then
	kill9 serve
	touch "$T/kill.done"
	wait_for "[ -e '$T/start' ] || ! alive map" 200
	serve_start && touch "$T/start.done"
fi
wait_for '! alive map' 400
wait "$(pid_of map)"
code=$?
cat "$T/map.out"
[ "$code" = 0 ]
exit
