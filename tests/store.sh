# shellcheck shell=sh
# For the tests of dt-store: a journal made by hand, sourced after lib.sh and pg.sh.
#
#   put [RX] < events      # stamps lines and appends them to the journal in $T/journal; RX: receive time, default now
#   at SECONDS             # an ISO time so many seconds from the start of the test
#   store [options]        # runs dt-store over what is in the journal until all is stored; exit status in $code, messages in $T/store.log
#   telemetry NAME SECONDS KILLS [more fields]
#   follow NAME [options]  # start NAME dt-store: one after a kill -9, too, whose backend may not have noticed yet
#   same_day SECONDS       # where days are counted: not over midnight (UTC); the start of the test is now

mkdir -p "$T/journal"
echo "journal-$$" >"$T/journal/id"
echo 0 >"$T/seq"       # in a file, since put mostly ends a pipeline
put_at=1

# counted from when the test began: two calls a second apart must not make one time of two
store_now=$(date +%s)
at() { date -u -d "@$((store_now + $1))" +%Y-%m-%dT%H:%M:%SZ; }

put() {
	_rx=${1:-$(date -u +%Y-%m-%dT%H:%M:%S.000Z)}
	_file=$T/journal/$(printf %020d "$put_at").ndjson
	LC_ALL=C awk -v seq="$(cat "$T/seq")" -v rx="$_rx" '{ printf "{\"_seq\":%d,\"_rx\":\"%s\",%s\n", ++seq, rx, substr($0, 2) }' >"$T/put"
	cat "$T/put" >>"$_file"
	echo $(($(cat "$T/seq") + $(wc -l <"$T/put"))) >"$T/seq"
}

same_day() {
	while [ $((86400 - $(date +%s) % 86400)) -le "$1" ]; do sleep 1; done
	store_now=$(date +%s)
}

# as_supervised CMD...: exit status 75, "try again", is done, as a supervisor does; the last status in $code
as_supervised() {
	for _ in 1 2 3 4 5 6; do
		code=0
		"$@" || code=$?
		[ "$code" = 75 ] || break
	done
	return "$code"
}
store() { as_supervised timeout $((120 * slow)) dt-store -1 -r "$T/journal" "$@" 2>>"$T/store.log"; }
follow() {
	_follow=$1
	shift
	for _ in 1 2 3 4 5 6; do
		start "$_follow" dt-store "$@" && return
		wait "$(pid_of "$_follow")"
		[ $? = 75 ] || return 1
	done
}

telemetry() {
	printf '{"type":"telemetry","character_name":"%s","session_id":"%s","timestamp":"%s","ew":33.5,"ns":42.1,"z":0.4,"kills":%s%s}\n' \
	    "$1" "${SESSION:-s1}" "$(at "$2")" "$3" "${4:-}"
}

# For the sink of inventories: its database, a query in it, a run over the journal.
inventory_db() { sql 'create database inventory_db' postgres; }
isql() { sql "$1" inventory_db; }
inventory() { as_supervised timeout $((120 * slow)) dt-store --sink inventory -1 -r "$T/journal" "$@" 2>>"$T/inventory.log"; }

# item ID NAME CLASS [IntValues…] [more members…], with the plugin's words: item -5 Taper 12 '"218103814":10' ',"Spells":[1]'
item() { printf '{"Id":%s,"Name":"%s","ObjectClass":%s,"IntValues":{%s},"StringValues":{"1":"%s"}%s}' "$1" "$2" "$3" "${4:-}" "$2" "${5:-}"; }
# snapshot NAME SECONDS ITEM...
snapshot() {
	printf '{"type":"full_inventory","character_name":"%s","timestamp":"%s","items":[' "$1" "$(at "$2")"
	shift 2
	(IFS=,; printf '%s]}\n' "$*")
}
# delta NAME SECONDS ACTION ITEM|ID
delta() {
	case $3 in remove) _what=item_id ;; *) _what=item ;; esac
	printf '{"type":"inventory_delta","character_name":"%s","timestamp":"%s","action":"%s","%s":%s}\n' "$1" "$(at "$2")" "$3" "$_what" "$4"
}
