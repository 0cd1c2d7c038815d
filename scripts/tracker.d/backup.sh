# backup and restore: both databases, the journal and a manifest in one file, a tar compressed with zstd.
# shellcheck shell=bash

BACKUP_FORMAT=1
PART="" STAGE="" KEPT="" PG_BORROWED=""

# ---- a server to talk to ----

# pg_borrow: the cluster's server when it is up, else one of our own until pg_return.
pg_borrow() {
	local options
	if ! pg_wanted || { supervisor_alive && service_known postgres && service_is ready postgres; }; then return 0; fi
	pg_configure
	printf -v options -- '-c unix_socket_directories=%q -c listen_addresses=' "$PG_RUN"
	PG_BORROWED=1
	(cd / && as_pg_user "$PGBIN/pg_ctl" -D "$PG_DIR" -s -w -t 120 -l "$PG_DIR/borrowed.log" -o "$options" start) >/dev/null 9>&- 8>&- </dev/null ||
		{ tail -n 5 "$PG_DIR/borrowed.log" >&2; fail 69 "the database does not start"; }
}

pg_return() {
	[ -n "$PG_BORROWED" ] || return 0
	PG_BORROWED=""
	(cd / && as_pg_user "$PGBIN/pg_ctl" -D "$PG_DIR" -s -w -t 120 -m fast stop) || warn "the database does not end"
}

# ---- backup ----

backup_options() {
	FILE="" WITH_SECRETS=""
	while [ $# -gt 0 ]; do
		case $1 in
		--with-secrets) WITH_SECRETS=1 ;;
		-*) usage_error "backup: unknown option '$1'" ;;
		*)
			[ -z "$FILE" ] || usage_error "backup: '$1' is one argument too many"
			FILE=$1
			;;
		esac
		shift
	done
	[ -n "$FILE" ] || usage_error "backup: which file to write?"
	FILE=$(absolute "$FILE")
	[ ! -d "$FILE" ] || fail 73 "$FILE is a directory; name a file in it"
}

backup_end() {
	pg_return
	[ -z "$PART" ] || rm -f "$PART"
	[ -z "$STAGE" ] || rm -rf "$STAGE"
	[ -z "$KEPT" ] || rm -rf "$KEPT"
}

# put DIRECTORY MEMBER...: into the archive, and into the manifest with size and checksum.
put() {
	local dir=$1 member
	shift
	for member; do
		(cd "$dir" && sha256sum "$member" && stat -c %s "$member") | tr '\n' ' ' | awk '{ print $1, $3, $2 }' >>"$STAGE/files" ||
			fail 74 "unable to read $dir/$member"
	done
	printf '%s\n' "$@" | tar -C "$dir" --owner=0 --group=0 --numeric-owner --mode=go= --no-recursion -T - -cf - | zstd -q -T0 -3 >>"$PART" ||
		fail 74 "unable to write $PART; is the disk full?"
}

# The position is read out of the dump: it is that of its snapshot, whatever happened since.
backup_database() {
	local sink=$1
	say "dumping the $sink database, $(db_where "$sink")"
	db_run "$sink" pg_dump -Fc -Z 1 --no-owner --no-privileges -f "$STAGE/$sink.dump" || fail 74 "pg_dump of $sink failed; is the disk full, is the database there?"
	"$PGBIN/pg_restore" -a -n dt -t positions -f - "$STAGE/$sink.dump" | awk -v s="$sink" '
		/^COPY / { gsub(/.*\(|\).*/, ""); n = split($0, c, ", "); rows = 1; next }
		/^\\\./ { rows = 0 }
		rows { split($0, v, "\t"); for (i = 1; i <= n; i++) f[c[i]] = v[i]; if (f["sink"] == s) print s, f["journal"], f["seq"] }' >>"$STAGE/positions"
	put "$STAGE" "$sink.dump"
	rm "$STAGE/$sink.dump"
}

# keep NAME...: links the first of these files of the journal that is there; a link outlives retention.  1: none is there.
keep() {
	local name
	for name; do
		[ -e "$DATA/journal/$name" ] || continue
		ln "$DATA/journal/$name" "$KEPT/journal/$name" 2>/dev/null || cp "$DATA/journal/$name" "$KEPT/journal/$name" || continue
		return 0
	done
	return 1
}

