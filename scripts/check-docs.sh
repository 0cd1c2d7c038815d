#!/bin/sh
# Do the documents say what the programs do?  Every option of `dt-x -h` in the program's manual and every option there in -h,
# every setting in .env.example with its default, every event type in dt-events(5), every field of item searches in dt-items(5), every
# program in the README.
#
#   scripts/check-docs.sh                 a line per mistake; exit 1 when there is one.  BIN names the programs (build/bin)
#   scripts/check-docs.sh --env-example   what .env.example has to be, from lib/env/settings.def
set -u
cd "$(dirname "$0")/.." || exit 1
BIN=${BIN:-${B:-build}/bin}
wrong=0

complain() {
	echo "$*"
	wrong=1
}

env_example() {
	cat <<-'TEXT'
		# Settings of the Dereth Tracker.  Nothing here has to be set: copy this file to .env (mode 0600), and uncomment what you want
		# to change.  The environment comes before this file; NAME_FILE=path takes any of them from a file.
		# Lines are NAME=value, 'literal' or "with \n \" \\ escapes"; nothing is expanded.
	TEXT
	sed -n 's/^SETTING("\([A-Z_]*\)", "\([^"]*\)", [01], "\(.*\)")$/\n# \3\n#\1=\2/p' lib/env/settings.def
}

# The options of a program's help: "-x" and "--long" at the beginning of its lines.
help_options() {
	"$BIN/$1" -h | sed -n 's/^ *\(-[A-Za-z0-9]\)\{0,1\},\{0,1\} *\(--[a-z0-9-]*\)\{0,1\}.*/\1 \2/p' | tr ' ' '\n' | grep '^-' | sort -u
}

# The options of a page: ".It Fl x , Fl -long Ar arg", ".It Fl x , -long".
page_options() {
	awk '/^\.It Fl / {
		for (i = 3; i <= NF; i++) {
			if ($i ~ /^(Ar|Ns|Op|Oo|Cm)$/) break
			if ($i != "," && $i != "Fl") print "-" $i
		}
	}' "$1" | sed 's/\\-/-/g' | sort -u
}

check_program() {
	page=$(ls man/"$1".[1-8] 2>/dev/null)
	[ -n "$page" ] || { complain "$1 has no manual page"; return; }
	page_options "$page" >"$tmp/page"
	help_options "$1" >"$tmp/help"
	for o in $(comm -13 "$tmp/page" "$tmp/help"); do complain "$page does not tell of $o"; done
	for o in $(comm -23 "$tmp/page" "$tmp/help"); do complain "$page tells of $o, which $1 -h does not list"; done
	grep -q "$1" README.md || complain "README.md does not name $1"
}

check_events() {
	[ -f man/dt-events.5 ] || { complain "man/dt-events.5 is missing"; return; }
	sed -n 's/^EVENT_TYPE("\([a-z_0-9]*\)".*/\1/p' lib/event/event_types.def >"$tmp/types"
	while read -r t; do
		grep -qw "$t" man/dt-events.5 || complain "man/dt-events.5 does not tell of the event type $t"
	done <"$tmp/types"
}

# The fields of item searches with their short names.
check_items() {
	[ -f man/dt-items.5 ] || { complain "man/dt-items.5 is missing"; return; }
	sed -n 's/^FIELD([A-Z_]*, "\([a-z_]*\)", "\([a-z_ ]*\)".*/\1 \2/p' lib/itemq/fields.def | tr ' ' '\n' | sort -u >"$tmp/fields"
	while read -r f; do
		[ -z "$f" ] || grep '^\.\(It \)\{0,1\}Cm ' man/dt-items.5 | grep -qw "$f" || complain "man/dt-items.5 does not tell of the field $f"
	done <"$tmp/fields"
}

if [ "${1:-}" = --env-example ]; then
	env_example
	exit
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
env_example >"$tmp/env"
cmp -s "$tmp/env" .env.example || complain ".env.example differs from lib/env/settings.def; scripts/check-docs.sh --env-example >.env.example mends it"
for p in cmd/dt-*; do check_program "${p#cmd/}"; done
check_events
check_items
exit $wrong
