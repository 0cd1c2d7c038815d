#!/bin/sh
# What bash completes for the programs and for scripts/tracker.
# only: plain
. "$(dirname "$0")/../lib.sh"

# completes FUNCTION COMMAND WORD PREVIOUS
completes() {
	bash -c '. "$ROOT/scripts/completion.bash"; "$@"; printf "%s " "${COMPREPLY[@]}"' bash "$@"
}

is "an option's long name" "$(completes _dt dt-tap --cond dt-tap)" "--condition "
is "all of them" "$(completes _dt dt-tap -- dt-tap | tr ' ' '\n' | sed '/^$/d' | sort)" "$(dt-tap -h | grep -oE '^ .{0,5}--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort)"
is "a command" "$(completes _tracker "$ROOT/scripts/tracker" re scripts/tracker)" "restart restore "
is "a program" "$(completes _tracker "$ROOT/scripts/tracker" dt-s restart)" "dt-serve dt-store dt-store-inventory dt-sim "
is "an option of up" "$(completes _tracker "$ROOT/scripts/tracker" --de up)" "--demo "
touch "$T/one.tar.zst"
is "the file of a backup" "$(completes _tracker "$ROOT/scripts/tracker" "$T/on" restore)" "$T/one.tar.zst "
is "its option" "$(completes _tracker "$ROOT/scripts/tracker" --f restore)" "--force "
done_testing
