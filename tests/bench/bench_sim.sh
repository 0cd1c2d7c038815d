#!/bin/sh
# Events per second of processor time that the simulated fleet makes, beside what cat needs to copy the same bytes.  Aim: 200,000.
set -eu
cd "$(dirname "$0")/../.."
sim=$PWD/${B:-build}/bin/dt-sim
file=$(mktemp)
trap 'rm -f "$file"' EXIT
# Seconds of processor time of a command, its output thrown away through a pipe.
cpu() { sh -c '{ "$@"; times >&2; } 2>&1 >/dev/null' sh "$@" | awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "m"); s += t[1] * 60 + t[2] } print s + 0.001 }'; }

"$sim" --seconds 3600 >"$file"
events=$(wc -l <"$file")
a=$(cpu "$sim" --seconds 3600)
b=$(cpu cat "$file")
awk -v e="$events" -v a="$a" -v b="$b" 'BEGIN {
	printf "%d events of an hour in %.2f s of processor time: %d a second, ratio to 200000: %.2f, to cat: %.0f\n", e, a, e / a, e / a / 200000, a / b
}'
