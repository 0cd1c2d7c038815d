#!/bin/sh
# scripts/tracker backup and restore: taken under load it goes on elsewhere with nothing lost or doubled; what is damaged, occupied or too big is refused.
# only: plain
. "$(dirname "$0")/../lib.sh"
chmod 755 "$T"
tracker=$ROOT/scripts/tracker
DT_PORT=$(free_port)
export DT_PORT B
A=$T/data
# elsewhere DIRECTORY COMMAND...: another tracker, in its own directories
elsewhere() {
	_dir=$1
	shift
	env DT_DATA="$_dir" DT_RUN="$_dir/run" "$@"
}
trap 'up_code=$?; "$tracker" down >/dev/null 2>&1; elsewhere "$T/b" "$tracker" down >/dev/null 2>&1; (exit $up_code); finish' EXIT

psql_() { psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$1/pg" -U dereth -d "$2" -c "$3"; }
position() { psql_ "$1" "$2" "select max(seq) from dt.positions"; }
# rows RUN DATABASE: every row of every table, but for when it was written.  (Positions differ, since the bus hands over only what a sink wants, and
# tombstones of what came and went in one batch.)
rows() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$1/pg" -U dereth -d "$2" <<-'SQL'
		select format('select %L, (to_jsonb(t) - ''{at,updated_at,stored_at,version,%s}''::text[])::text from %s t order by 2', relname,
			case relname when 'item_moves' then 'id' else 'at' end, oid::regclass)
		from pg_class where relnamespace = 'dt'::regnamespace and relkind = 'r' and relname not in ('migrations', 'positions', 'gone') order by relname \gexec
	SQL
}
metric_of() { jq -r --arg n "$2" ".metrics[\$n]" "$T/b/run/status/$1.json"; }
# member FILE NAME: of a backup
member() { zstd -dc "$1" | tar -x -i -O -f - "$2"; }
dump_text() { member "$1" "$2.dump" >"$T/dump" && "$(pg_config --bindir)/pg_restore" -f - "$T/dump" | grep -v 'restrict ' | sort; }

status "nothing is there to back up" 69 "$tracker" backup "$T/none"
status "up --demo" 0 "$tracker" up --no-build --demo
[ "$tests_failed" = 0 ] || { "$tracker" logs | tail -n 30 | sed 's/^/# /'; done_testing; }
ok "rows arrive" wait_for '[ "$(psql_ "$DT_RUN" dereth "select count(*) from telemetry_events")" -gt 100 ]' 30

# ---- under load ----
status "a backup without a name" 64 "$tracker" backup
status "a backup" 0 "$tracker" backup "$T/one"
like "says what is in it" "$(cat "$T/out")" "$T/one: .*, events up to [0-9]+, telemetry stored up to [0-9]+"
is "it is private" "$(stat -c %a "$T/one")" 600
is "nothing else is left" "$(find "$T" "$A" -maxdepth 1 -name '*one?*' -o -maxdepth 1 -name '.backup*')" ""
secret=$(sed -n 's/^SHARED_SECRET=//p' "$A/secrets")
is "no secrets are in it" "$(zstd -dc "$T/one" | grep -acF "$secret")" 0
member "$T/one" manifest.json >"$T/manifest"
is "its positions are not behind its journal's end" "$(jq -c '.journal as $j | [.positions[] | .journal == $j.id and .seq <= $j.last_seq and .seq > 0] | length > 0 and all' "$T/manifest")" true
status "one with secrets" 0 "$tracker" backup --with-secrets "$T/secrets"
is "has them" "$(member "$T/secrets" secrets | grep -cF "$secret")" 1
status "databases by URL, a password in it" 0 env DATABASE_URL="postgresql://dereth:a%20b@/dereth?host=$DT_RUN/pg" "$tracker" backup "$T/url"
status "a full disk" 74 bash -c 'ulimit -f 20; trap "" XFSZ; exec "$@"' bash "$tracker" backup "$T/full"
is "leaves nothing behind" "$(find "$T" -maxdepth 1 -name 'full*')" ""
status "a directory that is not there" 73 "$tracker" backup "$T/no/where"
status "restore while it is up" 69 "$tracker" restore "$T/one"
status "down" 0 "$tracker" down

