#!/bin/sh
# Every shell script of the project passes shellcheck; every script that is meant to be run may be.
# only: plain
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

git ls-files >"$T/files"
while read -r f; do
	[ -f "$f" ] || continue
	case $f in
	*.sh) ;;
	*) head -n 1 "$f" | grep -aqE '^#!.*[ /](ba)?sh$' || continue ;;
	esac
	echo "$f"
done <"$T/files" >"$T/scripts"
ok "there are scripts to check" grep -q scripts/tracker "$T/scripts"
while read -r f; do
	case $f in
	# sourced by others, which set and use its variables
	scripts/tracker.d/* | tests/lib.sh | tests/pg.sh | tests/ingest.sh) ok "shellcheck $f" shellcheck -e SC2034,SC2154 "$f" ;;
	*)
		# conditions of wait_for are evaluated later
		ok "shellcheck $f" shellcheck -e SC2016,SC2317 "$f"
		ok "$f may be run" [ -x "$f" ]
		;;
	esac
done <"$T/scripts"
done_testing
