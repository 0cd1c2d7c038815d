#!/bin/sh
# scripts/tracker with the real programs and its own database: up --demo, live moves, rows arrive, status, restart, kill -9, down.
# only: plain
. "$(dirname "$0")/../lib.sh"
chmod 755 "$T"
tracker=$ROOT/scripts/tracker
DT_PORT=$(free_port)
export DT_PORT B
trap 'up_code=$?; "$tracker" down >/dev/null 2>&1; (exit $up_code); finish' EXIT

ask() { curl -fs --unix-socket "$DT_RUN/serve.sock" "http://localhost$1"; }     # needs no login
live() { ask /live; }
positions() { live | jq -c '[.players[] | { key: .character_name, value: [.ew, .ns] }] | from_entries'; }
moved() {
	_now=$(positions) && [ -n "$_now" ] &&
	    jq -en --argjson a "$1" --argjson b "$_now" '$a | to_entries | any(.value != $b[.key])' >/dev/null
}
events() { "$tracker" status | awk -v p="$1" '$1 == p { print $6 }'; }
psql_() { psql -X -q -A -t -h "$DT_RUN/pg" -U dereth -d "$1" -c "$2"; }

now_ms() { echo $(($(date +%s%N) / 1000000)); }
began=$(now_ms)
status "up --demo" 0 "$tracker" up --no-build --demo
complain() { [ "$tests_failed" = 0 ] || "$tracker" logs | tail -n 40 | sed 's/^/# /'; }
[ "$tests_failed" = 0 ] || { complain; done_testing; }
like "says where" "$(cat "$T/out")" "up: http://localhost:$DT_PORT/"
like "a demo needs no login from here" "$(cat "$T/out")" "needs no login from this machine"
ok "and asks for none" curl -fs -o "$T/page" "http://127.0.0.1:$DT_PORT/classic/"
ok "characters are live" wait_for '[ "$(live | jq .count)" = 60 ]'
first=$(positions)
ok "and move" wait_for 'moved "$first"'
took=$(($(now_ms) - began))
diag "start to first moving dot: $took ms"
# 10 s is what is promised on a machine of its own; here other tests run beside it (more than two for each core: more time), and what stands still gets another try
bound() { awk -v cores="$(nproc)" '{ crowd = $1 / cores / 2; printf "%d\n", 20000 * (crowd > 1 ? crowd : 1) }' /proc/loadavg; }
for _ in 1 2 3 4; do
	bound=$(bound)
	[ $took -ge "$bound" ] || break
	"$tracker" down >"$T/out"
	began=$(now_ms)
	"$tracker" up --no-build --demo >"$T/out"
	wait_for '[ "$(live | jq .count)" = 60 ]'
	first=$(positions)
	wait_for 'moved "$first"'
	took=$(($(now_ms) - began))
	diag "again: $took ms"
done
ok "soon after the start" [ $took -lt "$bound" ]
is "seven programs are up" "$("$tracker" status | grep -c ' up ')" 7
lags() { "$tracker" status | awk '$1 ~ /^dt-store/ { print $1, $(NF - 2) }' | tr '\n' ' '; }
ok "each store with its lag" wait_for 'lags | grep -Eq "^dt-store [0-9]+ dt-store-inventory [0-9]+ $"'
status "up again" 0 "$tracker" up --no-build --demo
like "says so" "$(cat "$T/out")" "already up"
ok "all is well" wait_for '"$tracker" doctor >"$T/out" 2>"$T/err"'
like "who makes the days" "$(cat "$T/out")" 'telemetry database: .*; days are partitions'

# the database
is "two databases" "$(psql_ postgres "select string_agg(datname, ' ' order by datname) from pg_database where datdba = 'dereth'::regrole")" "dereth inventory_db"
is "dereth is no superuser" "$(psql_ dereth "select rolsuper from pg_roles where rolname = 'dereth'")" f
ok "rows arrive" wait_for '[ "$(psql_ dereth "select count(distinct character_name) from telemetry_events")" = 60 ]'
ok "items too" wait_for '[ "$(psql_ inventory_db "select count(distinct character_id) from dt.items")" = 60 ]' 30
ok "/metrics shows both stores" wait_for 'curl -fs "http://127.0.0.1:$DT_PORT/metrics" | grep -q "^dt_store_position{.*inventory"'
is "it listens on no port" "$(psql_ dereth "show listen_addresses")" ""
unlike "nobody is trusted" "$(cat "$DT_DATA/pg/pg_hba.conf")" trust

