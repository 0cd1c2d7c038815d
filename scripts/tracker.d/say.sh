# Messages, and steps that show that they are still working.
# shellcheck shell=bash

SAYS=tracker

say() {
	printf '%s\n' "$SAYS: $*"
}

warn() {
	printf '%s\n' "$SAYS: $*" >&2
}

# fail CODE TEXT: one plain sentence and an exit code of sysexits(3).
fail() {
	local code=$1
	shift
	warn "$*"
	exit "$code"
}

# step LABEL LOG COMMAND...: runs the command with its output in LOG; dots while it works, its last lines when it fails.
step() {
	local label=$1 log=$2 began=$SECONDS pid status=0
	shift 2
	printf '%s' "$SAYS: $label "
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	trap 'kill "$pid" 2>/dev/null; echo; exit 130' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		[ $(((SECONDS - began) / 2)) -le "${dots:-0}" ] || { printf '.'; dots=$((${dots:-0} + 1)); }
	done
	dots=0
	wait "$pid" || status=$?
	trap - INT TERM
	if [ "$status" -eq 0 ]; then
		echo " done ($((SECONDS - began)) s)"
		return 0
	fi
	echo " failed"
	tail -n 25 "$log" >&2
	warn "the whole output is in $log"
	return "$status"
}
