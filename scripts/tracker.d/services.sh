# The programs under s6: one service directory each in $DT_DATA/service, made anew by every up.
# shellcheck shell=bash

# In the order in which they start.  Down goes the other way, but what writes to the stream always ends before what reads it.
PROGRAMS=(postgres dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-health dt-alertd dt-sim)
STOP_ORDER=(dt-sim dt-health dt-alertd dt-serve dt-ingest dt-store dt-store-inventory dt-fanout postgres)
READY_SECONDS=60
declare -A DEATHS_BEFORE=()     # how often a program had died when it was last started
declare -A LOG_BEFORE=()        # and how long its log was

service_dir() { printf '%s' "$SERVICES/$1"; }

# Is there a supervisor for these directories?  (The request to look at them again changes nothing.)
supervisor_alive() {
	[ -e "$SERVICES/.s6-svscan/control" ] && s6-svscanctl -a "$SERVICES" 2>/dev/null
}

service_known() { [ -d "$(service_dir "$1")" ]; }

# service_is FIELD NAME: one boolean of s6-svstat.
service_is() {
	[ "$(s6-svstat -o "$1" "$(service_dir "$2")" 2>/dev/null)" = true ]
}

# What was set for this up goes to the programs: plain settings by name, secrets by files that NAME_FILE names, so that no
# process environment shows them.
write_environment() {
	local name file dir=$SERVICES/.environment kept=$SERVICES/.secret
	rm -rf "$dir.new" "$kept.new"
	mkdir -m 700 "$dir.new" "$kept.new"
	for name in "${SETTING_NAMES[@]}"; do
		file=${name}_FILE
		if [ "${IS_SECRET[$name]}" = 1 ] && [ -n "${!name:-}" ]; then
			printf '%s' "${!name}" >"$kept.new/$name"
			printf '%s' "$kept/$name" >"$dir.new/$file"
		elif [ -n "${!name:-}" ]; then
			printf '%s' "${!name}" >"$dir.new/$name"
		elif [ -n "${!file:-}" ]; then
			absolute "${!file}" >"$dir.new/$file"
		fi
	done
	printf '%s' "$DATA" >"$dir.new/DT_DATA"
	printf '%s' "$RUN" >"$dir.new/DT_RUN"
	[ -z "${DT_ENV_FILE:-}" ] || absolute "$DT_ENV_FILE" >"$dir.new/DT_ENV_FILE"
	for name in ASAN_OPTIONS UBSAN_OPTIONS; do
		[ -z "${!name:-}" ] || printf '%s' "${!name}" >"$dir.new/$name"
	done
	chmod -R go= "$dir.new" "$kept.new"
	rm -rf "$dir" "$kept"
	mv "$dir.new" "$dir"
	mv "$kept.new" "$kept"
}

# write_run DIRECTORY COMMAND...
write_run() {
	local dir=$1
	shift
	{
		printf '#!/bin/sh\nexec 2>&1 </dev/null\numask 077\nulimit -c 0\nulimit -S -n 4096 2>/dev/null\nexec s6-envdir -f %q' "$SERVICES/.environment"
		printf ' %q' "$@"
		echo
	} >"$dir/run.new"
	chmod 755 "$dir/run.new"
	mv "$dir/run.new" "$dir/run"
}

# service_make NAME COMMAND...: the directory from the template; it does not start by itself.
service_make() {
	local name=$1 new=$SERVICES/.new.$1
	shift
	rm -rf "$new"
	mkdir -p "$new/log" "$LOGS/$name"
	write_run "$new" "$@"
	# a line each with its time; ten files of a megabyte
	printf '#!/bin/sh\numask 077\nexec s6-log -b n10 s1000000 T %q\n' "$LOGS/$name" >"$new/log/run"
	cp "$ROOT/scripts/service/finish" "$new/finish"
	chmod 755 "$new/log/run"
	echo 3 >"$new/notification-fd"
	echo 10000 >"$new/timeout-finish"
	echo 15000 >"$new/timeout-kill"
	echo 1000 >"$new/max-death-tally"
	touch "$new/down"
	[ "$name" != postgres ] || service_make_postgres "$new"
	mv "$new" "$(service_dir "$name")"
}

