#!/bin/sh
# Every shell script of the project passes shellcheck; every script that is meant to be run may be.
# only: plain
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

git ls-files >"$T/files"
while read -r f; do
	[ -f "$f" ] || continue
	case $f in
	*.sh | *.bash) ;;
	*) head -n 1 "$f" | grep -aqE '^#!.*[ /](ba)?sh$' || continue ;;
	esac
	echo "$f"
done <"$T/files" >"$T/scripts"
ok "there are scripts to check" grep -q scripts/tracker "$T/scripts"
while read -r f; do
	case $f in
	# sourced by others, which set and use its variables and arguments
	scripts/*.bash | scripts/tracker.d/* | tests/*.sh) ok "shellcheck $f" shellcheck -e SC2034,SC2154 "$f" ;;
	# conditions of wait_for are evaluated later, with the variables and functions in them; what they source is checked by itself
	tests/*.t)
		ok "shellcheck $f" shellcheck --norc -e SC1091,SC2129,SC2016,SC2317,SC2034,SC2154,SC2119,SC2120 "$f"
		ok "$f may be run" [ -x "$f" ]
		;;
	*)
		ok "shellcheck $f" shellcheck "$f"
		ok "$f may be run" [ -x "$f" ]
		;;
	esac
done <"$T/scripts"
done_testing
