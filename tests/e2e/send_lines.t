#!/bin/sh
# dt-send: every line is in the journal once and in order, refused ones are told by number, with the bus there, late, stopped or killed.
. "$(dirname "$0")/../lib.sh"

start fanout dt-fanout
numbers() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{\"type\":\"t\",\"n\":%d,\"pad\":\"%0200d\"}\n", i, i }'; }
# numbers that the journal holds of type t, from the event $1 on
held() { dt-tap -1 -t t --from "$1" | LC_ALL=C grep -o '"n":[0-9]*' | cut -c 5-; }
next_seq() { echo $(($(dt-tap -1 | wc -l) + 1)); }

# bad lines among good ones
{
	printf '{"type":"a","n":1}\r\n'                         # 1
	printf '\n'                                             # 2: skipped
	printf 'nonsense\n'                                     # 3
	printf '{"type":"b"}\n'                                 # 4
	printf '{"type":"half \303"}\n'                         # 5
	printf '{"type":"nul \0"}\n'                            # 6
	printf '{"_seq":1,"type":"c"}\n'                        # 7
	printf '{"type":"x","type":"y"}\n'                      # 8
	printf '{"no":"type"}\n'                                # 9
	printf '\r\n'                                           # 10: skipped
	printf '{"type":"big","x":"'
	head -c 17000000 /dev/zero | tr '\0' x
	printf '"}\n'                                           # 11
	printf '[1]\n'                                          # 12
	printf '{"type":"d","_replay":true}'                    # 13, no newline
} >"$T/mixed"
code=0
dt-send <"$T/mixed" >"$T/out" 2>"$T/err" || code=$?
is "refused lines: exit status" "$code" 65
is "nothing on standard output" "$(cat "$T/out")" ""
is "which lines" "$(sed -n 's/^dt-send: line \([0-9]*\): .*/\1/p' "$T/err" | sort -n | tr '\n' ' ')" "3 5 6 7 8 9 11 12 "
like "not JSON" "$(cat "$T/err")" '^dt-send: line 3: not JSON'
like "half a character" "$(cat "$T/err")" '^dt-send: line 5: .*UTF-8'
like "a NUL" "$(cat "$T/err")" '^dt-send: line 6: .*NUL'
like "a stamp: says what to do" "$(cat "$T/err")" '^dt-send: line 7: sets _seq or _rx.*--strip'
like "a name twice" "$(cat "$T/err")" '^dt-send: line 8: .*twice'
like "no type" "$(cat "$T/err")" '^dt-send: line 9: .*type'
like "too long" "$(cat "$T/err")" '^dt-send: line 11: larger than 16 MiB'
like "no object" "$(cat "$T/err")" '^dt-send: line 12: JSON, but not an object'
like "how many" "$(tail -n 1 "$T/err")" '^dt-send: error: 8 of 11 lines refused$'
is "the others are in the journal" "$(dt-tap -1 | sed 's/"_rx":"[^"]*",//')" '{"_seq":1,"type":"a","n":1}
{"_seq":2,"type":"b"}
{"_seq":3,"type":"d","_replay":true}'
code=0
dt-send -q <"$T/mixed" 2>"$T/err" || code=$?
is "-q: exit status" "$code" 65
is "-q: only the number" "$(cat "$T/err")" "dt-send: error: 8 of 11 lines refused"

# --strip
next=$(next_seq)
dt-tap -1 --to 3 | dt-send --strip
is "--strip: a stream's lines pass" "$(dt-tap -1 --from "$next" | sed 's/"_seq":[0-9]*,"_rx":"[^"]*",//')" '{"type":"a","n":1}
{"type":"b"}
{"type":"d","_replay":true}'
printf '{"type":"e","_rx":1, "x":{"_seq":1}}\nnonsense\n' >"$T/in"
code=0
dt-send --strip <"$T/in" 2>"$T/err" || code=$?
is "--strip: bad lines stay bad" "$code $(grep -c 'line 2: not JSON' "$T/err")" "65 1"
is "--strip: only at the top" "$(dt-tap -1 -t e | sed 's/"_seq":[0-9]*,"_rx":"[^"]*",//')" '{"type":"e", "x":{"_seq":1}}'

# nothing is nothing
ok "no input at all" dt-send </dev/null
code=0
dt-send 2>"$T/err" <&- || code=$?
is "standard input is closed" "$code" 74
like "it says so" "$(cat "$T/err")" "^dt-send: fatal: unable to read standard input: "

# a pipe that stays open
mkfifo "$T/fifo"
start_plain pipe sh -c 'exec dt-send <"$1"' sh "$T/fifo"
exec 8>"$T/fifo"
echo '{"type":"early"}' >&8
ok "a line is in the journal while the pipe is open" wait_for '[ "$(dt-tap -1 -t early | wc -l)" = 1 ]'
exec 8>&-
code=0
wait "$(pid_of pipe)" || code=$?
is "and it ends with the pipe" "$code" 0

# the bus is killed again and again while lines come
next=$(next_seq)
numbers 300000 >"$T/many"
split -l 25000 "$T/many" "$T/part."
mkfifo "$T/fifo3"
start_plain killed sh -c 'exec dt-send -w 60 <"$1"' sh "$T/fifo3"
exec 8>"$T/fifo3"
for part in "$T"/part.*; do
	cat "$part" >&8
	kill9 fanout
	start fanout dt-fanout 8>&-
done
exec 8>&-
code=0
wait "$(pid_of killed)" || code=$?
is "the bus is killed twelve times: exit status" "$code" 0
ok "dt-send noticed" grep -q '^dt-send: warning: lost the bus' "$T/killed.log"
held "$next" >"$T/held"
seq 300000 >"$T/want"
ok "every line is there once and in order" cmp "$T/held" "$T/want"

# a bus that stands still: no memory without bounds, and nothing is lost
next=$(next_seq)
signal STOP fanout
(numbers 300000; sed 's/"t"/"u"/' "$T/many") >"$T/twice"
start_plain slow sh -c 'exec dt-send -w 60 <"$1"' sh "$T/twice"
wait_for 'awk "/^VmRSS/ { exit \$2 < 2000 }" "/proc/$(pid_of slow)/status"'
case $B in
*asan*) pass "memory (not under sanitizers)" ;;
*) ok "memory stays bounded" awk '/^VmHWM/ { exit $2 > 40000 }' "/proc/$(pid_of slow)/status" ;;
esac
signal CONT fanout
code=0
wait "$(pid_of slow)" || code=$?
is "a bus that stood still: exit status" "$code" 0
held "$next" >"$T/held"
ok "all is there" cmp "$T/held" "$T/want"

# told to stop while the pipe is open
mkfifo "$T/fifo2"
start_plain stopped sh -c 'exec dt-send <"$1"' sh "$T/fifo2"
exec 8>"$T/fifo2"
echo '{"type":"late"}' >&8
ok "a line before the end" wait_for '[ "$(dt-tap -1 -t late | wc -l)" = 1 ]'
code=0
stop stopped || code=$?
is "SIGTERM with all acknowledged" "$code" 0
exec 8>&-

# without a bus
stop fanout
echo '{"type":"z"}' >"$T/in"
code=0
dt-send -w 2 <"$T/in" 2>"$T/err" || code=$?
is "no bus: exit status" "$code" 69
like "no bus: message" "$(tail -n 1 "$T/err")" "^dt-send: error: no bus at $DT_RUN/events.in for 2 s: is the tracker up\?  Not acknowledged: 1$"
start_plain early sh -c 'exec dt-send -w 30 <"$1"' sh "$T/in"
ok "it says that it waits" wait_for 'grep -q "^dt-send: waiting for the bus at " "$T/early.log"'
start fanout dt-fanout
code=0
wait "$(pid_of early)" || code=$?
is "a bus that comes later: exit status" "$code" 0
is "and the line is there" "$(dt-tap -1 -t z | wc -l)" 1

# a progress line on a terminal, and only there
if command -v script >/dev/null; then
	script -qec "dt-send <$T/twice" /dev/null >"$T/tty" 2>&1 </dev/null
	like "progress on a terminal" "$(tr '\r' '\n' <"$T/tty")" 'dt-send: .*[0-9]+ events  [0-9]+/s'
fi
done_testing
