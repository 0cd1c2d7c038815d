# The tracker's own PostgreSQL: a private cluster in $DT_DATA/pg, on a UNIX socket in $DT_RUN/pg only.
# shellcheck shell=bash

PG_VERSION_MIN=15

# pg_bindir: the directory of initdb and postgres, the highest version first.
pg_bindir() {
	local dir version
	while read -r dir; do
		[ -x "$dir/initdb" ] || continue
		version=$("$dir/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
		[ "${version:-0}" -ge $PG_VERSION_MIN ] || continue
		printf '%s' "$dir"
		return 0
	done < <(pg_bindir_candidates)
	return 1
}

pg_bindir_candidates() {
	local dir
	setting DT_PG_BINDIR && echo
	pg_config --bindir 2>/dev/null || true
	printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -Vr
	printf '%s\n' /usr/libexec/postgresql*/ /usr/lib/postgresql*/bin /opt/homebrew/opt/postgresql@*/bin | sort -Vr
	dir=$(command -v postgres) && dirname "$dir"
	return 0
}

# The tracker's own database is not needed when both databases are somewhere else.
pg_wanted() {
	[ -z "$(setting DATABASE_URL)" ] || [ -z "$(setting INVENTORY_DATABASE_URL)" ]
}

# Who runs the server: initdb and postgres refuse root.
pg_user() {
	local owner
	[ "$(id -u)" -eq 0 ] || { id -un; return; }
	owner=$(stat -L -c %U "$DATA/pg" 2>/dev/null || echo root)
	if [ "$owner" = root ] || [ "$owner" = UNKNOWN ]; then owner=postgres; fi
	id -u "$owner" >/dev/null 2>&1 || fail 78 "there is no system user '$owner' to run PostgreSQL; Debian's package postgresql-15 makes it"
	echo "$owner"
}

as_pg_user() {
	if [ "$(id -u)" -eq 0 ]; then s6-setuidgid "$PG_USER" "$@"; else "$@"; fi
}

# pg_place LINK DIRECTORY: makes LINK a directory of the server's user; where root put the data below a directory that this
# user cannot pass (/root, say), LINK points to DIRECTORY, which is outside.
pg_place() {
	local link=$1 elsewhere=$2
	if [ ! -e "$link" ]; then
		rm -f "$link"
		if as_pg_user test -x "${link%/*}"; then
			mkdir "$link"
		else
			mkdir -p "$elsewhere"
			ln -s "$elsewhere" "$link"
		fi
		chmod 700 "$link/."
	fi
	[ "$(stat -L -c %U "$link")" = "$PG_USER" ] || chown "$PG_USER:" "$link/."
}

# pg_prepare: chooses the programs and the user, makes the directories.  Sets PGBIN, PG_USER, PG_DIR, PG_RUN.
pg_prepare() {
	local id
	PGBIN=$(pg_bindir) || fail 69 "no PostgreSQL $PG_VERSION_MIN or later found; DT_PG_BINDIR may name the directory of its programs"
	PG_USER=$(pg_user)
	id=$(printf '%s' "$DATA" | cksum | cut -d' ' -f1)
	pg_place "$DATA/pg" "/var/lib/dt-tracker/$id"
	pg_place "$RUN/pg" "/run/dt-tracker/$id"
	PG_DIR=$(readlink -f "$DATA/pg")
	PG_RUN=$(readlink -f "$RUN/pg")
}

# Peer authentication: whoever runs the tracker is dereth, the server's own user is the superuser postgres.
pg_write_access() {
	local me
	me=$(id -un)
	printf 'local all all peer map=dt\n' >"$PG_DIR/pg_hba.conf"
	printf 'dt "%s" postgres\ndt "%s" postgres\ndt "%s" dereth\n' "$PG_USER" "$me" "$me" >"$PG_DIR/pg_ident.conf"
}

# initdb works in a directory inside, so that an interrupted one leaves nothing that looks like a cluster.
pg_init() {
	local new=$PG_DIR/new
	if [ ! -e "$PG_DIR/PG_VERSION" ]; then
		rm -rf "$new"
		(cd / && as_pg_user "$PGBIN/initdb" -D "$new" -U postgres -E UTF8 --locale=C.UTF-8 -A peer --no-instructions) || return
		mv "$new/PG_VERSION" "$PG_DIR/.version"
		mv "$new"/* "$PG_DIR"
		rmdir "$new"
		mv "$PG_DIR/.version" "$PG_DIR/PG_VERSION"
	fi
	pg_write_access
}

# The server can only be started by the programs of the version that made the cluster.
pg_check_version() {
	local made=""
	[ -e "$PG_DIR/PG_VERSION" ] && made=$(cat "$PG_DIR/PG_VERSION")
	[ -z "$made" ] || case $("$PGBIN/postgres" --version) in *" $made."* | *" $made") ;; *)
		PGBIN=/usr/lib/postgresql/$made/bin
		[ -x "$PGBIN/postgres" ] || fail 78 "the cluster in $DATA/pg was made by PostgreSQL $made, which is not installed (package postgresql-$made)"
		;;
	esac
}

# pg_settings: what the server's own file does not say, one setting a line.
pg_settings() {
	pg_memory "$1"
	printf '%s\n' "dynamic_shared_memory_type = $(pg_shared_memory "$(shm_mb)")" "listen_addresses = ''" 'max_connections = 50' \
		'random_page_cost = 1.1' 'jit = off' 'wal_compression = on' 'checkpoint_completion_target = 0.9' \
		"timezone = 'UTC'" "log_timezone = 'UTC'" "log_line_prefix = ''" 'logging_collector = off'
}

# pg_configure: writes tracker.conf for the machine as it is now, the operator's own lines last, and has the server read it.
pg_configure() {
	local mb file=$PG_DIR/tracker.conf own=$DATA/postgresql.conf.local
	mb=$(memory_mb)
	{
		echo "# Written anew by scripts/tracker at each start, for $mb MB of memory.  What is to be otherwise goes into"
		echo "# $own: its lines follow at the end and win; then scripts/tracker restart postgres."
		pg_settings "$mb"
		if [ -r "$own" ]; then
			echo
			echo "# from $own"
			cat "$own"
		fi
	} >"$file.new"
	chmod 600 "$file.new"
	[ "$(id -u)" -ne 0 ] || chown "$PG_USER:" "$file.new"
	mv "$file.new" "$file"
	grep -q "^include 'tracker.conf'" "$PG_DIR/postgresql.conf" || echo "include 'tracker.conf'" >>"$PG_DIR/postgresql.conf"
}

# The role and the databases, where they are not there yet.
pg_bootstrap() {
	"$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$PG_RUN" -U postgres -d postgres <<-'SQL'
		select 'create role dereth login' where not exists (select from pg_roles where rolname = 'dereth') \gexec
		select format('create database %I owner dereth', d) from unnest('{dereth,inventory_db}'::text[]) d
		where not exists (select from pg_database where datname = d) \gexec
	SQL
}
