#!/bin/sh
# dt-replay keeps the time between events, divided by --speed, writes each when it is due, and ends quietly when its reader goes.
. "$(dirname "$0")/../lib.sh"

event() { printf '{"_seq":%s,"_rx":"2026-11-22T12:%sZ","type":"telemetry","n":%s}\n' "$1" "$2" "$1"; }
ms() { date +%s%3N; }

# 40 minutes of events at 2400 times the speed: at least 1 s, and the last not before its time
{ event 1 00:00.000; event 2 20:00.000; event 3 19:59.990; event 4 40:00.000; } >"$T/short.ndjson"
begin=$(ms)
timeout 200 dt-replay --speed 2400 "$T/short.ndjson" >"$T/short.out"
took=$(($(ms) - begin))
ok "40 minutes at speed 2400 take a second or more ($took ms)" test "$took" -ge 990
ok "and not much more" test "$took" -lt 200000
is "in the order of the file" "$(jq -r .n "$T/short.out" | tr '\n' ' ')" "1 2 3 4 "

# by timestamp where there is no stamp, and no waiting for an event without any time
printf '%s\n' '{"type":"a","timestamp":"2026-11-22T12:00:00Z"}' '{"type":"b"}' '{"type":"c","timestamp":"2026-11-22T12:00:01.5Z"}' >"$T/plain.ndjson"
begin=$(ms)
dt-replay -x 3 "$T/plain.ndjson" >/dev/null
took=$(($(ms) - begin))
ok "timestamps count where nothing is stamped ($took ms)" test "$took" -ge 490

# what is due is written although the next is an hour away; stopping is not a failure
{ event 1 00:00.000; event 2 00:00.000; event 3 59:00.000; } >"$T/long.ndjson"
start_plain long dt-replay "$T/long.ndjson"
ok "events are written when they are due" wait_for '[ "$(wc -l <"$T/long.out")" = 2 ]'
code=0
stop long || code=$?
is "SIGTERM ends it with 0" "$code" 0

# a step back is another recording, which starts at once
{ event 1 30:00.000; event 2 00:00.000; event 3 00:00.100; } >"$T/back.ndjson"
ok "another recording begins without a pause" timeout 200 dt-replay "$T/back.ndjson"
is "and is complete" "$(wc -l <"$T/ok.out")" 3

# a pipe that pauses: what has come is written
mkfifo "$T/fifo"
start_plain pipe sh -c 'exec dt-replay -x max - <"$1"' sh "$T/fifo"
exec 8>"$T/fifo"
event 1 00:00.000 >&8
ok "a line is written while the pipe is open" wait_for '[ -s "$T/pipe.out" ]'
exec 8>&-
ok "and the end of the pipe ends it" wait_for '! alive pipe'

# and one that brings nothing does not keep it from ending
mkfifo "$T/quiet"
exec 8<>"$T/quiet"
start_plain quiet sh -c 'exec dt-replay - <"$1"' sh "$T/quiet"
wait_for 'grep -q ^State:.S "/proc/$(pid_of quiet)/status" && grep -q "^Sig\(Blk\|Cgt\):.*[4-7c-f]...$" "/proc/$(pid_of quiet)/status" && grep -q dt-replay "/proc/$(pid_of quiet)/comm"'
code=0
stop quiet || code=$?
is "SIGTERM ends a wait for input" "$code" 0
exec 8>&-

# --loop goes on for ever, and head ends it without a word
event 1 00:00.000 >"$T/one.ndjson"
dt-replay --loop -x max "$T/one.ndjson" 2>"$T/loop.err" | head -n 1000 >"$T/loop.out"
is "--loop begins again" "$(wc -l <"$T/loop.out")" 1000
is "and ends quietly with its reader" "$(cat "$T/loop.err")" ""
start_plain idle sh -c 'dt-replay "$1" | head -n 1' sh "$T/long.ndjson"
ok "also while nothing is due" wait_for '! alive idle'
: >"$T/empty.ndjson"
ok "--loop over nothing ends" timeout 200 dt-replay --loop "$T/empty.ndjson"

# a terminating signal reaches it while its reader is stuck
mkfifo "$T/stuck"
exec 7<>"$T/stuck"
start_plain stuck sh -c 'exec dt-replay --loop -x max "$1" >"$2"' sh "$T/one.ndjson" "$T/stuck"
# while it writes, and only then, it catches SIGTERM (bit 14)
ok "it waits for a reader that is stuck" wait_for 'grep -q "^SigCgt:.*[4-7c-f]...$" "/proc/$(pid_of stuck)/status"'
code=0
stop stuck || code=$?
is "and still ends when it is told to" "$code" 0
done_testing
