# Which packages of scripts/packages are missing, and installing them.
# shellcheck shell=bash

# Is the thing there that a package is for: a command, a file, or a PostgreSQL that is new enough?
probe() {
	local want=$1 f
	case $want in
	postgresql) pg_bindir >/dev/null ;;
	/*)
		for f in $want; do [ -e "$f" ] && return 0; done
		return 1
		;;
	*) command -v "$want" >/dev/null ;;
	esac
}

# missing_packages STAGE...: the names, one a line.
missing_packages() {
	local stage package want
	while read -r stage package want; do
		case " $* " in *" $stage "*) probe "$want" || echo "$package" ;; esac
	done < <(sed '/^#/d;/^$/d' "$ROOT/scripts/packages")
}

install_command() {
	echo "apt-get install -y --no-install-recommends $*"
}

# Installing must start no service and make no PostgreSQL cluster of Debian's own.
apt_install() {
	local guard=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf made=""
	export DEBIAN_FRONTEND=noninteractive
	if [ ! -e $guard ]; then
		printf '#!/bin/sh\nexit 101\n' >$guard
		chmod 755 $guard
		made=1
	fi
	if [ ! -e $cluster ]; then
		mkdir -p "${cluster%/*}"
		echo "create_main_cluster = false" >$cluster
	fi
	local status=0 try
	for try in 1 2 3 4 5; do
		status=0
		{ apt-get -q -o Acquire::Retries=3 update && apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
			install --no-install-recommends "$@"; } || status=$?
		# a mirror that is away, or lists that somebody else is just getting
		if [ "$status" -eq 0 ] || [ "$try" -ge 5 ]; then break; fi
		sleep $((try * 5))
	done
	[ -z "$made" ] || rm -f $guard
	return $status
}

# need_packages STAGE...: installs what is missing as root; anybody else is told the one command.
need_packages() {
	local missing log
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		warn "${#missing[@]} packages are missing: ${missing[*]}"
		fail 69 "as root, this installs them:  $(install_command "${missing[@]}")"
	fi
	log=$(mktemp)
	step "installing ${#missing[@]} packages (${missing[*]})" "$log" apt_install "${missing[@]}" || exit 69
	rm -f "$log"
	hash -r
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -eq 0 ] || fail 69 "installed, but still not found: ${missing[*]}"
}
