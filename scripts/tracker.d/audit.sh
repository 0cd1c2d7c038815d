# audit: the totals added up again from the journal alone, beside those of the database; see AUDIT in dt-store(8).
# shellcheck shell=bash

AUDIT_DIR="" AUDIT_DATABASE=""

audit_options() {
	SCRATCH="" REPLAY=()
	while [ $# -gt 0 ]; do
		case $1 in
		--scratch)
			[ $# -gt 1 ] || usage_error "audit: --scratch wants the URL of an empty database"
			shift
			SCRATCH=$1
			;;
		--scratch=*) SCRATCH=${1#*=} ;;
		--replay) REPLAY=(--replay) ;;
		*) usage_error "audit: unknown argument '$1'" ;;
		esac
		shift
	done
}

audit_end() {
	[ -z "$AUDIT_DATABASE" ] || as_superuser -c "drop database if exists $AUDIT_DATABASE with (force)" || warn "the database $AUDIT_DATABASE is left over"
	AUDIT_DATABASE=""
	pg_return
	[ -z "$AUDIT_DIR" ] || rm -rf "$AUDIT_DIR"
}

as_superuser() {
	"$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$PG_RUN" -U postgres -d postgres "$@"
}

# audit_scratch: an empty database of our own in the private cluster, unless one was given.
audit_scratch() {
	if [ -n "$SCRATCH" ]; then
		URL=$SCRATCH
		return
	fi
	pg_wanted || fail 64 "both databases are others' here; audit --scratch URL names an empty one to work in"
	AUDIT_DATABASE=audit_$$
	as_superuser -c "create database $AUDIT_DATABASE owner dereth" || fail 69 "unable to make a database to work in"
	URL="postgresql:///$AUDIT_DATABASE"
	export PGHOST=$RUN/pg PGPORT=5432 PGUSER=dereth
}

# totals FILE: of the telemetry database, or with URL of that one.
totals() {
	local query=$ROOT/sql/queries/audit_totals.sql
	if [ -n "${URL:-}" ]; then
		DATABASE_URL=$URL db_run telemetry psql -X -A -t -q -v ON_ERROR_STOP=1 -f "$query" >"$1"
	else
		db_run telemetry psql -X -A -t -q -v ON_ERROR_STOP=1 -f "$query" >"$1"
	fi || fail 69 "unable to read the totals"
}

cmd_audit() {
	local journal seq status=0 URL=""
	audit_options "$@"
	[ -e "$DATA/journal/id" ] || fail 69 "there is no journal in $DATA"
	[ -x "$BIN/dt-store" ] || fail 69 "$BIN/dt-store is not built yet"
	db_programs
	supervisor_alive || lock_up
	trap audit_end EXIT
	trap 'exit 130' INT TERM
	AUDIT_DIR=$(mktemp -d "$DATA/.audit.XXXXXX") || fail 73 "unable to write in $DATA"
	mkdir "$AUDIT_DIR/status"
	pg_borrow
	totals "$AUDIT_DIR/live"
	journal=$(sed -n 's/^position\t//p' "$AUDIT_DIR/live" | cut -f 1)
	seq=$(sed -n '/^position\t/s/.*\t//p' "$AUDIT_DIR/live")
	[ -n "$seq" ] || fail 65 "the database has stored nothing yet"
	[ "$journal" = "$(cat "$DATA/journal/id")" ] || fail 65 "the database follows another journal ($journal) than that in $DATA/journal"
	audit_scratch
	say "reading the journal up to event $seq"
	DT_RUN=$AUDIT_DIR DATABASE_URL=$URL "$BIN/dt-store" -1 -r "$DATA/journal" --to "$seq" "${REPLAY[@]}" 2>"$AUDIT_DIR/log" 8>&- 9>&- ||
		{ tail -n 5 "$AUDIT_DIR/log" >&2; fail 69 "dt-store did not get to the end"; }
	totals "$AUDIT_DIR/derived"
	awk -f "$ROOT/scripts/audit.awk" "$AUDIT_DIR/derived" "$AUDIT_DIR/live" || status=$?
	exit $status
}
