# shellcheck shell=sh
# A private PostgreSQL for a test, on a UNIX socket only: sourced after lib.sh, or by itself with DT_RUN and T set.
#
#   pg_start [durable]        # makes the cluster in $T/pgdata, listens in $DT_RUN/pg, makes the database dereth; durable: with fsync
#   pg_again                  # starts a cluster that is there; options for any of them in $pg_more, how it is to end in $pg_end
#   pg_stop [MODE]            # fast, immediate (as kill -9 of every process would)
#   sql "select 1"            # one query as dereth, unaligned, without headers
#
# The postmaster's process id is $pg_pid; root runs it as the system's user postgres, since initdb refuses root.

for pg_bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) $(pg_config --bindir 2>/dev/null); do
	[ -x "$pg_bin/postgres" ] && break
done

pg_as() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
	else "$@"; fi
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$DT_RUN/pg" -U dereth -d "${2:-dereth}" -c "$1"; }

pg_ready() { "$pg_bin/pg_isready" -q -h "$DT_RUN/pg" -U dereth -d postgres; }

pg_run() {
	# shellcheck disable=SC2086
	(cd / && pg_as "$pg_bin/postgres" -D "$T/pgdata" -c listen_addresses= -c unix_socket_directories="$DT_RUN/pg" \
	    -c max_connections=30 -c shared_buffers=32MB -c autovacuum_naptime=10 -c jit=off $pg_options ${pg_more:-}) \
	    >>"$T/pg.log" 2>&1 </dev/null &
	_n=0
	until pg_ready; do
		_n=$((_n + 1))
		[ "$_n" -gt 1200 ] && return 1
		sleep 0.05
	done
	# shellcheck disable=SC2034
	pg_pid=$(head -n 1 "$T/pgdata/postmaster.pid")
}

pg_places() {
	chmod a+x "$T" "$DT_RUN"
	mkdir -p "$DT_RUN/pg" "$T/pgdata"
	chmod 700 "$DT_RUN/pg" "$T/pgdata"
	[ "$(id -u)" = 0 ] && chown postgres "$DT_RUN/pg" "$T/pgdata"
}

# with lib.sh: stopped before its own cleaning up, the exit status kept
pg_end_with_test() {
	# shellcheck disable=SC2154
	if [ -n "${ROOT:-}" ]; then trap 'pg_code=$?; pg_stop "${pg_end:-immediate}"; (exit $pg_code); finish' EXIT; fi
}

pg_start() {
	pg_options='-c fsync=off'
	[ "${1:-}" = durable ] && pg_options=
	pg_places
	(cd / && pg_as "$pg_bin/initdb" -D "$T/pgdata" -U dereth -E UTF8 --locale=C.UTF-8 -A trust --no-instructions -N) >"$T/initdb.log" 2>&1 ||
	    { cat "$T/initdb.log" >&2; return 1; }
	pg_run || return 1
	pg_end_with_test
	sql 'create database dereth' postgres
}

pg_again() {
	pg_options=
	pg_places
	pg_run || return 1
	pg_end_with_test
}

pg_stop() {
	pg_as "$pg_bin/pg_ctl" -D "$T/pgdata" -m "${1:-fast}" -w stop >/dev/null 2>&1
}
