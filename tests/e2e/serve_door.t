#!/bin/sh
# The door under attack: guesses, floods of logins, forged cookies, pages of others, claimed addresses, commands that are none.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

DT_TRUSTED_NETS=10.0.0.0/8
DT_PROXY_NETS=127.0.0.1                  # so that each request can come from where it likes
export DT_PROXY_NETS
fanout_start
serve_start
warm
for who in 'anna admin' 'vera viewer' 'otto operator' 'gus viewer'; do
	# shellcheck disable=SC2086 # a name and a role
	echo "password of ${who% *}" | dt-user add $who
done

# Each line of its input is "NAME|PATH|options of curl, one to a '|'"; asks them one after the other in one process, and prints "STATUS NAME".
ask() {
	awk -F '|' -v url="$URL" '
		{
			name = $1
			gsub(/[\\"]/, "\\\\&", name)
			if (NR > 1) print "next"
			printf "url=\"%s%s\"\noutput=\"/dev/null\"\nmax-time=60\npath-as-is\nwrite-out=\"%%{http_code} %s\\n\"\n", url, $2, name
			for (i = 3; i <= NF; i++) print $i
		}' >"$T/asked"
	curl -s "$@" --config "$T/asked"
}
header_of() { printf 'header="%s: %s"' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"; }
count() { grep -c "^$1 " "$T/answers"; }
same_origin="header=\"Origin: $URL\""
login() {
	_name=$1 _password=$2 _address=${3:-9.0.0.1}
	shift $(($# > 3 ? 3 : $#))
	get /login "$@" -H "Origin: $URL" -H "X-Forwarded-For: $_address" -H 'Content-Type: application/json' -d "{\"username\":\"$_name\",\"password\":\"$_password\"}"
}
cookie() { login "$1" "password of $1" >"$T/got" && header set-cookie | sed -n 's/^dt=\([^;]*\);.*/\1/p'; }
hashes() { metric dt-serve password_hashes_total; }
# flood N BODY ADDRESS: N logins at once; in both % stands for their number
flood() {
	_line="login|/login|$same_origin|$(header_of X-Forwarded-For "$3")|data=\"$2\""
	seq "$1" | awk -v line="$_line" '{ each = line; gsub(/%/, $1, each); print each }' >"$T/flood"
	ask -Z --parallel-immediate --parallel-max "$1" <"$T/flood" >"$T/answers" 2>"$T/progress"
}

# F40: who guesses learns nothing, and slowly
for name in vera ghost; do
	login $name 'a wrong guess' 9.0.1.1 >"$T/$name.body"
	tr -d '\r' <"$T/head" | grep -vi '^date:' >"$T/$name.head"
	get /login -H "Origin: $URL" -H 'X-Forwarded-For: 9.0.1.2' -d "username=$name&password=a+wrong+guess" | sed "s/$name/NAME/" >"$T/$name.page"
done
for part in head body page; do
	ok "F40: an unknown name and a wrong password have the same $part" cmp "$T/vera.$part" "$T/ghost.$part"
done
like 'F40: which is a refusal' "$(head -n 1 "$T/vera.head") $(grep alert "$T/vera.page")" ' 401 .*The name or the password is wrong'
ok 'F40: each has cost a hash' wait_for '[ "$(hashes)" = 4 ]'
all=4                                    # hashes that were to be made
for name in vera ghost; do
	flood 100 "username=$name&password=guess+number+%" '9.1.2.%'
	hashed=$(count 401)
	ok "F40: 100 guesses for $name side by side, from as many addresses: $hashed are looked at" [ "$hashed" -le 20 ]
	is "F40: all others for $name wait" "$((hashed + $(count 429)))" 100
	all=$((all + hashed))
	ok "F40: as many hashes for $name" wait_for "[ \"\$(hashes)\" = $all ]"
done

# F41: fifty log in at once
otto=$(cookie otto)
socket stream -H "Cookie: dt=$otto" -H "Host: 127.0.0.1:$PORT" -H "Origin: $URL" "$PORT" /ws/live
flood 50 'username=w%&password=fifty+at+once' '9.3.3.%' &
flood=$!
for n in 1 2 3; do publish "{\"type\":\"chat\",\"character_name\":\"A\",\"text\":\"meanwhile $n\"}"; done
ok 'F41: the stream goes on meanwhile' hears stream 'meanwhile 3'
is 'F41: two threads hash, and no more' "$(find "/proc/$(pid_of serve)/task" -mindepth 1 -maxdepth 1 | wc -l)" 3
wait $flood
is 'F41: each of fifty was answered' "$(($(count 401) + $(count 429)))" 50
ok 'F41: those that were looked at are as many as hashes' wait_for "[ \"\$(hashes)\" = $((all + 1 + $(count 401))) ]"
wait_for "[ \"\$(metric dt-serve password_hashes_busy)\" = 0 ]"
is 'F41: nothing is left waiting' "$(metric dt-serve password_hashes_busy)" 0

# F42: cookies that are none
dt-user -f "$T/other.db" link >"$T/link"
foreign=$(sed 's/.*=//' "$T/link")
{
	echo "our own|/me|$(header_of Cookie "dt=$otto")"
	echo "among others|/me|$(header_of Cookie "a=b; dt=$otto; dtx=y")"
	for forged in "${otto%?}" "${otto}A" "$foreign" "$(echo "$otto" | tr 'A-Za-z' 'a-zA-Z')" "\"$otto\"" "$otto,$otto" "%64t=$otto" '' x "$(printf %0300d 0)" "dt_$otto" "'; drop table sessions;--"; do
		echo "forged: $forged|/me|$(header_of Cookie "dt=$forged")"
	done
	echo "the name of TLS|/me|$(header_of Cookie "__Host-dt=$otto")"
	echo "another name|/me|$(header_of Cookie "DT=$otto")"
	echo "as a token|/me|$(header_of Authorization "Bearer $otto")"
	echo "as a password|/me|user=\"otto:$otto\""
	echo "in the query|/me?dt=$otto|"
} >"$T/cookies"
ask <"$T/cookies" >"$T/answers"
is 'F42: the cookie itself is good' "$(head -n 2 "$T/answers" | cut -c 1-3 | tr '\n' ' ')" '200 200 '
sed 1,2d "$T/answers" | while read -r code what; do [ "$code" = 401 ] || echo "$code $what"; done >"$T/wrong"
is "F42: none of $(sed 1,2d "$T/answers" | wc -l) forgeries" "$(cat "$T/wrong")" ''
browser_as() { socket "$1" -H "Cookie: dt=$2" -H "Host: 127.0.0.1:$PORT" -H "Origin: $URL" "$PORT" /ws/live; }
anna=$(cookie anna)
browser_as anna1 "$anna"
browser_as anna2 "$anna"
token=$(dt-user token add bot operator 2>"$T/token.err")
socket bot -H "Authorization: Bearer $token" "$PORT" /ws/live
is 'F42: a token opens a socket' "$(head -n 1 "$T/bot.out")" '!open'
is 'F42: logging out' "$(code /logout -X POST -H "Origin: $URL" -H "Cookie: dt=$anna" -d '')" 204
for b in anna1 anna2; do ok "F42: closes $b" hears $b '^!closed 4401'; done
dt-user token del 1
ok 'F42: a token that is ended closes its socket' hears bot '^!closed 4401'
publish '{"type":"chat","character_name":"A","text":"still here"}'
ok 'F42: and nobody else'"'"'s' hears stream 'still here'

# F43: a session that somebody else has laid out
anna=$(cookie anna)
laid=$(login otto 'password of otto' 9.0.0.2 -H 'Cookie: dt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' >"$T/got"; header set-cookie)
unlike 'F43: it is not taken over' "$laid" AAAAAAAA
is 'F43: and good for nothing' "$(code /me -H 'Cookie: dt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')" 401

# F44: who may open a socket with our cookie
host=127.0.0.1:$PORT
upgrade="header=\"Connection: Upgrade\"|header=\"Upgrade: websocket\"|header=\"Sec-WebSocket-Version: 13\"|header=\"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\"|http1.1"
with="$(header_of Cookie "dt=$anna")"
for origin in null '' ' ' http:// "$host" "//$host" http://evil.example "http://evil.example:$PORT" "http://$host.evil.example" "http://evil.example/$host" "http://$host@evil.example" \
    "http://evil.example#$host" "http://$host:80" "http://127.0.0.1" "http://127.0.0.1:$((PORT + 1))" "http://127.0.0.1:${PORT}0" "http://1$host" "http://127.0.0.1.:$PORT" "http://localhost:$PORT" \
    "http://[::1]:$PORT" "http://0x7f000001:$PORT" "http://2130706433:$PORT" "file://$host" "chrome-extension://$host" "ws://$host" "javascript://$host" "http:///$host" "http://$host/" "http://$host " "http://$host, http://$host" \
    "http://$host http://evil.example" "http://evil.example?://$host"; do
	# blanks at its end are no part of a header
	case $origin in "http://$host ") continue ;; esac
	if [ -z "${origin# }" ]; then echo "Origin: '$origin'|/ws/live|$upgrade|$with|header=\"Origin;\""; else echo "Origin: $origin|/ws/live|$upgrade|$with|$(header_of Origin "$origin")"; fi
done >"$T/origins"
echo "no Origin|/ws/live|$upgrade|$with" >>"$T/origins"
echo "an https page|/ws/live|$upgrade|$(header_of Origin "http://$host")|$(header_of X-Forwarded-Proto https)|$(header_of Cookie "__Host-dt=$anna")" >>"$T/origins"
ask <"$T/origins" >"$T/answers"
grep -v '^403 ' "$T/answers" >"$T/wrong"
is "F44: 403 for $(wc -l <"$T/answers") foreign origins" "$(cat "$T/wrong")" ''
browser_as own "$anna"
is 'F44: our own is let in' "$(head -n 1 "$T/own.out")" '!open'
ok 'F44: they are counted' wait_for '[ "$(metric dt-serve rejected_total foreign_origin)" -ge 30 ]'

# F45: what other pages can make a browser send
json='header="Content-Type: application/json"'
eve='{\"username\":\"eve\",\"password\":\"password of eve\",\"role\":\"admin\"}'
for from in 'header="Origin: http://evil.example"' 'header="Origin: null"' 'header="Origin;"' 'header="Sec-Fetch-Site: cross-site"' 'header="Sec-Fetch-Site: same-site"' 'header="Sec-Fetch-Site: none"' \
    "$same_origin|header=\"Sec-Fetch-Site: cross-site\"" 'header="Referer: http://evil.example/"' ''; do
	what=$(echo "$from" | tr '|' ' ')
	echo "make a user, $what|/admin/users|$with|$json|$from|data=\"$eve\""
	echo "change one, $what|/admin/users/vera|$with|$json|request=PATCH|$from|data=\"{\\\"role\\\":\\\"admin\\\"}\""
	echo "delete one, $what|/admin/users/vera|$with|request=DELETE|$from"
	echo "make a token, $what|/admin/tokens|$with|$json|$from|data=\"{\\\"name\\\":\\\"eve\\\"}\""
	echo "log out, $what|/logout|$with|$from|data=\"\""
	echo "log in as eve, $what|/login|$from|data=\"username=vera&password=password+of+vera\""
	echo "write on the board, $what|/issues|$with|$json|$from|data=\"{\\\"title\\\":\\\"eve\\\"}\""
done >"$T/forged"
for type in text/plain application/x-www-form-urlencoded 'multipart/form-data; boundary=x' application/jsonp 'text/plain; application/json' ''; do
	echo "as $type|/admin/users|$with|$same_origin|$([ -n "$type" ] && header_of Content-Type "$type" || echo 'header="Content-Type:"')|data=\"$eve\""
done >"$T/typed"
echo "a form as text|/login|$same_origin|header=\"Content-Type: text/plain\"|data=\"username=vera&password=password+of+vera\"" >>"$T/typed"
ask <"$T/forged" >"$T/answers"
grep -v '^403 ' "$T/answers" >"$T/wrong"
is "F45: 403 for $(wc -l <"$T/answers") forged requests" "$(cat "$T/wrong")" ''
ask <"$T/typed" >"$T/answers"
grep -v '^415 ' "$T/answers" >"$T/wrong"
is "F45: 415 for $(wc -l <"$T/answers") wrong types" "$(cat "$T/wrong")" ''
is 'F45: nothing has happened' "$(get /admin/users -H "Cookie: dt=$anna" | jq -c '[.users[] | .username + " " + .role]') $(dt-user token list)" '["anna admin","gus viewer","otto operator","vera viewer"] '
is 'F45: and she is still in' "$(code /me -H "Cookie: dt=$anna")" 200

# F50: addresses that are only claimed; 10.0.0.0/8 needs no login here
claim() { while read -r want header; do echo "$want: $(echo "$header" | tr '|' ' ')|/live|header=\"$(echo "$header" | sed 's/|/"|header="/')\""; done | ask >"$T/answers"; awk '{ want = $2; sub(":", "", want); if ($1 != want) print }' "$T/answers" >"$T/wrong"; }
claim <<-'ROWS'
	200 X-Forwarded-For: 10.1.2.3
	200 X-Forwarded-For: 9.9.9.9, 10.1.2.3
	200 X-Forwarded-For: 10.1.2.3, 127.0.0.1
	401 X-Forwarded-For: 10.1.2.3, 9.9.9.9
	401 X-Forwarded-For: 10.1.2.3|X-Forwarded-For: 9.9.9.9
	401 X-Forwarded-For: 10.1.2.3,
	401 X-Forwarded-For: 10.1.2.3:80
	401 X-Forwarded-For: 10.1.2.3 9.9.9.9
	401 X-Forwarded-For: 010.1.2.3
	401 X-Forwarded-For: unknown
	401 X-Forwarded-For: localhost
	401 X-Forwarded-For: 127.0.0.1
	401 X-Forwarded-For: ::1
	401 X-Forwarded-For: [10.1.2.3]
	401 X-Real-IP: 10.1.2.3
	401 Forwarded: for=10.1.2.3
	401 X-Forwarded-For : 10.1.2.3
ROWS
sed -i '/X-Forwarded-For :/d' "$T/wrong"         # 400 or 401: a blank there is no header
is 'F50: through a proxy the last that it did not write itself counts' "$(cat "$T/wrong")" ''

# F67: commands that are none, or not theirs
browser_as boss "$otto"
browser_as guest "$(cookie gus)"
long=$(printf %0501d 0)
n=0
for command in '"/tell x\n/die"' '"/a\r/b"' '"a\u0000b"' '"\u001b[2J"' '"\u007f"' '""' "\"$long\"" 7 null '["/die"]' '{"a":1}' true; do
	n=$((n + 1))
	say boss "{\"player_name\":\"A\",\"command\":$command}"
	wait_for "[ \"\$(count_of boss '\"type\":\"error\"')\" = $n ]" || break
done
is 'F67: each of them is refused' "$(count_of boss '"type":"error"')" $n
for name in '""' '"A\nB"' '"\u001bA"' "\"$(printf %033d 0)\"" 7 '["A"]'; do
	n=$((n + 1))
	say boss "{\"player_name\":$name,\"command\":\"/die\"}"
	wait_for "[ \"\$(count_of boss '\"type\":\"error\"')\" = $n ]" || break
done
is 'F67: so are names' "$(count_of boss '"type":"error"')" $n
while read -r message; do
	n=$((n + 1))
	say boss "$message"
	wait_for "[ \"\$(count_of boss '\"type\":\"error\"')\" = $n ]" || break
done <<-'ROWS'
	{"tag":"mage\n","command":"/die"}
	{"tag":"","command":"/die"}
	{"tag":["mage"],"command":"/die"}
	{"tag":"mage","command":"/a\n/b"}
	{"tag":"mage","all":true,"command":"/die"}
	{"player_name":"A","tag":"mage","command":"/die"}
	{"player_name":"A","all":true,"command":"/die"}
	{"all":false,"command":"/die"}
	{"all":"yes","command":"/die"}
	{"all":true,"command":"/a\r/b"}
	{"all":true,"command":"/die","delay_ms":-1}
	{"all":true,"command":"/die","delay_ms":60001}
	{"all":true,"command":"/die","delay_ms":"0; /logout"}
ROWS
is 'F67: so are those by tag and to all' "$(count_of boss '"type":"error"')" $n
say boss "!pad 100000 command"
ok 'F67: 100 KB close' hears boss '^!closed 1009'
browser_as boss2 "$otto"
for message in '{"player_name":"A","command":"/die"}' '{"type":"command","player_name":"A","command":"/die"}' '{"tag":"mage","command":"/die"}' '{"all":true,"command":"/die"}'; do say guest "$message"; done
wait_for "[ \"\$(count_of guest '\"type\":\"error\"')\" = 4 ]"
is 'F67: a viewer sends none' "$(count_of guest '"code":"(not_allowed|bad_command)"')" 4
say boss2 '{"player_name":"A","command":"/radar start","by":"anna"}' '{"player_name":"A","command":"/radar start"}'
hears stream '"type":"command"'
dt-tap --from earliest -1 -t command >"$T/commands" 2>"$T/tap.err"
is 'F67: the journal has the one that was good, and who sent it' "$(jq -r '.by + " " + .player_name + " " + .command' "$T/commands" | sort -u)" 'otto A /radar start'

# F05: dt-serve is killed; F50: without a proxy nothing that is claimed counts
kill9 serve
unset DT_PROXY_NETS
serve_start
warm
is 'F05: a session outlives the server' "$(code /me -H "Cookie: dt=$anna")" 200
is 'F05: one that was ended stays ended' "$(code /me -H "Cookie: dt=$foreign")" 401
for name in X-Forwarded-For X-Real-IP Forwarded X-Client-IP True-Client-IP CF-Connecting-IP X-Forwarded-Host X-Originating-IP X-Remote-Addr; do
	echo "401 $name: 10.1.2.3"
	echo "401 $name: 127.0.0.1"
	echo "401 $name: for=10.1.2.3"
done | claim
is "F50: none of $(wc -l <"$T/answers") headers stands for an address" "$(cat "$T/wrong")" ''

# F51: who needs no login comes through a file that only its group may open
is 'F51: the socket' "$(stat -c %a "$DT_RUN/serve.sock")" 660
is 'F51: who opens it is admin' "$(curl -s --unix-socket "$DT_RUN/serve.sock" http://localhost/me | jq -r .role)" admin
status 'F51: in the clear on loopback only' 78 dt-serve -b 0.0.0.0 -p 0
status 'F51: the same for IPv6' 78 dt-serve -b :: -p 0

for secret in "$otto" "$anna" "$token" 'password of' '.argon2id'; do
	is "F39: not in the log: $(printf %.8s "$secret")" "$(grep -c -e "$secret" "$T/serve.log" "$T/fanout.log" | grep -vc ':0$')" 0
done
done_testing
