# status and logs: what s6, the programs' status files and the kernel know.
# shellcheck shell=bash

# How many events a program is behind: its own word for it, or how far its place is from the newest event in the journal.
# (Status files are a second old at most, so a second's events may seem to be missing.)
lag_of() {
	case $1 in
	dt-ingest) metric dt-ingest pending ;;
	dt-store*) if service_is up "$1"; then metric "$1" lag_events; else behind "$1" position; fi ;;
	dt-serve) behind dt-serve seq ;;
	*) echo - ;;
	esac
}

behind() {
	local newest place
	newest=$(metric dt-fanout last_seq) place=$(metric "$1" "$2")
	case $newest$place in
	*-*) echo - ;;
	*) clamp $((newest - place)) 0 "$newest" ;;
	esac
}

# metric PROGRAM NAME: the number (labelled ones added up), or "-".
metric() {
	local file=$RUN/status/$1.json
	[ -r "$file" ] || { echo -; return; }
	jq -r --arg n "$2" '.metrics[$n] | if type == "object" then add else . end | if type == "number" then floor else "-" end' "$file" 2>/dev/null || echo -
}

# memory_of PID: resident megabytes; of a server with children the shares of all of them.
memory_of() {
	local pids=$1
	[ "$1" -gt 0 ] || { echo -; return; }
	pids="$pids $(cat "/proc/$1/task/$1/children" 2>/dev/null || true)"
	# shellcheck disable=SC2086
	printf '/proc/%s/smaps_rollup\n' $pids | xargs cat 2>/dev/null |
		awk '/^Pss:/ { kb += $2 } END { if (NR) printf "%.1f MB\n", kb / 1024; else print "-" }'
}

# state_of NAME: "up", "starting", "waiting" between two deaths, "stopped", or "failed" for good.
state_of() {
	local up ready wanted
	read -r up ready wanted < <(s6-svstat -o up,ready,wantedup "$(service_dir "$1")" 2>/dev/null || echo "false false false")
	if [ "$ready" = true ] && [ "$up" = true ]; then echo up
	elif [ "$up" = true ]; then echo starting
	elif [ "$wanted" = true ]; then echo waiting
	elif s6-svdt "$(service_dir "$1")" 2>/dev/null | tail -n 1 | grep -qE 'exitcode (64|77|78)$'; then echo failed
	else echo stopped; fi
}

status_line() {
	local name=$1 state seconds pid since=-
	state=$(state_of "$name")
	read -r seconds pid < <(s6-svstat -o updownfor,pid "$(service_dir "$name")" 2>/dev/null || echo "0 -1")
	[ "$state" != up ] || since=$(date -d "-$seconds seconds" '+%F %T')
	printf '%-18s  %-8s  %-19s  %8s  %12s  %8s  %10s\n' "$name" "$state" "$since" "$(deaths "$name")" \
		"$(metric "$name" events_total)" "$(lag_of "$name")" "$(memory_of "$pid")"
}

# The state of every program; 1 when one of them is not up, 69 when nothing runs.
cmd_status() {
	local name status=0
	no_arguments status "$@"
	if ! supervisor_alive; then
		if any_supervised; then say "the supervisor has gone, programs run on without it; scripts/tracker up starts them anew, down ends them"
		else say "down"; fi
		exit 69
	fi
	printf '%-18s  %-8s  %-19s  %8s  %12s  %8s  %10s\n' PROGRAM STATE "UP SINCE" RESTARTS EVENTS LAG MEMORY
	for name in "${PROGRAMS[@]}"; do
		service_known "$name" || continue
		status_line "$name"
		[ "$(state_of "$name")" = up ] || status=1
	done
	exit $status
}

# follow FILE...: new lines of all of them, each with the program's name.
follow() {
	local line name=${1%/current}
	tail -n 10 -F "$@" 2>/dev/null | while IFS= read -r line; do
		case $line in
		"==> "*"/current <==")
			name=${line%/current <==}
			continue
			;;
		'') continue ;;
		esac
		printf '%-18s  %s\n' "${name##*/}" "$line"
	done
}

# logs [-f] [program]: the last lines; of all programs merged by time.
cmd_logs() {
	local follow="" names=("${PROGRAMS[@]}") files=() name
	while [ $# -gt 0 ]; do
		case $1 in
		-f | --follow) follow=1 ;;
		-*) usage_error "logs: unknown option '$1'" ;;
		*) names=("$(program_name "$1")") ;;
		esac
		shift
	done
	for name in "${names[@]}"; do
		[ ! -e "$LOGS/$name/current" ] || files+=("$LOGS/$name/current")
	done
	[ ${#files[@]} -gt 0 ] || fail 69 "there are no logs in $LOGS yet"
	if [ -n "$follow" ]; then
		follow "${files[@]}"
	elif [ ${#files[@]} -eq 1 ]; then
		tail -n 200 "${files[0]}"
	else
		for name in "${files[@]}"; do
			tail -n 100 "$name"
		done | sort -s -k 1,2
	fi
}
