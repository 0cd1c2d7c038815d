#!/bin/sh
# dt-fanout rolls its segments while they are being synced: no sync of a closed file, and nobody waits for ever.
. "$(dirname "$0")/../lib.sh"

start fanout dt-fanout --sync 1 --segment-bytes 64k
# in bursts of a segment, so that a segment ends with its last bytes at the disk
awk 'BEGIN { for (i = 0; i < 66; i++) printf "{\"type\":\"t\",\"pad\":\"%01000d\"}\n", i }' >"$T/segment"
start_plain send sh -c 'i=0; while [ $i -lt 400 ]; do cat "$1"; i=$((i + 1)); done | dt-send' sh "$T/segment"
ok "all is acknowledged" wait_for '! alive send' 30
code=0
stop send || code=$?
is "and dt-send is content" "$code" 0
ok "there were many segments" test "$(find "$DT_DATA/journal" -name '*.ndjson' | wc -l)" -gt 200
unlike "no sync failed" "$(cat "$T/fanout.log")" 'unable to sync'
is "all is there" "$(dt-tap -1 | wc -l)" $((400 * 66))
done_testing