# Fast shutdown, time for its last checkpoint, readiness by asking.
service_make_postgres() {
	echo SIGINT >"$1/down-signal"
	echo 60000 >"$1/timeout-kill"
	mkdir "$1/data"
	printf '#!/bin/sh\nexec %q -q -h %q -U postgres -d postgres\n' "$PGBIN/pg_isready" "$PG_RUN" >"$1/data/check"
	chmod 755 "$1/data/check"
}

postgres_command() {
	COMMAND=(s6-notifyoncheck -d -w 100 -n 0 env -C /)
	[ "$(id -u)" -ne 0 ] || COMMAND+=(s6-setuidgid "$PG_USER")
	COMMAND+=("$PGBIN/postgres" -D "$PG_DIR" -c "unix_socket_directories=$PG_RUN" -c unix_socket_permissions=0777)
}

# program_command NAME: how it is started, in COMMAND.  Everything else it knows from its settings.
program_command() {
	case $1 in
	postgres) postgres_command ;;
	dt-store) COMMAND=("$BIN/dt-store" --sink telemetry -R 3) ;;
	dt-store-inventory) COMMAND=("$BIN/dt-store" --sink inventory -R 3) ;;
	dt-serve)
		COMMAND=("$BIN/dt-serve" -R 3)
		[ -z "$(setting DT_PROXY_NETS)" ] || COMMAND+=(--behind-proxy)
		;;
	dt-sim) COMMAND=("$BIN/dt-sim" --characters "$CHARACTERS" --connect "ws+unix://$RUN/serve.sock:/ws/position" -R 3) ;;
	*) COMMAND=("$BIN/$1" -R 3) ;;
	esac
}

# renew_services: those that are there already get the settings of now when they are started next.  (The fleet keeps its size.)
renew_services() {
	local name
	write_environment
	for name in "${PROGRAMS[@]}"; do
		case $name in postgres | dt-sim) continue ;; esac
		service_known "$name" || continue
		program_command "$name"
		write_run "$(service_dir "$name")" "${COMMAND[@]}"
	done
}

# optional_wanted NAME: is there something for it to do?
optional_wanted() {
	[ -x "$BIN/$1" ] || return 1
	case $1 in
	dt-health) [ -n "$(setting DT_GAME_SERVER)" ] && [ -n "$(setting DT_GAME_ADDRESS)" ] ;;
	dt-alertd) [ -n "$(setting DISCORD_RARE_BOT_TOKEN)$(setting DISCORD_ACLOG_WEBHOOK)" ] || [ -n "$(ls "$DATA/rules.d" 2>/dev/null)" ] ;;
	esac
}

# start_supervisor: s6-svscan of its own session, with an empty environment and no terminal.
start_supervisor() {
	local name
	rm -rf "$SERVICES"
	mkdir -m 700 "$SERVICES"
	write_environment
	for name in "$@"; do
		program_command "$name"
		service_make "$name" "${COMMAND[@]}"
	done
	env -i PATH="$PATH" setsid s6-svscan "$SERVICES" </dev/null >>"$LOGS/s6-svscan.log" 2>&1 9>&- &
	disown
	for name in "$@"; do await_supervision "$name"; done
}

# add_service NAME: one more under a supervisor that runs.
add_service() {
	program_command "$1"
	service_make "$1" "${COMMAND[@]}"
	s6-svscanctl -a "$SERVICES"
	await_supervision "$1"
}

await_supervision() {
	local tries=0
	until s6-svok "$(service_dir "$1")" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail 71 "s6 does not supervise $1; see $LOGS/s6-svscan.log"
		sleep 0.05
	done
}

