# Settings as lib/env reads them: environment, NAME_FILE, .env, $DT_DATA/secrets, default of settings.def.
# shellcheck shell=bash

declare -A DOTENV=() SECRETS=() FALLBACK=() IS_SECRET=()
SETTING_NAMES=() CHANGED=()

read_settings_def() {
	local line re='^SETTING\("([A-Z_]+)", "([^"]*)", ([01]), "(.*)"\)$'
	while IFS= read -r line; do
		[[ $line =~ $re ]] || continue
		SETTING_NAMES+=("${BASH_REMATCH[1]}")
		FALLBACK[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
		IS_SECRET[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
	done <"$ROOT/lib/env/settings.def"
}

# unquote TEXT: plain up to " #", 'literal' or "with escapes".
unquote() {
	local text=$1 single="^'([^']*)'" double='^"((\\.|[^"\\])*)"'
	if [[ $text =~ $single ]]; then
		printf '%s' "${BASH_REMATCH[1]}"
	elif [[ $text =~ $double ]]; then
		printf '%b' "${BASH_REMATCH[1]//\\\"/\"}"
	else
		text=${text%%[[:blank:]]#*}
		printf '%s' "${text%"${text##*[![:space:]]}"}"
	fi
}

# read_env_file FILE ARRAY: fills the array named with the lines NAME=value.
read_env_file() {
	local line re='^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$'
	local -n into=$2
	[ -r "$1" ] || return 0
	while IFS= read -r line || [ -n "$line" ]; do
		line=${line%$'\r'}
		# shellcheck disable=SC2034,SC2004  # into is the caller's array, indexed by names
		[[ $line =~ $re ]] && into[${BASH_REMATCH[2]}]=$(unquote "${BASH_REMATCH[3]}")
	done <"$1"
	return 0
}

# setting NAME: its value, "" when unset.
setting() {
	local name=$1 file=${1}_FILE
	if [ -n "${!name:-}" ]; then
		printf '%s' "${!name}"
	elif [ -n "${!file:-}" ]; then
		cat "${!file}"
	else
		printf '%s' "${DOTENV[$name]:-${SECRETS[$name]:-${FALLBACK[$name]:-}}}"
	fi
}

absolute() {
	case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$PWD/$1" ;; esac
}

# running_setting NAME: what the running programs were started with, from what s6-envdir reads.
running_setting() {
	local dir=$SERVICES/.environment
	if [ -e "$dir/$1" ]; then
		cat "$dir/$1"
	elif [ -e "$dir/${1}_FILE" ]; then
		cat "$(<"$dir/${1}_FILE")"
	else
		printf '%s' "${DOTENV[$1]:-${SECRETS[$1]:-${FALLBACK[$1]}}}"
	fi
}

# What was set for the tracker that runs holds for every command until down, but for what is set anew.  CHANGED: what that is.
inherit_settings() {
	local name file path dir=$SERVICES/.environment
	[ -d "$dir" ] && any_supervised || return 0
	for name in "${SETTING_NAMES[@]}"; do
		file=${name}_FILE
		if [ -n "${!name:-}${!file:-}" ]; then
			[ "$(running_setting "$name")" = "$(setting "$name")" ] || CHANGED+=("$name")
		elif [ -e "$dir/$name" ]; then
			export "$name=$(<"$dir/$name")"
		elif [ -e "$dir/$file" ]; then
			path=$(<"$dir/$file")
			# a copy of ours goes with the service directories; it is kept in mind, but not for programs to see
			case $path in "$SERVICES"/*) printf -v "$name" '%s' "$(<"$path")" ;; *) export "$file=$path" ;; esac
		fi
	done
}

load_env_file() {
	ENV_FILE=${DT_ENV_FILE:-$ROOT/.env}
	DOTENV=()
	read_env_file "$ENV_FILE" DOTENV
}

load_settings() {
	read_settings_def
	load_env_file
	DATA=$(setting DT_DATA)
	DATA=$(absolute "${DATA:-$ROOT/var}")
	SERVICES=$DATA/service
	read_env_file "$DATA/secrets" SECRETS
	if [ -z "${DT_ENV_FILE:-}" ] && [ -e "$SERVICES/.environment/DT_ENV_FILE" ] && any_supervised; then
		DT_ENV_FILE=$(<"$SERVICES/.environment/DT_ENV_FILE")
		export DT_ENV_FILE
		load_env_file
	fi
	export DT_DATA=$DATA
	[ -z "${DT_RUN:-}" ] || DT_RUN=$(absolute "$DT_RUN")
	inherit_settings
	RUN=$(setting DT_RUN)
	RUN=$(absolute "${RUN:-$DATA/run}")
	PORT=$(setting DT_PORT)
	LOGS=$DATA/logs
}

random_key() {
	head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
}

# What nobody has set is made once and kept in $DT_DATA/secrets.
make_secrets() {
	local name file=$DATA/secrets
	for name in SHARED_SECRET SECRET_KEY; do
		[ -z "$(setting $name)" ] || continue
		[ -e "$file" ] || (umask 077 && echo "# Made by scripts/tracker up; read by the programs.  Keep it private." >"$file")
		chmod 600 "$file"
		echo "$name=$(random_key)" >>"$file"
		say "$name made, in $file"
	done
	read_env_file "$file" SECRETS
}
