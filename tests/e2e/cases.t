#!/bin/sh
# Filters on fixed input: each directory of tests/cases holds a command, its input, and what must come out.
#   cmd         shell, run in the directory with in.ndjson as standard input
#   out.ndjson  what it prints; err, if there, what it says; status, if there, its exit status (else 0)
. "$(dirname "$0")/../lib.sh"

for dir in "$ROOT"/tests/cases/*/; do
	name=$(basename "$dir")
	in=$dir/in.ndjson
	[ -f "$in" ] || in=/dev/null
	code=0
	(cd "$dir" && exec timeout 200 sh ./cmd) <"$in" >"$T/$name.out" 2>"$T/$name.err" || code=$?
	ok "$name: output" diff "$dir/out.ndjson" "$T/$name.out"
	[ ! -f "$dir/err" ] || ok "$name: messages" diff "$dir/err" "$T/$name.err"
	is "$name: exit status" "$code" "$(cat "$dir/status" 2>/dev/null || echo 0)"
done
done_testing
