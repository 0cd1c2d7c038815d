#!/bin/sh
# dt-serve and the contract: the same routes in both, the documents are served, and an answer that breaks the contract is found.
# only: plain
. "$(dirname "$0")/../lib.sh"
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

# ---- what checks the answers of all these tests sees what is wrong: a directory and a line of $T/expected for each ----
n=0
next() {
	n=$((n + 1))
	mkdir -p "$T/bad/$n/contract"
	printf '%s\t%s\n' "$1" "$2" >>"$T/expected"
}
answer() {
	next "$1" "$2"
	echo "0 $3" >"$T/bad/$n/contract/a.asked"
	printf 'HTTP/1.1 %s x\r\nContent-Type: %s\r\n\r\n' "${3%% *}" "$4" >"$T/bad/$n/contract/a.head"
	printf '%s' "${5%_}" >"$T/bad/$n/contract/a.body"      # $() would take the last line's end
}
message() {
	next "$1" "$2"
	echo "b $3" >"$T/bad/$n/contract/sockets"
	printf '!open\n%s\n' "$4" >"$T/bad/$n/b.out"
}
json=application/json
error='{"error":"x","code":"x"}'
answer 'a right answer' '' '200 GET /api/live?within=30' $json '{"players":[],"count":0}'
answer 'a route that is not declared' 'does not know this path' '200 GET /lives' $json '{}'
answer 'a method that is not declared' 'does not know this path' '200 POST /live' $json '{}'
answer 'a status that is not declared' 'not declared' '201 GET /live' $json '{"players":[],"count":0}'
answer 'a field that is missing' "required property 'count'" '200 GET /live' $json '{"players":[]}'
answer 'a field that nobody described' '(extra)' '200 GET /live' $json '{"players":[],"count":0,"extra":1}'
answer 'a value of the wrong kind' '/count must be integer' '200 GET /live' $json '{"players":[],"count":"0"}'
answer 'a time that is none' 'last_seen must match' '200 GET /live' $json '{"players":[{"character_name":"A","last_seen":"now","age_s":1,"online":true}],"count":1}'
answer 'a body cut off' 'no JSON' '200 GET /live' $json '{"players":['
answer 'another content type' 'content type text/html' '200 GET /live' text/html '{"players":[],"count":0}'
answer 'a header that is missing' 'no header Retry-After' '503 GET /live' $json "$error"
answer 'an error without its word' "required property 'code'" '404 GET /nothing' $json '{"error":"x"}'
answer 'a parameter that is not declared' '"withn", which is not declared' '200 GET /live?withn=3' $json '{"players":[],"count":0}'
answer 'a parameter out of bounds' 'within=3601, but that it must be <= 3600' '200 GET /live?within=3601' $json '{"players":[],"count":0}'
answer 'a parameter twice' 'twice' '200 GET /live?within=1&within=2' $json '{"players":[],"count":0}'
answer 'CSV' '' '200 GET /quests' text/csv "$(printf 'character_name,quest_name,countdown,x\r\nA,"q ""1"",\nb",,1\r\n_')"
answer 'CSV with a field too many' 'rows of 4 and 5 fields' '200 GET /quests' text/csv "$(printf 'character_name,quest_name,countdown,x\r\nA,b,c,d,e\r\n_')"
answer 'CSV with other names' 'must match pattern' '200 GET /quests' text/csv "$(printf 'name,quest_name\r\n_')"
answer 'a line that is no item' "required property 'item_id_hex'" '200 GET /inventory/A/export?format=ndjson' application/x-ndjson '{"item_id":"1"}'
answer 'what is unknown and 404' '' '404 GET /nothing' $json "$error"
message 'an event of any form with its stamp' '' /ws/live '{"_seq":1,"_rx":"2026-01-01T00:00:00.000Z","type":"chat","x":1}'
message 'a stamp that is none' '_seq must be integer' /api/ws/live '{"_seq":"1","type":"chat"}'
message 'half a gap' "required property 'count'" /ws/live '{"type":"gap","from":1,"to":2}'
message 'what an answer does not hold' '(more)' /ws/live '[{"type":"subscribed","seq":1,"more":2}]'
message 'a command with more' '(id)' '/ws/position?secret=x' '{"player_name":"A","command":"/x","id":"1"}'
message 'what belongs elsewhere' 'no message "gap"' /ws/position '{"type":"gap","from":1,"to":2,"count":1}'
message 'a batch within a batch' 'must be object' /ws/live '[[{"type":"chat"}]]'

for i in $(seq $n); do set -- "$@" "$T/bad/$i/contract"; done
contract answers "$@" >"$T/found"
is 'all were looked at' "$(grep -c '^[01] answers, [01] messages$' "$T/found")" $n
# what was said of the i-th, the line that ends it left out
said() { awk -v i="$1" 'BEGIN { at = 1 } /^[01] answers, [01] messages$/ { at++; next } at == i' "$T/found"; }
i=0
while IFS="$(printf '\t')" read -r what text; do
	i=$((i + 1))
	if [ -n "$text" ]; then
		ok "found: $what" sh -c 'printf "%s\n" "$1"; case $1 in *"$2"*) ;; *) exit 1 ;; esac' sh "$(said $i)" "$text"
	else
		is "passes: $what" "$(said $i)" ''
	fi
done <"$T/expected"
done_testing
