#!/bin/sh
# scripts/tracker as a supervisor, with small scripts in place of the programs: deaths, configuration errors, failures at start,
# settings and secrets on their way to the programs, two trackers side by side, a killed supervisor.
# only: plain
. "$(dirname "$0")/../lib.sh"
chmod 755 "$T"
tracker=$ROOT/scripts/tracker
DT_PORT=$(free_port)
# no database of its own: what PostgreSQL does under the script is for tracker_up.t
export DT_PORT DATABASE_URL=postgresql://nowhere/x INVENTORY_DATABASE_URL=postgresql://nowhere/y B="$T/fake"
trap '"$tracker" down >/dev/null 2>&1; DT_DATA=$T/second DT_RUN=$T/run2 "$tracker" down >/dev/null 2>&1; finish' EXIT

# What a program does here is told by files: $DT_DATA/<name>.code is its exit code at start.
mkdir -p "$T/fake/bin"
cat >"$T/fake/bin/dt-fanout" <<'EOF'
#!/bin/sh
name=${0##*/}
[ "$2" != inventory ] || name=$name-inventory
while [ "$1" != -R ]; do shift; done
echo "$name: hello" >&2
env >"$DT_RUN/$name.env"
[ ! -e "$DT_DATA/$name.code" ] || { echo "$name: fatal: told so" >&2; exit "$(cat "$DT_DATA/$name.code")"; }
exec 8<>"$DT_RUN/$name.fifo"
trap 'echo "$name: bye" >&2; exit 0' TERM
eval "echo >&$2"
while :; do read -r line <&8; done
EOF
chmod +x "$T/fake/bin/dt-fanout"
for p in dt-ingest dt-serve dt-store dt-sim; do ln "$T/fake/bin/dt-fanout" "$T/fake/bin/$p"; done
for p in dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-sim; do mkdir -p "$DT_RUN" && mkfifo "$DT_RUN/$p.fifo"; done

svc() { echo "$DT_DATA/service/$1"; }
pid() { s6-svstat -o pid "$(svc "$1")"; }
left() {
	for p in /proc/[0-9]*; do
		tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -E "$DT_DATA/service|$T/fake/bin/|s6-log .*$DT_DATA"
		readlink "$p/cwd" | grep "^$DT_DATA"
	done 2>/dev/null
}
# By s6, which knows the process: s6-svstat says -1 for the pid of what is down, and kill takes that for everybody.
kill_program() { s6-svc -k "$(svc "$1")"; }
state() { "$tracker" status | awk -v p="$1" '$1 == p { print $2 }'; }

# usage
status "unknown command" 64 "$tracker" explode
like "is named" "$(cat "$T/err")" "unknown command 'explode'; try"
status "unknown option of up" 64 "$tracker" up --dmeo
status "characters that are no number" 64 "$tracker" up --demo --characters many
status "too many arguments" 64 "$tracker" down now
status "no such program" 64 "$tracker" logs dt-nothing
status "help" 0 "$tracker" help
status "status when down" 69 "$tracker" status
status "restart when down" 69 "$tracker" restart
status "down when down" 0 "$tracker" down
status "a port that is no number" 78 env DT_PORT=http "$tracker" up --no-build
status "a port beyond all ports" 78 env DT_PORT=65536 "$tracker" up --no-build
status "a directory that is too long for sockets" 78 env DT_RUN="$T/$(printf '%0100d' 0)" "$tracker" up --no-build
like "what to do about it" "$(cat "$T/err")" "set DT_RUN to something short"

# settings from a file, as lib/env reads them
printf '%s\n' '# a comment' ' export DT_PORT="2\"34" # another' "DT_RUN='/tmp/a # b'" 'DT_DATA=/tmp/c d  # e' 'DT_PORT_NOT' >"$T/env"
is "quotes, escapes, comments" "$(env -u DT_PORT -u DT_RUN -u DT_DATA DT_ENV_FILE="$T/env" "$tracker" env | head -n 3 | tr '\n' ' ')" \
    'export DT_DATA=/tmp/c\ d export DT_RUN=/tmp/a\ #\ b export DT_PORT=2\"34 '
is "the environment comes first" "$(DT_ENV_FILE="$T/env" "$tracker" env | sed -n 3p)" "export DT_PORT=$DT_PORT"

# up
status "up" 0 env SHARED_SECRET=horse-battery-staple LOG_LEVEL=debug "$tracker" up --no-build --demo
[ "$tests_failed" = 0 ] || { "$tracker" logs | tail -n 30 | sed 's/^/# /'; done_testing; }
like "says where" "$(cat "$T/out")" "up: http://localhost:$DT_PORT/"
like "and how a plugin finds it" "$(cat "$T/out")" "ws://localhost:$DT_PORT/ws/position"
unlike "the secret stays out of what is no terminal" "$(cat "$T/out" "$T/err")" "horse-battery"
is "six programs are up" "$("$tracker" status | grep -c ' up ')" 6
like "secrets are private" "$(stat -c %a "$DT_DATA/secrets")" '^600$'
unlike "a secret that was given is not made" "$(cat "$DT_DATA/secrets")" SHARED_SECRET
like "one that was not is" "$(cat "$DT_DATA/secrets")" '^SECRET_KEY=[A-Za-z0-9_-]{43}$'
status "up again" 0 "$tracker" up --no-build --demo
like "says so" "$(cat "$T/out")" "already up"

# settings
like "a setting arrives" "$(cat "$DT_RUN/dt-serve.env")" "^LOG_LEVEL=debug$"
like "the directories too" "$(cat "$DT_RUN/dt-serve.env")" "^DT_RUN=$DT_RUN$"
unlike "a secret is in no environment" "$(cat "$DT_RUN"/*.env)" "horse-battery"
secret_file=$(sed -n 's/^SHARED_SECRET_FILE=//p' "$DT_RUN/dt-ingest.env")
is "but in a private file that is named" "$(cat "$secret_file") $(stat -c %a "$secret_file")" "horse-battery-staple 600"
is "what was set holds for later commands" "$(env -u DT_PORT "$tracker" plugin | awk '{ print $NF }' | tr '\n' ' ')" "ws://localhost:$DT_PORT/ws/position horse-battery-staple "
status "up with another setting" 0 env LOG_LEVEL=info "$tracker" up --no-build --demo
like "says how it comes into use" "$(cat "$T/out")" "already up, with another LOG_LEVEL; scripts/tracker restart takes"
status "which it does" 0 env LOG_LEVEL=info "$tracker" restart serve
is "beside all that was set before" "$(grep -hE '^(LOG_LEVEL|DT_PORT)=' "$DT_RUN/dt-serve.env" | sort | tr '\n' ' ')$(cat "$secret_file")" "DT_PORT=$DT_PORT LOG_LEVEL=info horse-battery-staple"
unlike "nothing else of the caller's environment" "$(cat "$DT_RUN/dt-serve.env")" "^(HOME|BIN|T)="
is "no core dumps, private files" "$(stat -c %a "$DT_RUN/dt-serve.env")" 600

# deaths
old=$(pid dt-store)
kill_program dt-store
ok "a killed program is back" wait_for '[ "$(state dt-store)" = up ] && [ "$(pid dt-store)" != "$old" ]'
is "and counted" "$("$tracker" status | awk '$1 == "dt-store" { print $5 }')" 1
echo 78 >"$DT_DATA/dt-store.code"
kill_program dt-store
ok "a configuration error ends it" wait_for '[ "$(state dt-store)" = failed ]'
status "status tells" 1 "$tracker" status
status "so does doctor" 1 "$tracker" doctor
like "what to look at" "$(cat "$T/out")" "^bad +dt-store: gave up on a configuration error; scripts/tracker logs dt-store"
n=$(s6-svdt "$(svc dt-store)" | wc -l)
status "restart reports what still fails" 69 "$tracker" restart store
like "with its last lines" "$(cat "$T/err")" "dt-store: fatal: told so"
is "after one try" "$(s6-svdt "$(svc dt-store)" | wc -l)" $((n + 1))
rm "$DT_DATA/dt-store.code"
status "restart after it was mended" 0 "$tracker" restart dt-store
echo 69 >"$DT_DATA/dt-sim.code"
status "a service that is away is tried again" 69 "$tracker" restart sim
like "and reported" "$(cat "$T/err")" "dt-sim does not stay up \(exitcode 69\), s6 goes on trying"
n=$(s6-svdt "$(svc dt-sim)" | wc -l)
ok "by itself" wait_for '[ "$(s6-svdt "$(svc dt-sim)" | wc -l)" -gt "$n" ]' 20
is "the others did not notice" "$("$tracker" status | grep -c ' up ')" 5
rm "$DT_DATA/dt-sim.code"
ok "until it is there" wait_for '[ "$(state dt-sim)" = up ]'

# the pauses between quick deaths: finish with a death tally of ours, seconds after which each death came
pause_after() {
	(
		at=$((0x6b031000))
		for gap; do
			at=$((at + gap))
			printf '@40000000%08x00000000 exitcode 1\n' $at
		done >"$T/finish/tally"
		PATH=$T/finish:$PATH "$ROOT/scripts/service/finish" 1 0 x
	)
}
mkdir "$T/finish"
printf '#!/bin/sh\ncat "%s"\n' "$T/finish/tally" >"$T/finish/s6-svdt"
printf '#!/bin/sh\necho "${WANTED:-true}"\n' >"$T/finish/s6-svstat"
printf '#!/bin/sh\necho "$1"\n' >"$T/finish/sleep"
chmod +x "$T/finish"/s6-* "$T/finish/sleep"
is "the first death" "$(pause_after 0)" 0.1
is "the second" "$(pause_after 0 1)" 0.2
is "the sixth" "$(pause_after 0 1 1 1 2 3)" 3.2
is "the ninth" "$(pause_after 0 1 1 1 2 3 6 6 6)" 5
is "a death after half a minute up" "$(pause_after 0 1 1 1 2 3 6 40)" 0.1
is "and a quick one after that" "$(pause_after 0 1 1 1 2 3 6 40 1)" 0.2
is "no pause when it is to be down" "$(WANTED=false pause_after 0 1 1 1)" ""
for code in 64 77 78; do
	status "exit code $code is final" 125 "$ROOT/scripts/service/finish" $code 0 x
done

# restart, logs, doctor
old=$(pid dt-ingest)
status "restart one" 0 "$tracker" restart ingest
ok "it is another process" [ "$(pid dt-ingest)" != "$old" ]
ok "what it said is kept" wait_for '"$tracker" logs ingest | grep -Eq "^[0-9-]+ [0-9:.]+  dt-ingest: bye"'
all_logs() { "$tracker" logs | awk '{ print $3 }' | sort -u | tr '\n' ' '; }
wait_for 'all_logs | grep -q "dt-fanout: dt-ingest: dt-serve: dt-sim: dt-store-inventory: dt-store:"'
like "all in one" "$(all_logs)" "dt-fanout: dt-ingest: dt-serve: dt-sim: dt-store-inventory: dt-store:"
start_plain follow "$tracker" logs -f
ok "logs -f begins with the last lines" wait_for 'grep -q "^dt-sim  .*dt-sim: hello" "$T/follow.out"'
"$tracker" restart sim >/dev/null
ok "and goes on" wait_for 'grep -q "^dt-sim  .*dt-sim: bye" "$T/follow.out"'
stop follow
chmod 644 "$DT_DATA/secrets"
status "doctor: secrets that others can read" 1 env DATABASE_URL= "$tracker" doctor
like "and how to mend it" "$(cat "$T/out")" "^bad +secrets: .* has mode 644; chmod 600 "
chmod 600 "$DT_DATA/secrets"
like "doctor: a setting nobody knows" "$(DT_PROT=1 "$tracker" doctor)" "^warn +settings: nobody knows DT_PROT;"

# a second tracker
taken=$(free_port)
start_plain web nc -lk 127.0.0.1 "$taken"
ok "a port is taken" wait_for 'nc -z 127.0.0.1 "$taken"'
status "up says so" 69 env DT_DATA="$T/second" DT_RUN="$T/run2" DT_PORT="$taken" "$tracker" up --no-build
like "with a way out" "$(cat "$T/err")" "somebody listens on port $taken already; DT_PORT=$((taken + 1)) scripts/tracker up"
mkdir -p "$T/run2"
for p in dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-health dt-alertd; do mkfifo "$T/run2/$p.fifo"; done
for p in dt-health dt-alertd; do ln "$T/fake/bin/dt-fanout" "$T/fake/bin/$p"; done
port2=$(free_port)
status "another port is fine" 0 env DT_DATA="$T/second" DT_RUN="$T/run2" DT_PORT="$port2" "$tracker" up --no-build
second_up() { DT_DATA=$T/second DT_RUN=$T/run2 "$tracker" status | awk '$2 == "up" { print $1 }' | tr '\n' ' '; }
is "a game server that nobody named is not watched" "$(second_up)" "dt-fanout dt-ingest dt-serve dt-store dt-store-inventory "
status "one is named" 0 env DT_DATA="$T/second" DT_RUN="$T/run2" DT_PORT="$port2" DT_GAME_SERVER=X DT_GAME_ADDRESS=localhost:9 "$tracker" up --no-build
is "it is watched" "$(second_up)" "dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-health "
like "under its name" "$(cat "$T/run2/dt-health.env")" "^DT_GAME_SERVER=X$"
mkdir "$T/second/rules.d" && touch "$T/second/rules.d/x.rule"
status "a rule is written" 0 env DT_DATA="$T/second" DT_RUN="$T/run2" DT_PORT="$port2" "$tracker" up --no-build
is "it is applied" "$(second_up)" "dt-fanout dt-ingest dt-serve dt-store dt-store-inventory dt-health dt-alertd "
status "its end" 0 env DT_DATA="$T/second" DT_RUN="$T/run2" "$tracker" down
is "does nothing to the first" "$("$tracker" status | grep -c ' up ')" 6

# the supervisor itself
supervisor=$(cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == "(s6-svscan)" { print $1 }' | while read -r p; do
	tr '\0' ' ' <"/proc/$p/cmdline" | grep -q " $DT_DATA/service " && echo "$p"
done)
case $supervisor in '' | *[!0-9]*) fail "there is one supervisor: '$supervisor'" ;; *) kill -9 "$supervisor" ;; esac
ok "a killed supervisor is noticed" wait_for '! "$tracker" status >/dev/null'
like "status says what to do" "$("$tracker" status)" "the supervisor has gone, programs run on without it; scripts/tracker up"
status "up after that" 0 "$tracker" up --no-build --demo
is "has each program once" "$(left | grep -c 'dt-fanout -R 3')" 1
status "down" 0 "$tracker" down
is "leaves no process" "$(left)" ""

