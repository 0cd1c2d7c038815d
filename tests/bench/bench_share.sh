#!/bin/sh
# How long a share is on its way from one plugin to the others: 60 plugins at UtilityBelt's rates (about 620 shares and 36,000 deliveries a second),
# by one dt-ingest and spread over two.  What counts is p99_ms beside late_p99_ms, by which the machine is late without us; on one that has other things to do
# compare with: chrt -f 1 tests/bench/run share
. "$(dirname "$0")/../lib.sh"

SHARED_SECRET=correct-horse-battery
export SHARED_SECRET
start fanout dt-fanout
start ingest dt-ingest
start second dt-ingest -u "$DT_RUN/second.sock"
one=ws+unix://$DT_RUN/ingest.sock:/ws/position two=ws+unix://$DT_RUN/second.sock:/ws/position
for doors in "$one" "$one $two"; do
	# shellcheck disable=SC2086
	"$B/helpers/sharers" 60 "${SECONDS_EACH:-10}" $doors || echo "some are missing or out of order"
done
