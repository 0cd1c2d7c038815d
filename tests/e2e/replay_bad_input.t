#!/bin/sh
# dt-replay: every wrong option and unreadable path, with its message and exit status.
. "$(dirname "$0")/../lib.sh"

said() { like "$1" "$(cat "$T/err")" "^dt-replay: $2"; }
echo '{"type":"a"}' >"$T/a.ndjson"

status "no path" 64 dt-replay
said "  is said" "error: the path of a journal or capture is missing; try"
for bad in abc '' nan inf 1x -1; do
	status "speed '$bad'" 64 dt-replay --speed "$bad" "$T/a.ndjson"
	said "  is said" "error: --speed: .*; try"
done
for bad in yesterday '' 1x 99999999999999999999; do
	status "from '$bad'" 64 dt-replay --from "$bad" "$T/a.ndjson"
	said "  is said" "error: --from: '$bad' is no _seq, time, -15m or earliest"
	status "to '$bad'" 64 dt-replay --to "$bad" "$T/a.ndjson"
done
status "to earliest" 64 dt-replay --to earliest "$T/a.ndjson"
said "  is said" "error: --to: nothing is before the earliest event"
for bad in '' ',' 'a,,b'; do
	status "types '$bad'" 64 dt-replay -t "$bad" "$T/a.ndjson"
	said "  is said" "error: --types: '$bad' is not a list"
	status "characters '$bad'" 64 dt-replay -c "$bad" "$T/a.ndjson"
done
status "standard input twice" 64 dt-replay - -
said "  is said" "error: standard input can be read only once"
status "standard input in a loop" 64 dt-replay --loop -
for bad in http://localhost ws:// localhost:8765 wss://localhost; do
	status "connect to '$bad'" 64 env SHARED_SECRET=aaaaaaaaaaaa dt-replay --connect "$bad" "$T/a.ndjson"
	said "  is said" "error: --connect: '$bad' is no ws://host:port or ws\+unix://path address"
done
for far in ws://192.168.1.7:8765 ws://tracker.example ws://128.0.0.1 'ws://[::2]' ws://localhost.example; do
	status "connect to $far" 64 env SHARED_SECRET=aaaaaaaaaaaa dt-replay --connect "$far" "$T/a.ndjson"
	said "F59: a replay to another machine is refused, and how to insist" "error: --connect: .* is another machine; --allow-remote"
done
status "connect without a secret" 78 env SHARED_SECRET=changeme dt-replay --connect ws://localhost:1 "$T/a.ndjson"
said "  is said" "fatal: SHARED_SECRET is not set"

status "no such file" 66 dt-replay -x max "$T/nowhere.ndjson"
said "  is said" "error: unable to read $T/nowhere.ndjson: No such file or directory"
mkdir "$T/empty"
status "a directory without a journal" 0 dt-replay -x max "$T/empty"
said "  is said" "warning: $T/empty: no events"
head -c 300000 /dev/urandom | od -An -tx1 | awk '{ print "{\"type\":\"a\",\"x\":\"" $0 "\"}" }' | zstd -q >"$T/whole.ndjson.zst"
head -c 90000 "$T/whole.ndjson.zst" >"$T/cut.ndjson.zst"
status "a compressed file cut short" 65 dt-replay -x max "$T/cut.ndjson.zst" "$T/a.ndjson"
said "  is said" "error: unable to read $T/cut.ndjson.zst: damaged"
is "the next path still comes" "$(tail -n 1 "$T/out")" '{"_replay":true,"type":"a"}'
if [ "$(id -u)" != 0 ]; then
	chmod 0 "$T/a.ndjson"
	status "not permitted" 77 dt-replay -x max "$T/a.ndjson"
	chmod 644 "$T/a.ndjson"
fi
code=0
dt-replay -x max "$T/a.ndjson" >/dev/full 2>"$T/err" || code=$?
is "a full device" "$code" 74
said "  is said" "fatal: unable to write to standard output: No space left on device"

# a line over 16 MiB costs itself
{ echo '{"type":"a"}'; printf '{"type":"big","x":"'; head -c 17000000 /dev/zero | tr '\0' x; printf '"}\n'; echo '{"type":"b"}'; } >"$T/big.ndjson"
status "a line over the limit" 0 dt-replay -x max "$T/big.ndjson"
is "the others come" "$(jq -r .type "$T/out" | tr '\n' ' ')" "a b "
said "it is counted" "warning: left out 1 line that is no event; the first: $T/big.ndjson line 2: larger than 16 MiB"
dt-replay -x max - <"$T/big.ndjson" >"$T/out" 2>"$T/err"
is "likewise from a pipe" "$(jq -r .type "$T/out" | tr '\n' ' ')" "a b "
said "and counted" "warning: left out 1 line that is no event; the first: - line 2: larger than 16 MiB"
done_testing
