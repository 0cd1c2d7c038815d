#!/bin/sh
# Who may come in: accounts, sessions, roles, tokens, throttling, trusted networks, proxies, TLS.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

unset DT_TRUSTED_NETS
jar=$T/jar
fanout_start
serve_start
warm

# same-origin requests of a browser with the cookies of $jar
as() { get "$@" -b "$jar" -c "$jar" -H "Origin: $URL"; }
as_code() { as "$@" >"$T/got"; cat "$T/status"; }
json() { as "$1" -X "$2" -H 'Content-Type: application/json' -d "$3"; }
json_code() { json "$@" >"$T/got"; cat "$T/status"; }
form_code() { get /login -b "$jar" -c "$jar" -H "Origin: $URL" -d "$1" >"$T/got"; cat "$T/status"; }
header() { tr -d '\r' <"$T/head" | sed -n "s/^$1: //Ip"; }

# without login
for path in /live /stats /me /ws/live /classic/ /search/items /admin/users /trails /portals; do
	is "$path without login" "$(code "$path")" 401
done
for path in /healthz /readyz /api-version /contract/openapi.json /login /login/login.css /metrics; do
	is "$path needs none" "$(code "$path")" 200
done
is 'a browser is led to the login page' "$(code / -H 'Accept: text/html,*/*') $(header location)" '303 /login'
is 'metrics through a proxy need one' "$(code /metrics -H 'X-Forwarded-For: 9.9.9.9')" 401
is 'F50: a trusted address that is only claimed' "$(code /live -H 'X-Forwarded-For: 127.0.0.1' -H 'X-Real-IP: 127.0.0.1' -H 'Forwarded: for=127.0.0.1')" 401

