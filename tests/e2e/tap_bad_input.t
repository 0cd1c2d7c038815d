#!/bin/sh
# dt-tap: every wrong option and unreadable path, with its message and exit status; a live pipe with -r.
. "$(dirname "$0")/../lib.sh"

said() { like "$1" "$(cat "$T/err")" "^dt-tap: $2"; }
echo '{"type":"a"}' >"$T/a.ndjson"

status "an operand" 64 dt-tap rare
said "  is said" "error: unexpected 'rare'; try"
status "-r and -s" 64 dt-tap -r x -s y
said "  is said" "error: -r and -s exclude each other"
status "--json alone" 64 dt-tap --json
said "  is said" "error: --json belongs to -S"
for bad in 0 -1 x '' 1.5 99999999999999999999; do
	status "count '$bad'" 64 dt-tap -k "$bad"
	said "  is said" "error: --count: "
done
for bad in yesterday '' 1x; do
	status "from '$bad'" 64 dt-tap --from "$bad"
	said "  is said" "error: --from: '$bad' is no _seq, time, -15m or earliest"
	status "to '$bad'" 64 dt-tap --to "$bad"
done
status "to earliest" 64 dt-tap --to earliest
for bad in '' ',' 'a,,b'; do
	status "types '$bad'" 64 dt-tap -t "$bad"
	said "  is said" "error: --types: '$bad' is not a list"
	status "characters '$bad'" 64 dt-tap -c "$bad"
done
status "a filter that is no program" 64 dt-tap -r "$T/a.ndjson" -f '.['
said "  is said" "fatal: -f: "
status "a condition that is no program" 64 dt-tap -r "$T/a.ndjson" -F 'nonsense(1)'
said "  is said" "fatal: -F: "
status "no such file" 66 dt-tap -r "$T/nowhere"
said "  is said" "error: unable to read $T/nowhere: No such file or directory"
mkdir "$T/empty"
status "a directory without a journal" 0 dt-tap -r "$T/empty"
said "  is said" "warning: $T/empty: no events"
printf '{"type":"a"}\n' | zstd -q >"$T/ok.ndjson.zst"
head -c 12 "$T/ok.ndjson.zst" >"$T/cut.ndjson.zst"
status "a compressed file cut short" 65 dt-tap -r "$T/cut.ndjson.zst"
said "  is said" "error: unable to read $T/cut.ndjson.zst: damaged"
status "a whole one" 0 dt-tap -r "$T/ok.ndjson.zst"
is "  is read" "$(cat "$T/out")" '{"type":"a"}'
long=$(printf '%0200d' 0)
status "a socket's path that is too long" 69 dt-tap -1 -s "/tmp/$long"
said "  is said" "error: unable to connect to the bus at /tmp/0*: File name too long"

# a line comes out while the pipe is open
mkfifo "$T/fifo"
start_plain pipe sh -c 'exec dt-tap -r - -f "select(.type == \"a\")" <"$1"' sh "$T/fifo"
exec 8>"$T/fifo"
printf '{"type":"b"}\n{"type":"a"}\n{"type":"c"' >&8
ok "a line is written while the pipe is open" wait_for '[ "$(wc -l <"$T/pipe.out")" = 1 ]'
exec 8>&-
code=0
wait "$(pid_of pipe)" || code=$?
is "it ends with the pipe" "$code" 0
like "and tells of the half line" "$(cat "$T/pipe.log")" "left out 1 line that is no event; the first: - line 3: ends in the middle"
done_testing
