# The two databases, wherever they are: by the name of the sink that fills them.
# shellcheck shell=bash

SINKS=(telemetry inventory)
declare -A DB_NAME=([telemetry]=dereth [inventory]=inventory_db)
declare -A DB_URL=([telemetry]=DATABASE_URL [inventory]=INVENTORY_DATABASE_URL)
declare -A DB_PASSWORD=([telemetry]=POSTGRES_PASSWORD [inventory]=INVENTORY_DB_PASSWORD)

# db_run SINK PROGRAM [ARGUMENT]...: psql, pg_dump or pg_restore on that database.  A password goes by the environment, which only
# this user's processes can see, never by an argument.
db_run() {
	local sink=$1 program=$2 url password in_url='^(postgres(ql)?://[^/?@:]*):([^@/]*)@(.*)$'
	shift 2
	url=$(setting "${DB_URL[$sink]}")
	if [ -z "$url" ]; then
		PGHOST=$RUN/pg PGPORT=5432 PGUSER=dereth "$PGBIN/$program" -d "${DB_NAME[$sink]}" "$@"
		return
	fi
	password=$(setting "${DB_PASSWORD[$sink]}")
	if [[ $url =~ $in_url ]]; then
		url=${BASH_REMATCH[1]}@${BASH_REMATCH[4]}
		password=${BASH_REMATCH[3]//\\/\\\\}
		printf -v password '%b' "${password//%/\\x}"
	fi
	[[ ! $url =~ [?\&[:space:]]password= ]] || fail 78 "${DB_URL[$sink]} has a password among its parameters; put it into ${DB_PASSWORD[$sink]}"
	PGPASSWORD=$password PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10} "$PGBIN/$program" -d "$url" "$@"
}

# db_ask SINK STATEMENT: plain values.
db_ask() {
	db_run "$1" psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$2"
}

# db_where SINK: for people.
db_where() {
	local url
	url=$(setting "${DB_URL[$1]}")
	if [ -z "$url" ]; then echo "the tracker's own"; else echo "that of ${DB_URL[$1]}"; fi
}

# db_programs: sets PGBIN, whoever runs the server.
db_programs() {
	if pg_wanted; then pg_prepare && pg_check_version; else
		PGBIN=$(pg_bindir) || fail 69 "no PostgreSQL $PG_VERSION_MIN or later found; DT_PG_BINDIR may name the directory of its programs"
	fi
}
