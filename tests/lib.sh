# shellcheck shell=sh
# Sourced by every test: a private directory, TAP output, and children that end with the test.
#
#   . "$(dirname "$0")/../lib.sh"
#   start fanout dt-fanout                 # in the background, with -R: returns when it is ready; log in $T/fanout.log
#   start_plain feed sh -c 'yes'           # the same for what has no -R; $T/feed.out and $T/feed.log
#   wait_for '[ -s "$T/x" ]'               # until true; a minute at least: only a failure costs it
#   ok 'it answers' curl -fs …             # passes when the command does
#   is 'count' "$got" 60                   # got, expected
#   like 'message' "$text" 'unable to'     # extended regular expression
#   status 'usage error' 64 dt-tap --foo   # exit status; output in $T/out and $T/err
#   stop fanout; kill9 fanout; signal STOP fanout
#   done_testing
#
# $T is the private directory; DT_DATA and DT_RUN lie in it.  $BIN is first in PATH.  $B says which build is tested.

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$ROOT/$B ;; esac
BIN=$B/bin
PATH=$BIN:$PATH
T=$(mktemp -d /tmp/dt.XXXXXX)
DT_DATA=$T/data
DT_RUN=$T/run
DT_ENV_FILE=/dev/null
NO_COLOR=1
export PATH T B BIN ROOT DT_DATA DT_RUN DT_ENV_FILE NO_COLOR
mkdir -p "$DT_DATA" "$DT_RUN"
slow=1
case $B in *asan*) slow=4 ;; esac
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
tests_run=0
tests_failed=0
children=

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

pass() { tests_run=$((tests_run + 1)); echo "ok $tests_run - $1"; }

fail() {
	tests_run=$((tests_run + 1))
	tests_failed=$((tests_failed + 1))
	echo "not ok $tests_run - $1"
}

ok() {
	_what=$1
	shift
	if "$@" >"$T/ok.out" 2>&1; then pass "$_what"; else
		fail "$_what"
		diag "failed: $*"
		sed -n '1,20s/^/# /p' "$T/ok.out"
	fi
}

is() {
	if [ "$2" = "$3" ]; then pass "$1"; else
		fail "$1"
		diag "     got: $2"
		diag "expected: $3"
	fi
}

like() {
	if printf '%s\n' "$2" | grep -Eq -- "$3"; then pass "$1"; else
		fail "$1"
		diag "     got: $2"
		diag "expected: /$3/"
	fi
}

unlike() {
	if printf '%s\n' "$2" | grep -Eq -- "$3"; then
		fail "$1"
		diag "got: $2"
	else pass "$1"; fi
}

status() {
	_what=$1 _want=$2
	shift 2
	_got=0
	"$@" >"$T/out" 2>"$T/err" </dev/null || _got=$?
	if [ "$_got" = "$_want" ]; then pass "$_what"; else
		fail "$_what"
		diag "exit status $_got, expected $_want: $*"
		sed -n '1,20s/^/# /p' "$T/err"
	fi
}

# wait_for CONDITION [SECONDS]: 0 when it came true in time.  A machine may stand still for seconds, so nobody waits for less than a minute.
wait_for() {
	_limit=$((${2:-10} * slow))
	_until=$(($(date +%s) + (_limit > 60 ? _limit : 60)))
	until eval "$1"; do
		if [ "$(date +%s)" -gt "$_until" ]; then
			diag "timed out waiting for: $1"
			return 1
		fi
		sleep 0.05
	done
}

start() {
	_name=$1
	shift
	rm -f "$T/$_name.ready"
	mkfifo "$T/$_name.ready"
	"$@" -R 9 >>"$T/$_name.out" 2>>"$T/$_name.log" 9>"$T/$_name.ready" </dev/null &
	echo $! >"$T/$_name.pid"
	children="$children $!"
	if ! timeout $((60 * slow)) head -n 1 "$T/$_name.ready" | grep -q '^$'; then
		diag "$_name did not become ready: $*"
		sed -n '1,20s/^/# /p' "$T/$_name.log"
		return 1
	fi
}

