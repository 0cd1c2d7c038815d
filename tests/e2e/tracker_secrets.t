#!/bin/sh
# F39: whatever the tracker is told in confidence, or makes, is found in none of its outputs: logs, journal, /metrics, status, answers, processes, databases, backup.
# only: plain
. "$(dirname "$0")/../lib.sh"
chmod 755 "$T"
tracker=$ROOT/scripts/tracker
DT_PORT=$(free_port)
URL=http://127.0.0.1:$DT_PORT
export DT_PORT B
trap 'up_code=$?; "$tracker" down >/dev/null 2>&1; (exit $up_code); finish' EXIT

# In a file, as an operator keeps them; in no environment, this test's neither.
DT_ENV_FILE=$T/settings
(umask 077; cat >"$DT_ENV_FILE" <<-E
	SHARED_SECRET=shared-8d1f0c5e7a
	SECRET_KEY=cookiekey-51c8b2f0d3
	DISCORD_RARE_BOT_TOKEN=bottoken-7be20914aa
	DISCORD_ACLOG_WEBHOOK=http://127.0.0.1:9/api/webhooks/1234567890/hookpart-c90d5f3b61
	DISCORD_API_BASE=http://127.0.0.1:9/api/v10
	ACLOG_CHANNEL_ID=1234567890
	COMMON_RARE_CHANNEL_ID=1234567891
	GREAT_RARE_CHANNEL_ID=1234567892
	DT_HTTP_PROXY=http://proxyuser:proxypart-3f6a9e0b27@127.0.0.1:9
	GF_SECURITY_ADMIN_PASSWORD=grafana-66d0e1c94b
	LOG_LEVEL=debug
	E
)
printf '%s\n' shared-8d1f0c5e7a cookiekey-51c8b2f0d3 bottoken-7be20914aa hookpart-c90d5f3b61 proxypart-3f6a9e0b27 grafana-66d0e1c94b >"$T/secrets"
secret=$(head -n 1 "$T/secrets")
mkdir "$T/shown"
status 'it starts' 0 "$tracker" up --no-build
cp "$T/out" "$T/shown/up.out"
cp "$T/err" "$T/shown/up.err"
[ "$tests_failed" = 0 ] || { sed 's/^/# /' "$T/err"; done_testing; }