service_start() {
	local dir
	dir=$(service_dir "$1")
	[ "$1" != postgres ] || pg_configure
	DEATHS_BEFORE[$1]=$(deaths "$1")
	LOG_BEFORE[$1]=$(log_bytes "$1")
	rm -f "$dir/down"
	s6-svc -u "$dir"
}

log_bytes() { stat -c %s "$LOGS/$1/current" 2>/dev/null || echo 0; }
deaths() { s6-svdt "$(service_dir "$1")" 2>/dev/null | wc -l; }

# service_await NAME: 0 when ready, 1 when it gave up, keeps dying, or is not ready in time.  (That it is neither up nor wanted
# means something only once it has died: s6 may not have seen the wish yet.)
service_await() {
	local end=$((SECONDS + READY_SECONDS)) died
	until service_is ready "$1"; do
		died=$(($(deaths "$1") - DEATHS_BEFORE[$1]))
		[ $died -lt 3 ] && [ "$SECONDS" -lt "$end" ] || return 1
		if [ $died -gt 0 ] && ! service_is wantedup "$1" && ! service_is up "$1"; then return 1; fi
		sleep 0.05
	done
}

# The last lines of what it said since it was started, and why it is not there.  (Its logger may need a moment for them.)
service_report() {
	local last tries=0 from=${LOG_BEFORE[$1]}
	while [ "$(log_bytes "$1")" = "${LOG_BEFORE[$1]}" ] && [ $tries -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	last=$(s6-svdt "$(service_dir "$1")" | tail -n 1 | cut -d' ' -f2-)
	if [ -z "$last" ]; then
		warn "$1 was not ready within $READY_SECONDS s; its last lines:"
	elif service_is wantedup "$1"; then
		warn "$1 does not stay up ($last), s6 goes on trying; its last lines:"
	else
		warn "$1 gave up ($last), it is not started again; its last lines:"
	fi
	[ "$(log_bytes "$1")" -ge "$from" ] || from=0        # begun anew meanwhile
	tail -c "+$((from + 1))" "$LOGS/$1/current" 2>/dev/null | tail -n 8 | cut -c 32- | sed 's/^/    /' >&2
}

# start_and_await NAME...: all at once, then each until it is ready.  1 when one is not; the others stay up.
start_and_await() {
	local name status=0
	for name; do service_start "$name"; done
	for name; do
		if service_await "$name"; then
			say "$name is ready"
		else
			service_report "$name"
			FAILED+=("$name")
			status=1
		fi
	done
	return $status
}

# service_stop NAME: asks, and waits until it and its finish script are gone (s6 kills after timeout-kill).
service_stop() {
	local dir
	dir=$(service_dir "$1")
	s6-svok "$dir" 2>/dev/null || return 0
	s6-svc -wD -T 90000 -d "$dir"
}

# stop_supervisor: also after s6-svscan itself was killed, when each s6-supervise is still there.
stop_supervisor() {
	local dir tries=0
	if supervisor_alive; then
		s6-svscanctl -t "$SERVICES"
	else
		for dir in "$SERVICES"/*/ "$SERVICES"/*/log/; do
			s6-svok "$dir" 2>/dev/null && s6-svc -dx "$dir"
		done
	fi
	while any_supervised; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || return 1
		[ $tries -ne 60 ] || end_loggers
		sleep 0.05
	done
}

# A logger waits for the end of its pipe, which an orphan of a killed program may hold.
end_loggers() {
	local dir
	for dir in "$SERVICES"/*/log/; do
		s6-svok "$dir" 2>/dev/null && s6-svc -xd "$dir"
	done
	return 0
}

any_supervised() {
	local dir
	[ -d "$SERVICES" ] || return 1
	supervisor_alive && return 0
	for dir in "$SERVICES"/*/ "$SERVICES"/*/log/; do
		[ -d "$dir" ] && s6-svok "$dir" 2>/dev/null && return 0
	done
	return 1
}
