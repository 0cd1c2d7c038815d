#!/bin/sh
# The board of issues: made, changed, commented on, deleted; who may; what is refused.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"

pg_start
fanout_start
start store dt-store
serve_start
warm
wait_for '[ "$(code /issues)" = 200 ]'

# ask METHOD PATH [BODY] [curl options]: as a page of ours would
ask() {
	_m=$1 _p=$2 _b=${3:-}
	shift 2
	[ $# -gt 0 ] && shift
	set -- -X "$_m" -H "Origin: $URL" "$@"
	[ -n "$_b" ] && set -- -H 'Content-Type: application/json' --data-binary "$_b" "$@"
	get "$_p" "$@"
}
says() { ask "$@" >"$T/got"; echo "$(cat "$T/status") $(jq -r .code "$T/body" 2>/dev/null)"; }

is 'an empty board' "$(get /issues)" '{"issues":[],"count":0,"more":false}'
title="Robert'); drop table issues;-- <b>é \\\"q\\\""
ask POST /issues "{\"title\":\"$title\",\"body\":\"line one\\nline two\",\"category\":\"map\",\"author\":\"Larsson\"}" >"$T/new"
is 'made' "$(cat "$T/status") $(jq -c '[.id, .title, .body, .category, .state, .author, .comments]' "$T/new")" "201 [1,\"$title\",\"line one\\nline two\",\"map\",\"open\",\"Larsson\",[]]"
like 'with its times' "$(jq -r '.created_at + .updated_at' "$T/new")" '^(20[0-9-]+T[0-9:.]+Z){2}$'
is 'without an author' "$(ask POST /issues '{"title":"second"}' | jq -c '[.id, .author, .body]')" '[2,"anonymous",""]'
is 'the newest first' "$(get /issues | jq -c '[.count, [.issues[].id]]')" '[2,[2,1]]'
is 'changed' "$(ask PATCH /issues/1 '{"state":"done","title":"t"}' | jq -c '[.id, .state, .title, .category, .author]')" '[1,"done","t","map","Larsson"]'
is 'nothing to change' "$(ask PATCH /issues/1 '{}' | jq -c '[.state, .title, .body]')" '["done","t","line one\nline two"]'
is 'by state' "$(get '/issues?state=done' | jq -c '[.issues[].id]') $(get '/issues?state=open' | jq -c '[.issues[].id]') $(get '/issues?category=map' | jq -c '[.issues[].id]')" '[1] [2] [1]'
is 'by pages' "$(get '/issues?limit=1' | jq -c '[.issues[0].id, .more]') $(get '/issues?limit=1&page=2' | jq -c '[.issues[0].id, .more]')" '[2,true] [1,false]'
is 'commented on' "$(ask POST /issues/1/comments '{"body":"<i>why</i>","author":"B"}' | jq -c '[.issue_id, .author, .body]') $(cat "$T/status")" '[1,"B","<i>why</i>"] 201'
is 'comments in order' "$(ask POST /issues/1/comments '{"body":"two"}' >/dev/null; get /issues/1 | jq -c '[.comments[] | [.author, .body]]')" '[["B","<i>why</i>"],["anonymous","two"]]'
is 'deleted' "$(says DELETE /issues/1) $(code /issues/1) $(sql 'select count(*) from issue_comments')" '204  404 0'
is 'and gone' "$(says DELETE /issues/1) $(says PATCH /issues/1 '{"state":"open"}') $(says POST /issues/1/comments '{"body":"x"}')" '404 not_found 404 not_found 404 not_found'

# ---- who may ----
post() { says_code=$(code /issues -d '{"title":"x"}' -H 'Content-Type: application/json' "$@"); echo "$says_code $(jq -r .code "$T/body")"; }
is 'no origin' "$(post)" '403 foreign_origin'
is 'another origin' "$(post -H 'Origin: http://evil.example')" '403 foreign_origin'
is 'another port' "$(post -H 'Origin: http://127.0.0.1:1')" '403 foreign_origin'
is 'null' "$(post -H 'Origin: null')" '403 foreign_origin'
is 'a name that somebody points at us' "$(post -H 'Origin: http://evil.example' -H 'Host: evil.example')" '403 foreign_origin'
is 'of another site' "$(post -H 'Sec-Fetch-Site: cross-site') $(post -H "Origin: $URL" -H 'Sec-Fetch-Site: same-site')" '403 foreign_origin 403 foreign_origin'
is 'of ours' "$(code /issues -d '{"title":"x"}' -H 'Content-Type: application/json' -H 'Sec-Fetch-Site: same-origin')" 201
is 'a form of any page' "$(code /issues -d 'title=x' -H "Origin: $URL") $(jq -r .code "$T/body")" '415 not_json'
is 'deleting too' "$(code /issues/2 -X DELETE) $(code /issues/2)" '403 200'

# ---- what is refused ----
for body in '' '[]' '"x"' '{' '{"title":"x"' '{}' '{"title":""}' '{"title":7}' '{"title":null}' '{"title":"x","titel":"y"}' '{"title":"x","state":"closed"}' '{"title":"x","author":""}' \
    '{"title":"x","author":"0123456789012345678901234567890123"}' "{\"title\":\"$(printf '%0201d' 0)\"}" '{"title":"x","category":["a"]}' '{"title":"x\u0000"}'; do
	is "refused: $(printf %s "$body" | cut -c1-40)" "$(code /issues -X POST --data-binary "$body" -H 'Content-Type: application/json' -H "Origin: $URL") $(jq -r .code "$T/body")" '400 bad_body'
done
is 'the longest' "$(says POST /issues "{\"title\":\"$(printf '%0200d' 0)\",\"body\":\"$(printf '%010000d' 0)\",\"author\":\"éééééééééééééééééééééééééééééééé\"}")" '201 null'
is 'too long' "$(says POST /issues "{\"title\":\"x\",\"body\":\"$(printf '%010001d' 0)\"}")" '400 bad_body'
head -c 70000 /dev/zero | tr '\0' x >"$T/large"
is 'far too long' "$(CONTRACT=off code /issues -X POST --data-binary "@$T/large" -H 'Content-Type: application/json' -H "Origin: $URL")" 413
for id in 0 -1 x 1x 9999999999999999999 1/2; do is "no number: $id" "$(CONTRACT=off code "/issues/$id") $(jq -r .error "$T/body" | grep -o '"id"')" '400 "id"'; done
is 'methods' "$(CONTRACT=off code /issues/2 -X PUT -d x) $(header allow)" '405 GET, HEAD, PATCH, DELETE'
stop store
done_testing