# ---- refused ----
cp "$T/one" "$T/bad"
printf 'damaged and not what it was, whatever that was' | dd of="$T/bad" bs=1 seek=30000 conv=notrunc 2>/dev/null
status "a damaged file" 65 elsewhere "$T/b" "$tracker" restore "$T/bad"
like "is named" "$(cat "$T/err")" "$T/bad is damaged or no backup: .*; nothing was changed"
head -c 60000 "$T/one" >"$T/bad"
status "half a file" 65 elsewhere "$T/b" "$tracker" restore "$T/bad"
(cd "$T" && mkdir x && cd x && zstd -dc ../one | tar -x -i -f - && echo >>journal/id && tar -c -f - ./* | zstd -q >../bad)
status "a changed member" 65 elsewhere "$T/b" "$tracker" restore "$T/bad"
is "nothing was touched" "$(find "$T/b" -type f ! -name .up.lock | head)" ""
status "no file" 66 elsewhere "$T/b" "$tracker" restore "$T/none"
status "data that is there" 73 "$tracker" restore "$T/one"
like "and what to do" "$(cat "$T/err")" "there is data in $A already; restore --force replaces it"

# ---- elsewhere ----
last=$(jq .journal.last_seq "$T/manifest")
status "restore" 0 elsewhere "$T/b" "$tracker" restore "$T/one"
cat "$T/b/journal"/*.ndjson >"$T/restored"
is "the journal is there up to its end" "$(tail -n 1 "$T/restored" | jq ._seq)" "$last"
ok "line by line" sh -c 'cat "$1"/*.ndjson | head -n "$2" | cmp - "$3"' sh "$A/journal" "$(wc -l <"$T/restored")" "$T/restored"
export PGHOST="$T/b/run/pg" PGUSER=dereth
status "up" 0 elsewhere "$T/b" "$tracker" up --no-build
# what the restored stores made of dump and rest, and what others make of the whole journal
sinks=$(cd "$T/b/service" && printf '%s\n' dt-store*)
for store in $sinks; do
	case $store in dt-store) db=dereth sink=telemetry url=DATABASE_URL ;; *) db=inventory_db sink=inventory url=INVENTORY_DATABASE_URL ;; esac
	ok "$sink goes on to the end" wait_for '[ "$(metric_of "$store" lag_events)" = 0 ] && [ "$(metric_of "$store" database_up)" = 1 ]' 30
	psql -X -q -U postgres -d postgres -c "create database fresh_$sink owner dereth"
	ok "another of $sink" env DT_RUN="$T" "$url=postgresql:///fresh_$sink" timeout 240 dt-store --sink "$sink" -1 -r "$T/b/journal"
	rows "$T/b/run" "fresh_$sink" >"$T/$sink.fresh"
	same_rows() { rows "$T/b/run" "$db" >"$T/$sink.rows" && diff "$T/$sink.rows" "$T/$sink.fresh" >"$T/diff"; }
	wait_for same_rows
	ok "$sink has the same rows" diff "$T/$sink.rows" "$T/$sink.fresh"
	ok "and there are some" [ "$(wc -l <"$T/$sink.rows")" -gt 100 ]
done
unset PGHOST PGUSER
status "down there" 0 elsewhere "$T/b" "$tracker" down

# ---- a backup of a restored backup, nothing running ----
echo "correct horse" | dt-user -f "$T/b/accounts.db" add larsson admin
status "a backup of what is down" 0 elsewhere "$T/b" "$tracker" backup --with-secrets "$T/two"
status "restore over data" 0 "$tracker" restore --force "$T/two"
status "and a backup of that" 0 "$tracker" backup --with-secrets "$T/three"
for sink in telemetry inventory; do
	dump_text "$T/two" $sink >"$T/two.text"
	dump_text "$T/three" $sink >"$T/three.text"
	ok "the same $sink database" diff "$T/two.text" "$T/three.text"
done
ok "the same journal" diff -r -x lock -x '*.idx' -x reserved "$A/journal" "$T/b/journal"
ok "the same secrets" cmp "$A/secrets" "$T/b/secrets"
is "the same accounts" "$(dt-user -f "$A/accounts.db" list)" "$(dt-user -f "$T/b/accounts.db" list)"
echo "$T/one" >"$A/.restoring"
status "up refuses what was half restored" 78 "$tracker" up --no-build
done_testing
