#!/bin/sh
# No build said anything that is a warning (scripts/test keeps what make prints).
. "$(dirname "$0")/../lib.sh"

if [ -f "$B/make.log" ]; then
	is "no warnings in $B" "$(grep -E 'warning:|Warning:' "$B/make.log")" ""
else
	ok "up to date in $B" make -q -C "$ROOT" B="$B" "$(case $B in *asan*) echo SAN=1 ;; *) echo all ;; esac)" all
fi
done_testing
