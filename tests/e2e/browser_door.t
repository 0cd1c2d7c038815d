#!/bin/sh
# Logging in and out in a real browser, by keyboard and by thumb; names and texts that are markup stay text on every page (F68).
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

unset DT_TRUSTED_NETS
fanout_start
serve_start
warm
link=$(dt-user link)

timeout 440 node "$ROOT/tests/browser/door.mjs" "$URL" "$link" >"$T/door.out" 2>"$T/door.log" </dev/null
code=$?
cat "$T/door.out"
[ "$code" = 0 ]
exit
