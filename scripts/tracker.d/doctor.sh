# doctor: a line per check, ok, warn or bad, with what to do about it.
# shellcheck shell=bash

DOCTOR_BAD=0

good() { printf 'ok    %s\n' "$*"; }
doubt() { printf 'warn  %s\n' "$*"; }
bad() {
	printf 'bad   %s\n' "$*"
	DOCTOR_BAD=1
}

check_packages() {
	local missing
	mapfile -t missing < <(missing_packages build run)
	if [ ${#missing[@]} -eq 0 ]; then
		good "packages: all there"
	else
		bad "packages: ${missing[*]} missing; $(install_command "${missing[@]}")"
	fi
}

check_build() {
	local newest
	newest=$(find "$BIN" -type f -printf '%T@ %p\n' 2>/dev/null | sort -rn | head -n 1 | cut -d' ' -f2)
	if [ -z "$newest" ]; then doubt "build: not made yet; scripts/tracker up makes it"
	elif [ -n "$(find "$ROOT/lib" "$ROOT/cmd" "$ROOT/sql" -type f -newer "$newest" 2>/dev/null | head -n 1)" ]; then
		doubt "build: older than the source; make, then scripts/tracker restart"
	else good "build: up to date in $B"; fi
}

# check_directory WHAT PATH
check_directory() {
	local mode
	if [ ! -e "$2" ]; then
		if [ -w "$(nearest_parent "$2")" ]; then good "$1: $2 will be made by up"
		else bad "$1: $2 cannot be made, $(nearest_parent "$2") is not writable; set $1 to a directory of yours"; fi
		return
	fi
	mode=$(stat -L -c %a "$2")
	if [ ! -w "$2" ]; then bad "$1: $2 is not writable for $(id -un); chown it, or set $1"
	elif [ $((0$mode & 022)) -ne 0 ]; then bad "$1: $2 has mode $mode, others may write there; chmod go-w $2"
	else good "$1: $2, mode $mode"; fi
}

nearest_parent() {
	local dir=$1
	until [ -e "$dir" ]; do dir=${dir%/*}; done
	echo "${dir:-/}"
}

check_sockets() {
	local longest=$RUN/pg/.s.PGSQL.5432
	if [ ${#longest} -le 107 ]; then good "socket paths: ${#longest} of 107 bytes"
	else bad "socket paths: $longest has ${#longest} bytes, 107 are possible; set DT_RUN to something short, as /tmp/dt-$(id -un)"; fi
}

check_space() {
	local free_mb
	free_mb=$(df -Pm "$(nearest_parent "$DATA")" | awk 'NR == 2 { print $4 }')
	if [ "$free_mb" -lt 1024 ]; then bad "disk: $free_mb MB left for $DATA; make room, or lower DT_JOURNAL_BYTES"
	elif [ "$free_mb" -lt 20480 ]; then doubt "disk: $free_mb MB left for $DATA; the journal may take $(setting DT_JOURNAL_BYTES)"
	else good "disk: $((free_mb / 1024)) GB left for $DATA"; fi
}

# A clock that is behind the newest file it wrote, or behind the source, gives wrong times to every event.
check_clock() {
	local now newest
	now=$(date +%s)
	newest=$(find "$DATA" "$ROOT/Makefile" -maxdepth 2 -newermt '+60 seconds' 2>/dev/null | head -n 1)
	if [ "$now" -lt 1767225600 ]; then bad "clock: it says $(date '+%F %T'); set it"
	elif [ -n "$newest" ]; then doubt "clock: $newest is from the future; was the clock set back?"
	else good "clock: $(date -u '+%F %T') UTC"; fi
}

check_port() {
	case $PORT in
	'' | *[!0-9]*) bad "port: DT_PORT=$PORT is no number"; return ;;
	esac
	if supervisor_alive && service_known dt-serve && service_is up dt-serve; then good "port: $PORT is served by dt-serve"
	elif port_taken "$PORT"; then bad "port: somebody else listens on $PORT; set DT_PORT"
	else good "port: $PORT is free"; fi
}

check_secrets() {
	local file mode clean=1
	for file in "$DATA/secrets" "$ENV_FILE"; do
		[ -f "$file" ] || continue
		mode=$(stat -L -c %a "$file")
		[ $((0$mode & 077)) -eq 0 ] || { bad "secrets: $file has mode $mode; chmod 600 $file"; clean=""; }
	done
	for file in SHARED_SECRET SECRET_KEY; do
		case $(setting $file) in
		changeme | secret | "<"*">") bad "secrets: $file is a placeholder; remove it, then up makes one"; clean="" ;;
		esac
	done
	[ -n "$clean" ] || return
	if [ -f "$DATA/secrets" ]; then good "secrets: $DATA/secrets, mode 600"; else good "secrets: will be made by up"; fi
}

check_settings() {
	local name unknown=()
	for name in $(compgen -e | grep '^DT_' || true) "${!DOTENV[@]}" "${!SECRETS[@]}"; do
		case $name in DT_ENV_FILE | DT_*_FILE) continue ;; esac
		[ -n "${FALLBACK[$name]+known}" ] || unknown+=("$name")
	done
	if [ ${#unknown[@]} -eq 0 ]; then good "settings: all known"
	else doubt "settings: nobody knows ${unknown[*]}; .env.example lists all there are"; fi
}

# days_by SINK: who cuts its event tables into days; nothing before it is migrated.
days_by() {
	[ "$1" = telemetry ] || return 0
	case $(db_ask "$1" "select min(engine) from dt.series" 2>/dev/null) in
	plain) echo "; days are partitions" ;;
	timescale*) echo "; days are chunks of TimescaleDB" ;;
	esac
}

check_databases() {
	local sink said
	if ! PGBIN=$(pg_bindir); then
		bad "databases: no PostgreSQL $PG_VERSION_MIN or later found"
		return
	fi
	for sink in "${SINKS[@]}"; do
		if [ -z "$(setting "${DB_URL[$sink]}")" ] && ! supervisor_alive; then
			good "$sink database: the tracker's own, by $PGBIN; not running now"
		elif said=$(PGCONNECT_TIMEOUT=5 db_ask "$sink" 'select 1' 2>&1); then
			good "$sink database: $(db_where "$sink"), answers$(days_by "$sink")"
		elif [ -z "$(setting "${DB_URL[$sink]}")" ]; then
			bad "$sink database: the tracker's own gives no answer; scripts/tracker logs postgres"
		else
			bad "$sink database: mend ${DB_URL[$sink]}, or what it names: $(head -n 1 <<<"$said")"
		fi
	done
}

check_journal() {
	local dir=$DATA/journal
	if [ ! -e "$dir" ]; then good "journal: will be made by up"
	elif [ ! -w "$dir" ]; then bad "journal: $dir is not writable for $(id -un); chown it"
	elif ! (umask 077 && echo >"$dir/.doctor") 2>/dev/null; then bad "journal: writing in $dir fails; is the disk full or read-only?"
	else
		rm -f "$dir/.doctor"
		good "journal: $dir, $(du -sh "$dir" 2>/dev/null | cut -f1)"
	fi
}

# An upgrade replaced the file that a process was started from.
of_older_build() {
	case $(readlink "/proc/$(s6-svstat -o pid "$(service_dir "$1")")/exe") in *" (deleted)") ;; *) return 1 ;; esac
}

check_programs() {
	local name
	if ! supervisor_alive; then
		if any_supervised; then bad "programs: the supervisor has gone, they run on without it; scripts/tracker up starts them anew"
		else good "programs: not running"; fi
		return
	fi
	for name in "${PROGRAMS[@]}"; do
		service_known "$name" || continue
		case $(state_of "$name") in
		up)
			if of_older_build "$name"; then doubt "$name: up, but of an older build; scripts/tracker restart $name"
			else good "$name: up, $(deaths "$name") restarts"; fi
			;;
		failed) bad "$name: gave up on a configuration error; scripts/tracker logs $name" ;;
		*) bad "$name: not up; scripts/tracker logs $name" ;;
		esac
	done
}

cmd_doctor() {
	no_arguments doctor "$@"
	set +e          # a check that cannot run is a finding, not an end
	check_packages
	check_build
	check_directory DT_DATA "$DATA"
	check_directory DT_RUN "$RUN"
	check_sockets
	check_space
	check_clock
	check_settings
	check_secrets
	check_port
	check_journal
	check_databases
	check_programs
	exit $DOCTOR_BAD
}
