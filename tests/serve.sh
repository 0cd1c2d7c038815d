# shellcheck shell=sh
# Sourced by the tests of dt-serve, after lib.sh: browsers to play with.
#
#   serve_start [options]          dt-serve on a free port ($PORT), as "serve"; URL=http://127.0.0.1:$PORT
#   browser b [wsc options]        connects to /ws/live (wsc: tests/helpers/wsc.c); what it got is in $T/b.out
#   say b '{"type":…}'             it sends lines
#   hears b 'regex' [seconds]      waits until it got such a line; count_of b 'regex'
#   settled b                     waits until it got all that was sent to it before (an answer of its own comes in order)
#   get PATH [curl options]        the body; its status in $T/status, its head in $T/head
#   code PATH [curl options]       the status alone
#                                  what both are answered, and what browsers are sent, is held against static/contract at the end;
#                                  CONTRACT=off get …: this once not, for an answer that is broken on purpose
#   walk NAME EW NS [more]         publishes a telemetry event
#   publish LINE…                  lines to the bus

SHARED_SECRET=correct-horse-battery
DT_TRUSTED_NETS=127.0.0.1/32,::1/128     # nobody logs in but in serve_login.t
export SHARED_SECRET DT_TRUSTED_NETS
WSC=$B/helpers/wsc
. "$ROOT/tests/contract.sh"
keep_contract

fanout_start() { start fanout dt-fanout --sync 10; }

# socket NAME [wsc options] ADDRESS PATH
socket() {
	_b=$1
	shift
	: >"$T/$_b.say"
	for _path; do :; done
	echo "$_b $_path" >>"$T/contract/sockets"
	start_plain "$_b" "$WSC" -f "$T/$_b.say" "$@"
	wait_for "grep -q '^!' '$T/$_b.out'"
}

say() {
	_b=$1
	shift
	printf '%s\n' "$@" >>"$T/$_b.say"
}

hears() { wait_for "grep -Eq -- '$2' '$T/$1.out'" "${3:-60}"; }
count_of() { grep -Ec -- "$2" "$T/$1.out"; }

settled() {
	_found=$(count_of "$1" '"code":"bad_message"')
	say "$1" settled
	wait_for "[ \"\$(count_of $1 '\"code\":\"bad_message\"')\" -gt $_found ]"
}

serve_start() {
	PORT=${PORT:-$(free_port)}
	URL=http://127.0.0.1:$PORT
	export PORT URL
	start serve dt-serve -p "$PORT" "$@"
}

warm() { wait_for "[ \"\$(code /readyz)\" = 200 ]"; }

browser() {
	_b=$1
	shift
	socket "$_b" "$@" "$PORT" /ws/live
}

# A file of its own for each answer, since these also run side by side; $T/body and $T/head are the newest.
get() {
	_path=$1
	shift
	_answer=$(mktemp "$T/contract/XXXXXXXX")
	: >"$_answer.head"
	: >"$_answer.body"
	curl -s -m 60 --path-as-is -D "$_answer.head" -o "$_answer.body" -w '%{http_code} %{method}' "$@" "$URL$_path" >"$_answer"
	_exit=$?
	read -r _status _method <"$_answer"
	sent "$@" >"$_answer.sent"
	[ "${CONTRACT:-}" = off ] || echo "$_exit $_status $_method $_path" >"$_answer.asked"
	echo "$_status" >"$T/status"
	ln -f "$_answer.head" "$T/head"
	ln -f "$_answer.body" "$T/body"
	cat "$T/body"
}

# What curl's options say that is sent.
sent() {
	while [ $# -gt 1 ]; do
		case $1 in -d | --data | --data-raw | --data-binary | --json) printf '%s' "$2" ;; esac
		shift
	done
}

code() {
	get "$@" >"$T/got"
	cat "$T/status"
}

header() { tr -d '\r' <"$T/head" | sed -n "s/^$1: //Ip"; }

publish() { printf '%s\n' "$@" | dt-send -q; }
now() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; }
walk() {
	publish "{\"type\":\"telemetry\",\"character_name\":\"$1\",\"timestamp\":\"$(now)\",\"session_id\":\"s1\",\"ew\":$2,\"ns\":$3,\"z\":0.1${4:+,$4}}"
}
