#!/bin/sh
# dt-events(5) has every type of event_types.def as a heading and every reason of event_errors.def in its list, and no others.
# only: plain
. "$(dirname "$0")/../lib.sh"
page=$ROOT/man/dt-events.5

# first argument of every row of a table
rows() { sed -n "s/^$1([A-Z_0-9, ]*\"\([a-z_0-9]*\)\".*/\1/p" "$2" | sort; }

rows EVENT_TYPE "$ROOT/lib/event/event_types.def" >"$T/types"
ok 'the list of types can be read' test "$(wc -l <"$T/types")" -gt 30
sed -n '/^\.Sh EVENTS OF PLUGINS/,/^\.Sh EXAMPLES/s/^\.Ss \([a-z].*\)/\1/p' "$page" | sed 's/ and /\n/g; s/, /\n/g' | sort >"$T/headings"
is 'types and headings agree' "$(diff "$T/types" "$T/headings")" ''

rows EVENT_ERROR "$ROOT/lib/event/event_errors.def" >"$T/words"
ok 'the list of reasons can be read' test "$(wc -l <"$T/words")" -gt 10
sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It Li //p' "$page" | sort >"$T/listed"
is 'reasons and their list agree' "$(diff "$T/words" "$T/listed")" ''
done_testing
