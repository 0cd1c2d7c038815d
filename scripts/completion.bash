# Completion for bash:  . scripts/completion.bash   Options come from each program's own -h, so there is no second list of them.
# shellcheck shell=bash

_dt() {
	local words
	COMPREPLY=()
	[[ $2 == -* ]] || { mapfile -t COMPREPLY < <(compgen -f -- "$2"); return; }
	words=$("$1" -h 2>/dev/null | grep -oE -- '^ +(-[A-Za-z0-9], +)?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+')
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
}

_tracker() {
	local words=""
	case $3 in
	*tracker) words=$("$1" help | sed -n 's/^  \([a-z]*\) .*/\1/p') ;;
	restart | logs) words="postgres dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-health dt-alertd dt-sim -f" ;;
	backup | restore | --with-secrets | --force)
		case $2 in -*) words="--with-secrets --force" ;; *) mapfile -t COMPREPLY < <(compgen -f -- "$2"); return ;; esac
		;;
	audit | --scratch | --replay) words="--scratch --replay" ;;
	up | --*) words="--demo --characters --no-build --foreground" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
}

complete -F _dt dt-alertd dt-fanout dt-health dt-ingest dt-replay dt-send dt-serve dt-sim dt-store dt-tap dt-user
complete -F _tracker scripts/tracker ./scripts/tracker tracker