# a secret is nowhere but in its file
sed -n 's/^SHARED_SECRET=//p' "$DT_DATA/secrets" >"$T/secret"
secret=$(sed -n 's/^SHARED_SECRET=//p' "$DT_DATA/secrets")
ok "a secret was made" [ ${#secret} -ge 32 ]
is "F39: it is in no log" "$(grep -rlFf "$T/secret" "$DT_DATA/logs" "$DT_DATA/service" "$DT_RUN/status")" ""
is "F39: and in no process's arguments or environment" "$(grep -alFf "$T/secret" /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null)" ""
is "plugin shows it" "$("$tracker" plugin | awk '/Secret/ { print $2 }')" "$secret"

# every program: a kill, and it is back; then events go on
for p in dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-sim postgres; do
	old=$(s6-svstat -o pid "$DT_DATA/service/$p")
	s6-svc -k "$DT_DATA/service/$p"        # s6 knows the process; a pid of -1, of what is down, must never reach kill
	ok "$p is back after a kill" wait_for "s6-svstat -o ready,pid $DT_DATA/service/$p | grep -q '^true ' && [ \$(s6-svstat -o pid $DT_DATA/service/$p) != $old ]" 20
done
first=$(live | jq .count)
ok "the fleet is live again" wait_for '[ "$(live | jq .count)" = 60 ]' 20
first=$(positions)
ok "and moves" wait_for 'moved "$first"' 20
rows() { psql_ dereth "select count(*) from telemetry_events"; }
ok "the database answers" wait_for 'before=$(rows)' 20
ok "rows go on" wait_for '[ "$(rows)" -gt "$before" ]' 30
complain
status "restart all" 0 "$tracker" restart
ok "everything is up" wait_for '[ "$("$tracker" status | grep -c " up ")" = 7 ]' 20
like "logs has what they said" "$("$tracker" logs)" "dt-serve: "

status "an audit of its totals" 0 "$tracker" audit
like "compares" "$(cat "$T/out")" "[0-9]+ totals compared, 0 differ"
status "down" 0 "$tracker" down
is "leaves no process" "$(for p in /proc/[0-9]*; do
	tr '\0' ' ' <"$p/cmdline" | grep -E "$DT_DATA/|$DT_RUN/"
	tr '\0' '\n' <"$p/environ" | grep -x "DT_DATA=$DT_DATA" | grep -v "^DT_DATA=$T/data\$"
	readlink "$p/cwd" | grep "^$DT_DATA"
done 2>/dev/null)" ""
is "nor a socket" "$(find "$DT_RUN" -type s)" ""
is "everything ended in order" "$(cat "$DT_DATA"/logs/*/current | grep -E 'Sanitizer|runtime error|fatal:' | grep -v 'FATAL: ')" ""
status "up without a fleet" 0 "$tracker" up --no-build
like "prints how the first account is made" "$(cat "$T/out")" "dt-user link"
is "and wants a login" "$(curl -s -o "$T/page" -w "%{http_code}" "http://127.0.0.1:$DT_PORT/live")" 401
is "has six programs" "$("$tracker" status | grep -c ' up ')" 6
psql_ dereth "update dt.characters set total_kills = total_kills + 7 where id = 3"
status "a total that was tampered with" 1 "$tracker" audit
like "is found" "$(cat "$T/out")" '^differs: character "[^"]+": the database has kills='
is "nothing is left of it" "$(psql_ postgres "select datname from pg_database where datname like 'audit%'")$(find "$DT_DATA" -name '.audit*')" ""
status "down again" 0 "$tracker" down
done_testing