# the first run
link=$(dt-user link)
like 'the page without an account says what to do' "$(get /login)" 'There is no account yet'
like 'the link leads to the first account' "$(get "$link")" 'Make the first account'
is 'a made-up link' "$(code '/login?link=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')" 403
is 'no account without the link' "$(form_code 'username=larsson&password=correct+horse')" 401
is 'a short password' "$(form_code "username=larsson&password=short&link=${link#*=}")" 400
is 'the first admin is made, and in' "$(form_code "username=larsson&password=correct+h%C3%B6rse&link=${link#*=}") $(header location)" '303 /'
cookie=$(header set-cookie)
like 'the cookie is for the server alone' "$cookie" '^dt=[A-Za-z0-9_-]{32}; Path=/; HttpOnly; SameSite=Strict; Max-Age=[0-9]+$'
is 'the link has been used' "$(form_code "username=eve&password=correct+horse&link=${link#*=}")" 400
is 'who it is' "$(as /me | jq -r '.username + " " + .role')" 'larsson admin'
is 'and in' "$(as_code /live)" 200

# logging in
first=$(awk '/dt/ { print $7 }' "$jar" | tail -n 1)
is 'by form' "$(form_code 'username=larsson&password=correct+h%C3%B6rse')" 303
second=$(awk '/dt/ { print $7 }' "$jar" | tail -n 1)
ok 'F43: each login has a session of its own' [ "$first" != "$second" ]
is 'F43: the one before is over' "$(code /live -H "Cookie: dt=$first")" 401
is 'by JSON' "$(json /login POST '{"username":"larsson","password":"correct hörse"}' | jq -r .role)" admin
wrong=$(json /login POST '{"username":"larsson","password":"wrong horse"}')
is 'F40: a wrong password and an unknown name sound the same' "$(json /login POST '{"username":"nobody","password":"wrong horse"}')" "$wrong"
is 'no password' "$(json_code /login POST '{"username":"larsson"}')" 400
is 'F45: not from another site' "$(code /login -X POST -H 'Origin: http://evil.example' -d 'username=larsson&password=correct+h%C3%B6rse')" 403
is 'F45: not from nowhere' "$(code /login -X POST -d 'username=larsson&password=correct+h%C3%B6rse')" 403
for forged in "$(echo "$second" | tr 'A-Za-z' 'B-ZAb-za')" x '' "$second$second" "$(printf %0200d 0)"; do
	is 'F42: a forged cookie' "$(code /live -H "Cookie: dt=$forged")" 401
done
is 'F43: a preset cookie is not taken over' "$(get /login -H 'Cookie: dt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' -H "Origin: $URL" -d 'username=larsson&password=correct+h%C3%B6rse' >"$T/got"; header set-cookie | grep -c AAAAAAAA)" 0

# users and roles
is 'a viewer is made' "$(json /admin/users POST '{"username":"vera","password":"viewer viewer"}' | jq -r .role)" viewer
is 'twice' "$(json_code /admin/users POST '{"username":"vera","password":"viewer viewer"}')" 409
is 'an operator' "$(json_code /admin/users POST '{"username":"otto","password":"operator operator","role":"operator"}')" 201
is 'a role that is none' "$(json_code /admin/users POST '{"username":"x","password":"operator operator","role":"king"}')" 400
is 'a name that is none' "$(json_code /admin/users POST '{"username":"<b>","password":"operator operator"}')" 400
is 'the list' "$(as /admin/users | jq -c '[.users[] | [.username, .role]]')" '[["larsson","admin"],["otto","operator"],["vera","viewer"]]'
is 'F39: no hash in it' "$(as /admin/users | grep -c argon2)" 0
is 'nobody of that name' "$(json_code /admin/users/nobody PATCH '{"role":"viewer"}')" 404
is 'the last admin stays' "$(json_code /admin/users/larsson PATCH '{"role":"viewer"}') $(as_code /admin/users/larsson -X DELETE)" '409 409'
is 'F45: JSON only' "$(as_code /admin/users -X POST -H 'Content-Type: text/plain' -d '{"username":"eve","password":"correct horse"}')" 415

jar=$T/vera
is 'the viewer logs in' "$(json_code /login POST '{"username":"vera","password":"viewer viewer"}')" 200
is 'reads' "$(as_code /live)" 200
is 'but manages nobody' "$(as_code /admin/users) $(json_code /admin/users POST '{"username":"eve","password":"correct horse"}') $(as_code /admin/tokens)" '403 403 403'
vera=$(awk '/dt/ { print $7 }' "$jar" | tail -n 1)
socket vera -H "Cookie: dt=$vera" -H "Host: 127.0.0.1:$PORT" -H "Origin: $URL" "$PORT" /ws/live
say vera '{"player_name":"A","command":"/radar start"}'
ok 'a viewer sends no commands' hears vera 'not_allowed'
ok 'becomes an operator' dt-user role vera operator
wait_for '[ "$(as /me | jq -r .role)" = operator ]'
# the socket learns of it a moment later
for _ in $(seq 100); do
	n=$(count_of vera 'not_allowed|command_status')
	say vera '{"player_name":"A","command":"/radar start"}'
	wait_for "[ \"\$(count_of vera 'not_allowed|command_status')\" -gt $n ]"
	grep -q command_status "$T/vera.out" && break
	sleep 0.1
done
ok 'then it may, on the same socket' grep -q command_status "$T/vera.out"
publish '{"type":"chat","character_name":"A","text":"hello"}'
ok 'and hears the stream' hears vera hello
is 'logging out' "$(as_code /logout -X POST -d '')" 204
ok 'F42: closes the socket with 4401' wait_for 'grep -q "^!closed 4401" "$T/vera.out"'
is 'F42: the cookie is worth nothing any more' "$(code /live -H "Cookie: dt=$vera")" 401
is 'F42: a socket neither' "$(code /ws/live -H "Cookie: dt=$vera" -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')" 401

# the board is for operators
jar=$T/reader
echo 'reader reader' | dt-user add reader
json /login POST '{"username":"reader","password":"reader reader"}' >"$T/got"
is 'a viewer does not write on the board' "$(json_code /issues POST '{"title":"x"}') $(as_code /issues/1 -X DELETE)" '403 403'

# a new password ends the sessions
jar=$T/otto
is 'otto logs in' "$(json_code /login POST '{"username":"otto","password":"operator operator"}')" 200
echo 'another password' | dt-user passwd otto
ok 'F42: a new password throws out' wait_for '[ "$(as_code /me)" = 401 ]'

# guessing (serve_door.t has more of it)
jar=$T/guess
guess() { json_code /login POST '{"username":"larsson","password":"a guess"}'; }
ok 'F40: who guesses has to wait' wait_for '[ "$(guess)" = 429 ]' 60
like 'F40: and is told how long' "$(header retry-after)" '^[1-9][0-9]*$'

# tokens
jar=$T/jar
token=$(json /admin/tokens POST '{"name":"grafana"}' | jq -r .token)
is 'a token reads' "$(code /live -H "Authorization: Bearer $token")" 200
is 'as a viewer' "$(code /admin/users -H "Authorization: Bearer $token")" 403
is 'a wrong one does not' "$(code /live -H "Authorization: Bearer ${token}x")" 401
is 'it is listed without its secret' "$(as /admin/tokens | jq -c '[.tokens[] | .name, has("token")]')" '["grafana",false]'
is 'and ended' "$(as_code /admin/tokens/1 -X DELETE) $(code /live -H "Authorization: Bearer $token")" '204 401'

# who needs no login
is 'the UNIX socket is for who may open its file' "$(curl -s --unix-socket "$DT_RUN/serve.sock" http://localhost/me | jq -r .role)" admin
is 'F51: its mode' "$(stat -c %a "$DT_RUN/serve.sock")" 660

# sessions outlive the server, dt-serve is killed
kill9 serve
serve_start
warm
is 'F05: a killed server forgets no session' "$(as_code /live)" 200
stop serve

DT_TRUSTED_NETS=127.0.0.0/8 serve_start
warm
is 'a trusted network needs no login' "$(get /me | jq -r '.username + " " + .role')" 'local operator'
is 'and manages nobody' "$(code /admin/users)" 403
stop serve

DT_TRUSTED_NETS=10.1.0.0/16 DT_PROXY_NETS=127.0.0.1 serve_start
warm
is 'a proxy itself is not trusted' "$(code /live)" 401
is 'whom it forwards is, from a trusted network' "$(code /live -H 'X-Forwarded-For: 10.1.2.3')" 200
is 'F50: not what the client put in front' "$(code /live -H 'X-Forwarded-For: 10.1.2.3, 9.9.9.9')" 401
is 'over https the cookie has its own name' "$(get /login -H 'X-Forwarded-For: 10.1.2.3' -H 'X-Forwarded-Proto: https' -H "Origin: https://127.0.0.1:$PORT" -d 'username=larsson&password=correct+h%C3%B6rse' >"$T/got"; header set-cookie | grep -c '^__Host-dt=.*; Secure$')" 1
stop serve

# TLS
if command -v openssl >/dev/null; then
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	http=$URL
	DT_TLS_CERT=$T/cert.pem DT_TLS_KEY=$T/key.pem serve_start -b 0.0.0.0
	URL=https://127.0.0.1:$PORT
	wait_for '[ "$(code /readyz --cacert "$T/cert.pem")" = 200 ]'
	is 'https, also on all addresses' "$(code /healthz --cacert "$T/cert.pem")" 200
	is 'with a secure cookie' "$(get /login --cacert "$T/cert.pem" -H "Origin: $URL" -d 'username=larsson&password=correct+h%C3%B6rse' >"$T/got"; header set-cookie | grep -c '^__Host-dt=.*; Secure$')" 1
	is 'a large answer' "$(get /contract/openapi.json --cacert "$T/cert.pem" | cmp - "$ROOT/static/contract/openapi.json" && echo same)" same
	is 'no plain http there' "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$http/healthz")" 000
	is 'no old TLS' "$(curl -s -m 5 --tls-max 1.1 -k -o /dev/null -w '%{http_code}' "$URL/healthz")" 000
	stop serve
	status 'a certificate without its key' 78 env DT_TLS_CERT="$T/cert.pem" dt-serve -p 0
	status 'a key that is none' 78 env DT_TLS_CERT="$T/cert.pem" DT_TLS_KEY="$T/cert.pem" dt-serve -p 0
fi
status 'a network that is none' 78 env DT_TRUSTED_NETS=10.0.0.0/33 dt-serve -p 0
like 'named' "$(cat "$T/err")" 'DT_TRUSTED_NETS: "10.0.0.0/33" is no network'
status 'F51: all addresses in the clear' 78 dt-serve -b 0.0.0.0 -p 0

# no password, key or token in any log
is 'F39: nothing secret in the log' "$(grep -c -e 'correct h' -e "$second" -e "$token" "$T/serve.log")" 0
done_testing