# people: a link, a password, a session, a token; each right, and nearly
password=personal-0b7fd42e19
dt-user link >"$T/link"
answer() { curl -s -m 20 -D "$T/head" -o "$T/shown/$1" -w '%{http_code}' -H "Origin: $URL" "$URL$2" --config "$3"; }
printf 'data-urlencode = "%s"\n' username=anna "password=$password" "link=$(sed 's/.*=//' "$T/link")" >"$T/first"
is 'the first account' "$(answer first.html /login "$T/first")" 303
cookie=$(tr -d '\r' <"$T/head" | sed -n 's/^set-cookie: dt=\([^;]*\).*/\1/Ip')
ok 'a session' [ ${#cookie} = 32 ]
token=$(dt-user token add grafana 2>"$T/shown/token.err")
printf 'header = "Authorization: Bearer %s"\n' "$token" >"$T/bearer"
printf 'header = "Cookie: dt=%s"\n' "$cookie" >"$T/cookie"
is 'a token' "$(answer live.json /live "$T/bearer")" 200
printf '%s\n' "$password" "$cookie" "$token" "$(sed 's/.*=//' "$T/link")" >>"$T/secrets"
for what in bearer cookie; do
	sed 's/"$/x"/' "$T/$what" >"$T/wrong"
	is "a $what that is wrong" "$(answer "wrong.$what" /live "$T/wrong")" 401
done
printf 'data-urlencode = "%s"\n' username=anna "password=${password}x" >"$T/wrong"
is 'a password that is wrong' "$(answer wrong.html /login "$T/wrong")" 401
printf 'data-urlencode = "%s"\n' "username=$password" password=anna-and-more >"$T/swapped"
is 'a password for a name' "$(answer swapped.html /login "$T/swapped")" 401
rm "$T/shown/swapped.html"               # who typed it gets it back in the form's field
for path in "/login?link=$cookie" "/live?token=$token" "/nothing?secret=$secret" "/stats?$password=1"; do curl -s -m 20 -o "$T/o" "$URL$path"; done
for path in /admin/users /admin/tokens /me /metrics /readyz /live /server-health; do answer "$(echo "$path" | tr / _)" "$path" "$T/cookie" >"$T/o"; done

# plugins: the secret in the header, in the query, and nearly
plugin() { _n=$1; shift; printf '{"type":"vitals","character_name":"A","vitae":5,"health_current":1}\n!sync\n' >"$T/$_n.say"; start_plain "$_n" "$B/helpers/wsc" -f "$T/$_n.say" "$@"; }
plugin header -H "X-Plugin-Secret: $secret" "$DT_PORT" /ws/position
plugin query "$DT_PORT" "/ws/position?secret=$secret"
plugin direct "$DT_RUN/ingest.sock" "/ws/position?secret=$secret"
for p in header query direct; do ok "a plugin, $p" wait_for "grep -q '^!synced' '$T/$p.out'"; done
for p in header query direct; do kill "$(pid_of $p)"; wait "$(pid_of $p)" 2>/dev/null; done
plugin longer "$DT_PORT" "/ws/position?secret=${secret}x"
plugin wrong -H "X-Plugin-Secret: x$secret" "$DT_RUN/ingest.sock" /ws/position
for p in longer wrong; do ok "one that is refused, $p" wait_for "grep -q '^!refused' '$T/$p.out'"; done
printf '{"type":"rare","character_name":"A","name":"Hooded Serpent Slinger"}\n' | dt-send -q
ok 'a post that cannot be sent is tried' wait_for '[ "$(metric dt-alertd posts_pending)" -ge 1 ]' 20

# all that is to be seen
for command in status logs; do "$tracker" "$command" >"$T/shown/$command" 2>&1; done
"$tracker" backup "$T/backup.tar" >"$T/shown/backup" 2>&1
is 'a backup' $? 0
mkdir "$T/unpacked"
tar -xf "$T/backup.tar" -C "$T/unpacked"
for s in "$DT_DATA"/service/*/; do s6-svstat -o pid "$s"; done >"$T/pids"
pids=$(awk '$1 > 1' "$T/pids")
ok 'every program runs' [ "$(echo "$pids" | wc -l)" -ge 7 ]
for pid in $pids; do
	tr '\0' '\n' <"/proc/$pid/cmdline" >"$T/shown/cmdline.$pid"
	tr '\0' '\n' <"/proc/$pid/environ" >"$T/shown/environ.$pid"
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -d ' ' -f 1 | sed 's|.*/||')" = postgres ] || awk -v pid="$pid" '/^Max core file size/ && $5 != 0 { print pid, $0 }' "/proc/$pid/limits"
done >"$T/cores"
is 'F39: no program leaves a core' "$(cat "$T/cores")" ''
psql -X -q -A -t -h "$DT_RUN/pg" -U dereth -d dereth -c "select query from pg_stat_activity" >"$T/shown/activity"
found() { grep -raoFf "$T/secrets" "$@" 2>/dev/null | sort | uniq -c; }
is 'F39: none in what was printed and answered, in arguments and environments' "$(found "$T/shown")" ''
is 'F39: none in the logs' "$(found "$DT_DATA/logs")" ''
is 'F39: none in the journal and its index' "$(found "$DT_DATA/journal")" ''
is 'F39: none in the status files' "$(found "$DT_RUN/status")" ''
is 'F39: none in the services' "$(found "$DT_DATA/service" --exclude-dir=.secret)" ''
is 'F39: none in the database' "$(found "$DT_DATA/pg")" ''
is 'F39: none among the accounts' "$(found "$DT_DATA"/accounts.db*)" ''
is 'F39: none in a backup without secrets' "$(found "$T/unpacked")" ''
is 'F39: what is kept elsewhere only its owner reads' "$(found "$DT_DATA" -l | sed 's/^ *1 //' | while read -r f; do stat -c '%a %n' "$f"; done | grep -v '^[46]00 ')" ''
ok 'F39: the search finds what is there' [ "$(found "$DT_ENV_FILE" | wc -l)" = 6 ]
done_testing
