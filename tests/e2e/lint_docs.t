#!/bin/sh
# The manuals pass mandoc's check, and documents say what the programs do (scripts/check-docs.sh).
# only: plain
. "$(dirname "$0")/../lib.sh"
cd "$ROOT" || exit 1

for page in man/*.[1-8]; do
	ok "mandoc -Tlint $page" mandoc -Tlint -W warning "$page"
done
ok "options, settings, event types and programs are documented" env BIN="$BIN" scripts/check-docs.sh
sed -n "s/^\(F[0-9][0-9]\)  .*/\1/p" tests/faults.txt >"$T/cases"
while read -r case; do
	ok "$case has a test of its name" grep -rqE "\<$case(_|\>)" tests/e2e tests/unit tests/browser/*.mjs
done <"$T/cases"

# a check that finds nothing may be one that looks at nothing
mkdir -p "$T/x/scripts" "$T/x/lib/env" "$T/x/lib/event" "$T/x/lib/itemq" "$T/x/man" "$T/x/cmd/dt-x" "$T/x/bin"
cp scripts/check-docs.sh "$T/x/scripts"
cp lib/env/settings.def "$T/x/lib/env"
cp lib/event/event_types.def "$T/x/lib/event"
cp lib/itemq/fields.def "$T/x/lib/itemq"
printf '#!/bin/sh\necho "usage: dt-x"; echo "  -k, --count n  stop"; echo "      --long  x"\n' >"$T/x/bin/dt-x"
chmod +x "$T/x/bin/dt-x"
printf '.It Fl k , Fl -count Ar n\n.It Fl z\n' >"$T/x/man/dt-x.1"
touch "$T/x/man/dt-events.5" "$T/x/man/dt-items.5" "$T/x/README.md"
status "a document that is wrong is found" 1 env BIN=bin "$T/x/scripts/check-docs.sh"
like "an option without text" "$(cat "$T/out")" "man/dt-x.1 does not tell of --long"
like "an option that is not there" "$(cat "$T/out")" "man/dt-x.1 tells of -z"
unlike "an option that is there" "$(cat "$T/out")" "tell of --count"
like "an event type" "$(cat "$T/out")" "does not tell of the event type telemetry"
like "a field of item searches" "$(cat "$T/out")" "does not tell of the field armor"
like "the settings" "$(cat "$T/out")" ".env.example differs"
like "a program" "$(cat "$T/out")" "README.md does not name dt-x"
done_testing
