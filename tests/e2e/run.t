#!/bin/sh
# What adds up the tests (tests/run): a failure is never lost, and a second chance is seen.
# only: plain
. "$(dirname "$0")/../lib.sh"

# a_test NAME SCRIPT
a_test() {
	printf '#!/bin/sh\n%s\n' "$2" >"$T/$1"
	chmod +x "$T/$1"
}

# run WANT NAMES [OPTION]: the exit status, with what it said in $T/out
run() {
	TESTS=
	for _n in $2; do TESTS="$TESTS $T/$_n"; done
	export TESTS
	status "$3${3:+ }$2: exit status $1" "$1" "$ROOT/tests/run" -j 2 -b "$B" ${3:+"$3"}
	said=$(tail -n 1 "$T/out")
}

a_test good 'echo "ok 1 - a"; echo "ok 2 - b # SKIP no moon"; echo 1..2'
a_test bad 'echo "ok 1 - a"; echo "not ok 2 - b is blue"; echo 1..2; exit 1'
a_test short 'echo "ok 1 - a"; echo 1..2'
a_test dies 'echo "ok 1 - a"; echo 1..1; kill -9 $$'
a_test silent ':'
for n in 1 2 3 4; do
	a_test "once$n" "if [ -e $T/was$n ]; then echo 'ok 1 - c'; else echo 'not ok 1 - c was odd'; fi; echo 1..1; [ -e $T/was$n ] || { : >$T/was$n; exit 1; }"
done

run 0 good
is 'passed' "$said" '2 passed, 0 failed'
like 'what was skipped is said' "$(cat "$T/out")" 'SKIP no moon'
run 1 'good bad'
is 'one check fails' "$said" '3 passed, 1 failed'
is 'it was tried twice, and shown each time' "$(grep -c 'not ok 2 - b is blue' "$T/out")" 2
for t in short dies silent; do
	run 1 $t
	like "what ends oddly has failed" "$said" ' 1 failed$'
done
run 0 'good once1'
is 'a second chance' "$said" '3 passed, 0 failed'
like 'the first failure is shown' "$(cat "$T/out")" 'c was odd'
like 'and named at the end' "$(tail -n 4 "$T/out")" "UNSURE: .*once1 .* failed at first and passed alone"
rm "$T"/was?
run 1 'good once1' -s
is 'none when strict' "$said" '2 passed, 1 failed'
rm "$T"/was?
run 1 'once1 once2 once3 once4'
is 'none when many fail' "$said" '0 passed, 4 failed'
done_testing