# Closed segments do not change any more.  Of the one that grows what is there now, up to the end of a line.
keep_segments() {
	local segment segments last copy first=1
	mapfile -t segments < <(cd "$DATA/journal" && printf '%s\n' [0-9]*.ndjson* | sed -n 's/^\([0-9]*\)\.ndjson\(\.zst\)\{0,1\}$/\1/p' | sort -u)
	[ ${#segments[@]} -gt 0 ] || return 0
	last=${segments[-1]}
	unset 'segments[-1]'
	for segment in "${segments[@]}"; do
		# the oldest one may go this moment; any other is there, plain or compressed
		keep "$segment.ndjson.zst" "$segment.ndjson" || keep "$segment.ndjson.zst" || [ -n "$first" ] || fail 74 "segment $segment of the journal is not there"
		keep "$segment.idx" || true
		first=""
	done
	copy=$KEPT/journal/$last.ndjson
	cp "$DATA/journal/$last.ndjson" "$copy" || fail 74 "unable to copy the end of the journal; is the disk full?"
	[ -z "$(tail -c 1 "$copy" | tr '\0' x)" ] || truncate -s "-$(tail -n 1 "$copy" | wc -c)" "$copy"
}

# Which lines of which publisher came in, and which numbers were seen, belong to the journal.  Numbers that somebody may have seen behind its end are
# left out after a restore, as after a power failure.
backup_journal() {
	say "copying the journal"
	KEPT=$(mktemp -d "$DATA/.backup.XXXXXX") || fail 73 "unable to write in $DATA"
	mkdir "$KEPT/journal"
	keep_segments
	cp "$DATA/journal/id" "$DATA/journal/publishers" "$KEPT/journal" 2>/dev/null || cp "$DATA/journal/id" "$KEPT/journal" || fail 74 "unable to copy $DATA/journal/id"
	[ ! -e "$DATA/journal/reserved" ] || sed 's/^[^ ]*/restored/' "$DATA/journal/reserved" >"$KEPT/journal/reserved"
	mapfile -t members < <(cd "$KEPT" && printf '%s\n' journal/*)
	put "$KEPT" "${members[@]}"
}

# journal_end DIRECTORY: the last _seq; that of an empty last segment is the one before its name.
journal_end() {
	local last seq
	last=$(cd "$1" && printf '%s\n' [0-9]*.ndjson* | sort | tail -n 1)
	seq=$(zstdcat -qf "$1/$last" 2>/dev/null | tail -n 1 | sed -n 's/^{"_seq":\([0-9]*\),.*/\1/p')
	echo "${seq:-$((10#${last%%.*} - 1))}"
}

manifest() {
	jq -n -R --argjson format $BACKUP_FORMAT --arg version "$("$BIN/dt-store" -V | awk '{ print $NF }')" --arg time "$(date -u +%FT%TZ)" \
		--arg postgres "$("$PGBIN/pg_dump" --version | awk '{ print $3 }')" --arg id "$(cat "$KEPT/journal/id")" \
		--argjson last "$(journal_end "$KEPT/journal")" --rawfile positions "$STAGE/positions" --rawfile files "$STAGE/files" '
		def rows: split("\n") | map(select(. != "") | split(" "));
		{ format: $format, version: $version, time: $time, postgres: $postgres, journal: { id: $id, last_seq: $last },
		  positions: ($positions | rows | map({ sink: .[0], journal: .[1], seq: .[2] | tonumber })),
		  files: ($files | rows | map({ sha256: .[0], bytes: .[1] | tonumber, path: .[2] })) }'
}

cmd_backup() {
	local sink
	backup_options "$@"
	[ -e "$DATA/journal/id" ] || fail 69 "there is nothing to back up in $DATA"
	db_programs
	supervisor_alive || lock_up
	umask 077
	trap backup_end EXIT
	trap 'exit 130' INT TERM
	[ -d "$(dirname "$FILE")" ] || fail 73 "unable to write $FILE: there is no directory $(dirname "$FILE")"
	{ exec 8>>"$FILE.part"; } 2>/dev/null || fail 73 "unable to write $FILE.part"
	flock -n 8 || fail 75 "another backup writes $FILE.part"
	PART=$FILE.part
	: >"$PART"
	STAGE=$(mktemp -d "$FILE.XXXXXX") || fail 73 "unable to write beside $FILE"
	: >"$STAGE/positions"
	: >"$STAGE/files"
	pg_borrow
	for sink in "${SINKS[@]}"; do backup_database "$sink"; done
	pg_return
	backup_journal
	[ -z "$WITH_SECRETS" ] || [ ! -e "$DATA/secrets" ] || put "$DATA" secrets
	if [ -n "$WITH_SECRETS" ] && [ -e "$DATA/accounts.db" ]; then
		"$BIN/dt-user" -f "$DATA/accounts.db" copy "$STAGE/accounts.db" || fail 74 "unable to copy the accounts"
		put "$STAGE" accounts.db
	fi
	manifest >"$STAGE/manifest.json" || fail 74 "unable to write the manifest"
	put "$STAGE" manifest.json
	{ sync "$PART" && mv "$PART" "$FILE"; } || fail 74 "unable to write $FILE"
	PART=""
	say "$FILE: $(du -h "$FILE" | cut -f1), $(jq -r '"events up to \(.journal.last_seq)" + (.positions | map(", \(.sink) stored up to \(.seq)") | add // "")' "$STAGE/manifest.json")"
}

# ---- restore ----

restore_options() {
	FILE="" FORCE=""
	while [ $# -gt 0 ]; do
		case $1 in
		--force) FORCE=1 ;;
		-*) usage_error "restore: unknown option '$1'" ;;
		*)
			[ -z "$FILE" ] || usage_error "restore: '$1' is one argument too many"
			FILE=$1
			;;
		esac
		shift
	done
	[ -n "$FILE" ] || usage_error "restore: from which file?"
	FILE=$(absolute "$FILE")
	if [ ! -f "$FILE" ] || [ ! -r "$FILE" ]; then fail 66 "$FILE cannot be read"; fi
}

damaged() {
	fail 65 "$FILE is damaged or no backup: $*; nothing was changed"
}

# unpack: all of it into STAGE, each member as the manifest says, and no other.
unpack() {
	zstd -q -dc "$FILE" 2>"$STAGE/.zstd" | tar -C "$STAGE" -x -i --no-same-owner --no-same-permissions -f - 2>"$STAGE/.tar" || {
		case $(cat "$STAGE/.zstd" "$STAGE/.tar") in *"No space left"*) fail 74 "no room in $DATA to unpack it; nothing was changed" ;; esac
		damaged "$(cat "$STAGE/.zstd" "$STAGE/.tar" | head -n 1)"
	}
	rm "$STAGE/.zstd" "$STAGE/.tar"
	[ -f "$STAGE/manifest.json" ] || damaged "it has no manifest"
	[ "$(jq -r '.format' "$STAGE/manifest.json" 2>/dev/null)" = $BACKUP_FORMAT ] || damaged "its format is not $BACKUP_FORMAT"
	(cd "$STAGE" && jq -r '.files[] | "\(.sha256)  \(.path)"' manifest.json | sha256sum --quiet --strict -c - >.sums 2>&1) || damaged "$(head -n 1 "$STAGE/.sums")"
	rm "$STAGE/.sums"
	[ "$(cd "$STAGE" && find . ! -type d | sort)" = "$(jq -r '"./manifest.json", "./" + .files[].path' "$STAGE/manifest.json" | sort)" ] ||
		damaged "its members are not those of its manifest"
	ls "$STAGE/telemetry.dump" "$STAGE/inventory.dump" "$STAGE/journal/id" >/dev/null 2>&1 || damaged "a part is missing"
}

