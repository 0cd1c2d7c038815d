# shellcheck shell=sh
# Sourced by the tests of dt-ingest, after lib.sh: plugins to play with.
#
#   ingest_start [options]         dt-ingest with the secret $SECRET, as "ingest"
#   plugin larsson                 a plugin connects; what it is to send is appended to $T/larsson.say
#   say larsson '{"type":…}' …     lines of wsc (tests/helpers/wsc.c says which)
#   hears larsson 'regex'          waits until a line that it got matches
#   journal REGEX                  lines of the journal
# What plugins are told is held against static/contract at the end.

SECRET=correct-horse-battery
SHARED_SECRET=$SECRET
export SHARED_SECRET
WSC=$B/helpers/wsc
SOCK=$DT_RUN/ingest.sock
. "$ROOT/tests/contract.sh"
keep_contract

ingest_start() { start ingest dt-ingest "$@"; }
fanout_start() { start fanout dt-fanout --sync 10; }

plugin_as() {
	_p=$1
	shift
	: >"$T/$_p.say"
	: >"$T/$_p.out"
	for _path; do :; done
	echo "$_p $_path" >>"$T/contract/sockets"
	start_plain "$_p" "$WSC" -f "$T/$_p.say" "$@"
}

plugin() {
	plugin_as "$1" -H "X-Plugin-Secret: $SECRET" "$SOCK" /ws/position
	wait_for "grep -q '^!' '$T/$1.out'"
}

say() {
	_p=$1
	shift
	printf '%s\n' "$@" >>"$T/$_p.say"
}

hears() { wait_for "grep -Eq -- '$2' '$T/$1.out'" "${3:-10}"; }
count_of() { grep -Ec -- "$2" "$T/$1.out"; }

# What was sent has been read: the reply to a bad frame comes behind all before it.
_settled=0
settled() {
	_settled=$((_settled + 1))
	say "$1" "{\"type\":\"x\",\"character_name\":\"$(printf '%080d' $_settled)\"}"
	wait_for "[ \"\$(grep -c 'character_name must be' '$T/$1.out')\" -ge ${2:-$_settled} ]"
}

# Closed segments may be compressed.
journal() {
	for _f in "$DT_DATA"/journal/*.ndjson "$DT_DATA"/journal/*.ndjson.zst; do
		case $_f in *\**) ;; *.zst) zstdcat "$_f" ;; *) cat "$_f" ;; esac
	done | grep -E -- "$1"
}

in_journal() { wait_for "journal '$1' | grep -q ."; }

# A metric once its file is newer than this call.
fresh_metric() {
	_at=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
	wait_for "[ \"\$(jq -r .at '$DT_RUN/status/dt-ingest.json')\" '>' '$_at' ]"
	metric dt-ingest "$@"
}