# at the first start
echo 78 >"$DT_DATA/dt-ingest.code"
status "a program that cannot start fails up" 69 "$tracker" up --no-build
like "which tells why" "$(cat "$T/err")" "dt-ingest gave up \(exitcode 78\).*its last lines:"
like "in its own words" "$(cat "$T/err")" "    dt-ingest: fatal: told so"
is "the others are there" "$("$tracker" status | grep -c ' up ')" 4
rm "$DT_DATA/dt-ingest.code"
status "up mends it" 0 "$tracker" up --no-build
is "all are there" "$("$tracker" status | grep -c ' up ')" 5
old=$(pid dt-fanout)
status "up --demo adds a fleet to what is up" 0 "$tracker" up --no-build --demo
is "and touches nothing else" "$("$tracker" status | grep -c ' up ') $(pid dt-fanout)" "6 $old"
status "down again" 0 "$tracker" down

# at a terminal, which then closes
script -qec "'$tracker' up --no-build" /dev/null >"$T/terminal" </dev/null
like "an operator at a terminal sees the secret" "$(cat "$T/terminal")" "Secret +$(sed -n 's/^SHARED_SECRET=//p' "$DT_DATA/secrets")"
is "and what was started outlives the terminal" "$("$tracker" status | grep -c ' up ')" 5
"$tracker" down >/dev/null

# as another supervisor wants it
start_plain foreground "$tracker" up --no-build --foreground
ok "in the foreground" wait_for 'grep -q "tracker: up:" "$T/foreground.out"'
is "five programs are up" "$("$tracker" status | grep -c ' up ')" 5
stop foreground
is "SIGTERM takes all down" "$? $(left)" "0 "
echo 69 >"$DT_DATA/dt-serve.code"
start_plain starting "$tracker" up --no-build --foreground
ok "while it starts, or where not all do" wait_for 'grep -q "tracker: dt-ingest is ready" "$T/starting.out"'
stop starting
is "too" "$? $(left)" "0 "
status "so nothing is left to do" 0 "$tracker" down
like "as it says" "$(cat "$T/out")" "already down"
done_testing