# Is there anything that would be lost?
check_empty() {
	local sink
	if [ -n "$FORCE" ] || [ -e "$DATA/.restoring" ]; then return 0; fi
	if [ -e "$DATA/journal/id" ] || [ -e "$DATA/pg/PG_VERSION" ]; then fail 73 "there is data in $DATA already; restore --force replaces it"; fi
	for sink in "${SINKS[@]}"; do
		[ -z "$(setting "${DB_URL[$sink]}")" ] || [ "$(db_ask "$sink" "select to_regnamespace('dt') is null")" = t ] ||
			fail 73 "the database of ${DB_URL[$sink]} is not empty or does not answer; restore --force replaces what is the tracker's in it"
	done
}

restore_database() {
	local sink=$1
	say "restoring the $sink database, $(db_where "$sink")"
	{
		db_ask "$sink" "set client_min_messages = warning; drop schema if exists dt cascade" &&
			db_run "$sink" pg_restore --clean --if-exists --no-owner --no-privileges --exit-on-error -j "$(nproc)" "$STAGE/$sink.dump" &&
			db_ask "$sink" "set client_min_messages = error; analyze"
	} || fail 74 "$sink could not be restored; mend that and restore again"
}

restore_end() {
	pg_return
	[ -z "$STAGE" ] || rm -rf "$STAGE"
}

cmd_restore() {
	local sink
	restore_options "$@"
	! any_supervised || fail 69 "the tracker is up; scripts/tracker down first"
	make_directories
	lock_up
	trap restore_end EXIT
	trap 'exit 130' INT TERM
	STAGE=$(mktemp -d "$DATA/.restore.XXXXXX") || fail 73 "unable to write in $DATA"
	say "checking $FILE"
	unpack
	db_programs
	check_empty
	echo "$FILE" >"$DATA/.restoring"
	if pg_wanted; then
		pg_init >"$LOGS/initdb.log" 2>&1 || { tail -n 5 "$LOGS/initdb.log" >&2; fail 69 "initdb failed"; }
		pg_borrow
		pg_bootstrap >>"$LOGS/initdb.log" 2>&1 || { tail -n 5 "$LOGS/initdb.log" >&2; fail 69 "unable to make the databases"; }
	fi
	for sink in "${SINKS[@]}"; do restore_database "$sink"; done
	pg_return
	[ ! -e "$STAGE/secrets" ] || mv "$STAGE/secrets" "$DATA/secrets"
	[ ! -e "$STAGE/accounts.db" ] || { rm -f "$DATA"/accounts.db-*; mv "$STAGE/accounts.db" "$DATA/accounts.db"; }
	{ rm -rf "$DATA/journal" && mv "$STAGE/journal" "$DATA/journal" && chmod 700 "$DATA/journal"; } || fail 74 "unable to put the journal into $DATA"
	rm "$DATA/.restoring"
	say "restored as of $(jq -r '"\(.time), events up to \(.journal.last_seq)"' "$STAGE/manifest.json"); scripts/tracker up goes on from there"
}
