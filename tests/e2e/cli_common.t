#!/bin/sh
# Every program: help, version, and how it refuses what it does not know.
. "$(dirname "$0")/../lib.sh"

for path in "$BIN"/dt-*; do
	p=${path##*/}
	status "$p --help: exit 0" 0 "$p" --help
	like "$p --help: usage on standard output" "$(sed -n 1p "$T/out")" "^usage: $p "
	is "$p --help: nothing on standard error" "$(cat "$T/err")" ""
	is "$p --help: fits 80 columns" "$(awk 'length($0) > 80' "$T/out")" ""
	cp "$T/out" "$T/long"
	status "$p -h: the same" 0 "$p" -h
	ok "$p -h and --help agree" cmp "$T/out" "$T/long"
	status "$p --version: exit 0" 0 "$p" --version
	like "$p --version: one line" "$(cat "$T/out")" "^$p [0-9][^ ]*$"
	status "$p: unknown long option" 64 "$p" --no-such-option
	like "$p: names it" "$(cat "$T/err")" "^$p: error: unknown option '--no-such-option'; try '$p --help'$"
	status "$p: unknown letter" 64 "$p" -%
	like "$p: names it" "$(cat "$T/err")" "^$p: error: unknown option '-%'; try"
	is "$p: one line" "$(wc -l <"$T/err")" 1
	if [ -w /dev/full ]; then
		code=0
		"$p" --help >/dev/full 2>"$T/err" || code=$?
		is "$p --help to a full device fails" "$code" 74
	fi
done
status "a LOG_LEVEL that there is not" 78 env LOG_LEVEL=loud dt-tap -1
like "is named" "$(cat "$T/err")" "^dt-tap: fatal: LOG_LEVEL=loud: debug, info, warning or error is expected$"
done_testing
