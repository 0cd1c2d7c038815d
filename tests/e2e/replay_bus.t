#!/bin/sh
# A capture through dt-send, the journal replayed into the stream through dt-send: the same events, marked; and through kills of the bus.
. "$(dirname "$0")/../lib.sh"

bare() { sed 's/^{"_seq":[0-9]*,"_rx":"[^"]*",/{/'; }
start fanout dt-fanout
dt-sim -n 10 --seed 5 --seconds 20 --odd >"$T/capture" 2>"$T/sim.log"
code=0
dt-send <"$T/capture" 2>"$T/err" || code=$?
dt-tap -1 | bare >"$T/first"
n=$(wc -l <"$T/first")
ok "a simulated capture is in the journal ($n events)" test "$n" -gt 300
is "all of it" "$(($(wc -l <"$T/capture") - $(grep -c '^dt-send: line' "$T/err")))" "$n"

code=0
timeout 200 dt-replay --speed 0 "$DT_DATA/journal" | dt-send || code=$?
is "the journal replayed into the stream" "$code" 0
dt-tap -1 --from $((n + 1)) | bare >"$T/second"
sed 's/^{/{"_replay":true,/' "$T/first" >"$T/want"
is "once, although they flow back into it" "$(wc -l <"$T/second")" "$n"
ok "the same events, marked" cmp "$T/want" "$T/second"
is "without the mark they are refused as long as they carry a stamp" "$(dt-replay -x max --verbatim --to 3 "$DT_DATA/journal" | dt-send 2>&1 | grep -c 'sets _seq or _rx')" 3

# once more, and the bus is killed meanwhile
start_plain replay sh -c 'dt-replay -x max --from 1 --to "$1" "$2" | dt-send -w 60' sh "$n" "$DT_DATA/journal"
kill9 fanout
start fanout dt-fanout
code=0
wait "$(pid_of replay)" || code=$?
is "with the bus killed: exit status" "$code" 0
dt-tap -1 --from $((2 * n + 1)) | bare >"$T/third"
ok "each event once" cmp "$T/want" "$T/third"
done_testing
