#!/bin/sh
# dt-serve and the contract: the same routes in both, the documents are served, and an answer that breaks the contract is found.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/contract.sh"
. "$ROOT/tests/serve.sh"

# ---- routes: those of files are nobody's code ----
dt-serve --routes | sed 's/{[^}]*}/{}/g' | sort >"$T/routes"
jq -r '.paths | to_entries[] | select(.key | startswith("/contract/") | not) | .key as $path | .value | keys[] | select(. != "parameters") | "\(ascii_upcase) \($path)"' "$ROOT/static/contract/openapi.json" |
	sed 's/{[^}]*}/{}/g' | sort >"$T/declared"
ok 'there are some' test "$(wc -l <"$T/routes")" -ge 9
is 'routes without a contract' "$(comm -23 "$T/routes" "$T/declared")" ''
is 'a contract without routes' "$(comm -13 "$T/routes" "$T/declared")" ''

# ---- it is served ----
serve_start
for f in openapi.json asyncapi.json common.schema.json EVENT_FORMATS.json events/telemetry.schema.json events/share_goodbye.schema.json; do
	is "served: $f" "$(get "/contract/$f" >"$T/got" && cat "$T/status") $(header content-type) $(cmp "$T/got" "$ROOT/static/contract/$f")" '200 application/json '
done
etag=$(header etag)
is 'below /api too, and asked again it is not sent again' "$(code /api/contract/events/share_goodbye.schema.json -H "If-None-Match: $etag")" 304
is 'each type has one' "$(sed -n 's/^EVENT_TYPE("\([a-z_]*\)".*/\1/p' "$ROOT/lib/event/event_types.def" | while read -r type; do
	[ "$(code "/contract/events/$type.schema.json")" = 200 ] || echo "$type"
done)" ''
is 'and nobody else' "$(code /contract/events/unheard_of.schema.json) $(jq -r .code "$T/body")" '404 not_found'
need_contract

# ---- what checks the answers of all these tests sees what is wrong ----
answer() {
	rm -rf "$T/bad"
	mkdir -p "$T/bad/contract"
	echo "0 $1" >"$T/bad/contract/a.asked"
	printf 'HTTP/1.1 %s x\r\nContent-Type: %s\r\n%s\r\n' "$(echo "$1" | cut -d' ' -f1)" "$2" "${4:-}" >"$T/bad/contract/a.head"
	printf '%s' "$3" >"$T/bad/contract/a.body"
	contract answers "$T/bad/contract"
}
found() {
	_what=$1 _regex=$2
	shift 2
	like "found: $_what" "$(answer "$@")" "^(GET|POST) .*$_regex"
}
json=application/json
error='{"error":"x","code":"x"}'
like 'a right answer passes' "$(answer '200 GET /api/live?within=30' $json '{"players":[],"count":0}')" '^1 answers'
found 'a route that is not declared' 'does not know this path' '200 GET /lives' $json '{}'
found 'a method that is not declared' 'does not know this path' '200 POST /live' $json '{}'
found 'a status that is not declared' 'not declared' '201 GET /live' $json '{"players":[],"count":0}'
found 'a field that is missing' "required property 'count'" '200 GET /live' $json '{"players":[]}'
found 'a field that nobody described' 'extra' '200 GET /live' $json '{"players":[],"count":0,"extra":1}'
found 'a value of the wrong kind' '/count must be integer' '200 GET /live' $json '{"players":[],"count":"0"}'
found 'a time that is none' 'last_seen must match' '200 GET /live' $json '{"players":[{"character_name":"A","last_seen":"now","age_s":1,"online":true}],"count":1}'
found 'a body cut off' 'no JSON' '200 GET /live' $json '{"players":['
found 'another content type' 'content type text/html' '200 GET /live' text/html '{"players":[],"count":0}'
found 'a header that is missing' 'no header Retry-After' '503 GET /live' $json "$error"
found 'an error without its word' "required property 'code'" '404 GET /nothing' $json '{"error":"x"}'
found 'a parameter that is not declared' '"withn", which is not declared' '200 GET /live?withn=3' $json '{"players":[],"count":0}'
found 'a parameter out of bounds' 'within=3601, but that it must be <= 3600' '200 GET /live?within=3601' $json '{"players":[],"count":0}'
found 'a parameter twice' 'twice' '200 GET /live?within=1&within=2' $json '{"players":[],"count":0}'
like 'what is unknown may be 404' "$(answer '404 GET /nothing' $json "$error")" '^1 answers'
message() {
	rm -rf "$T/bad"
	mkdir -p "$T/bad/contract"
	echo "b $1" >"$T/bad/contract/sockets"
	printf '!open\n%s\n' "$2" >"$T/bad/b.out"
	contract answers "$T/bad/contract"
}
like 'messages: an event of any form passes, with its stamp' "$(message /ws/live '{"_seq":1,"_rx":"2026-01-01T00:00:00.000Z","type":"chat","x":1}')" '^0 answers, 1 messages'
like 'found: a stamp that is none' "$(message /api/ws/live '{"_seq":"1","type":"chat"}')" '_seq must be integer'
like 'found: half a gap' "$(message /ws/live '{"type":"gap","from":1,"to":2}')" "required property 'count'"
like 'found: what an answer should not hold' "$(message /ws/live '[{"type":"subscribed","seq":1,"more":2}]')" '\(more\)'
like 'found: a command with a type' "$(message '/ws/position?secret=x' '{"player_name":"A","command":"/x","id":"1"}')" 'neither a command nor an event'
done_testing