start_plain() {
	_name=$1
	shift
	"$@" >>"$T/$_name.out" 2>>"$T/$_name.log" </dev/null &
	echo $! >"$T/$_name.pid"
	children="$children $!"
}

pid_of() { cat "$T/$1.pid"; }
signal() { kill "-$1" "$(pid_of "$2")"; }
alive() { kill -0 "$(pid_of "$1")" 2>/dev/null; }

# descendants PID: everything below it, the parts of its pipelines included.
descendants() {
	cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (.*) . \([0-9]*\) .*/\1 \2/' | awk -v root="$1" '
		{ parent[$1] = $2 }
		END {
			for (p in parent) {
				for (a = parent[p]; a > 1 && a != root; a = parent[a]) ;
				if (a == root) print p
			}
		}'
}

runs() { grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status" 2>/dev/null; }

# stop NAME: SIGTERM, and its exit status.
stop() {
	_below=$(descendants "$(pid_of "$1")")
	kill "$(pid_of "$1")" 2>/dev/null
	wait "$(pid_of "$1")"
	_got=$?
	for _p in $_below; do runs "$_p" && kill "$_p" 2>/dev/null; done
	return $_got
}

kill9() {
	_below=$(descendants "$(pid_of "$1")")
	kill -9 "$(pid_of "$1")" 2>/dev/null
	wait "$(pid_of "$1")" 2>/dev/null
	for _p in $_below; do runs "$_p" && kill -9 "$_p" 2>/dev/null; done
	return 0
}

# A TCP port that nobody listens on, outside the range that the kernel hands out, and nobody else's until the test ends: other tests run side by side.
free_port() {
	_taken=/tmp/dt.ports.$(id -u)
	mkdir -p "$_taken"
	find "$_taken" -mindepth 1 -mmin +60 -delete 2>/dev/null      # of tests that were killed
	_port=$((20000 + $$ * 37 % 12000))
	until ln -sn $$ "$_taken/$_port" 2>/dev/null && ! listens "$_port"; do
		_port=$((_port < 31999 ? _port + 1 : 20000))
	done
	echo "$_taken/$_port" >>"$T/ports"
	echo "$_port"
}

listens() {
	awk -v p="$(printf '%04X' "$1")" '$4 == "0A" { split($2, a, ":"); if (a[2] == p) found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# metric PROGRAM NAME [LABEL]: a number from its status file (0 when it is not there), at most a second old.
metric() {
	jq -r --arg n "$2" --arg l "${3:-}" '.metrics[$n] | if $l != "" then .[$l] else . end // 0' "$DT_RUN/status/$1.json" 2>/dev/null || echo 0
}

# Commands that done_testing runs first: tests of what other files of this directory recorded.
at_end=

done_testing() {
	for _f in $at_end; do $_f; done
	echo "1..$tests_run"
	[ "$tests_failed" = 0 ]
	exit
}

finish() {
	_code=$?
	trap - EXIT INT TERM
	_all=$(descendants $$)
	for _p in $children; do kill "$_p" 2>/dev/null; done
	_until=$(($(date +%s) + 5 * slow))
	for _p in $children; do
		while runs "$_p" && [ "$(date +%s)" -le "$_until" ]; do sleep 0.05; done
		runs "$_p" && kill -9 "$_p" 2>/dev/null
		wait "$_p" 2>/dev/null
	done
	for _p in $_all; do runs "$_p" && kill "$_p" 2>/dev/null; done
	if grep -lE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$T"/*.log "$T"/*.err 2>/dev/null | grep -q .; then
		diag "a sanitizer complained:"
		grep -hE -A 12 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$T"/*.log "$T"/*.err 2>/dev/null | sed -n '1,60s/^/# /p'
		_code=99
	fi
	if [ "$_code" != 0 ] || [ "$tests_failed" != 0 ]; then
		for _l in "$T"/*.log; do
			[ -s "$_l" ] && diag "--- ${_l##*/}" && tail -n 12 "$_l" | sed 's/^/# /'
		done
	fi
	[ ! -e "$T/ports" ] || xargs rm -f <"$T/ports"
	if [ -n "${KEEP:-}" ]; then diag "kept $T"; else rm -rf "$T"; fi
	exit "$_code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
