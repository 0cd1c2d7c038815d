#!/bin/sh
# make install puts programs, manuals and data where an operator expects them; make uninstall takes all of it away again.
# only: plain
. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2317 # called by ok
run_make() { make -C "$ROOT" --no-print-directory B="$B" DESTDIR="$T/dest" PREFIX=/usr "$@"; }
# an older make's work is not redone: the version may have moved on since
ok 'installs' run_make -o all install
for p in "$BIN"/dt-*; do
	p=${p##*/}
	ok "$p is there" [ -x "$T/dest/usr/bin/$p" ]
	ok "$p has a manual" sh -c 'ls "$1"/usr/share/man/man*/"$2".*' sh "$T/dest" "$p"
done
ok 'an installed program runs' "$T/dest/usr/bin/dt-tap" --version
ok 'the migrations are there' [ -s "$T/dest/usr/share/dt/sql/dereth/001_series.sql" ]
ok 'the pages are there' [ -s "$T/dest/usr/share/dt/static/classic/index.html" ]
ok 'the contract is there' diff -r "$ROOT/static/contract" "$T/dest/usr/share/dt/static/contract"
is 'nothing is writable by others' "$(find "$T/dest/usr" -type f -perm /022)" ""
ok 'uninstalls' run_make uninstall
is 'nothing is left' "$(find "$T/dest" -type f)" ""
done_testing
