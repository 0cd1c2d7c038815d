#!/bin/sh
# Questions to the database that take long delay nobody else, not the stream either; they end after 5 seconds, and when the asker leaves.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"

pg_start
fanout_start
start store dt-store
serve_start
warm
browser b
walk Larsson 1 2
wait_for '[ "$(sql "select count(*) from telemetry_events")" = 1 ]'
wait_for '[ "$(code /spawns/heatmap)" = 200 ]'
running() { sql "select count(*) from pg_stat_activity where application_name = 'dt-serve' and state = 'active' and wait_event_type = 'Lock'"; }

# a session that holds tables shut
mkfifo "$T/hold"
start_plain holder psql -X -q -h "$DT_RUN/pg" -U dereth -d dereth -f "$T/hold"
exec 8>"$T/hold"
echo 'begin; lock dt.rares in access exclusive mode; select 1;' >&8
wait_for '[ -s "$T/holder.out" ]'

answered() { grep -q '^HTTP' "$T/$1$2"; }
# run_at_once N NAME PATH COUNT: as many of COUNT that ask run; what takes 5 seconds may be over before it is looked at, and is then asked again
run_at_once() {
	_n=$(running)
	[ "$_n" -le "$(cat "$T/most.$2" 2>/dev/null || echo 0)" ] || echo "$_n" >"$T/most.$2"
	[ "$_n" != "$1" ] || return 0
	for _i in $(seq "$4"); do answered "$2" "$_i" || return 1; done
	for _i in $(seq "$4"); do rm -f "$T/$2$_i"; slow 100 "$T/$2$_i" "$3"; done
	return 1
}
# slow SECONDS FILE PATH: asks in the background
slow() {
	curl -s -m "$1" -o /dev/null -D "$2" "$URL$3" &
	children="$children $!"
}
for n in 1 2 3 4 5; do slow 100 "$T/slow$n" /rares; done
ok 'all connections are busy' wait_for 'run_at_once 4 slow /rares 5'
is 'what is live answers' "$(code /live) $(code /trails) $(code /portals) $(code /spawns/heatmap) $(code /vital-sharing/peers) $(code /healthz)" '200 200 200 200 200 200'
walk Larsson 3 4
ok 'F48: the stream goes on' hears b '"ew":3,"ns":4'
for n in 1 2 3 4; do ok "F48: a slow one is ended ($n)" wait_for "grep -q '^HTTP/1.1 503' '$T/slow$n'" 12; done
is 'with a word' "$(tr -d '\r' <"$T/slow1" | sed -n 's/^retry-after: //p')" 30
ok 'and so is the one that waited' wait_for "grep -q '^HTTP/1.1 503' '$T/slow5'" 12
echo 'commit; begin; lock dt.telemetry, dt.rares in access exclusive mode; select 2;' >&8
wait_for 'grep -q 2 "$T/holder.out"'

# long ones leave a connection for quick ones
for n in 1 2 3 4; do slow 100 "$T/long$n" /history; done
ok 'three long ones run' wait_for 'run_at_once 3 long /history 4'
is 'and no more' "$(cat "$T/most.long")" 3
is 'F48: a quick one does not wait for them' "$(code /combat-stats)" 200

# who leaves takes his question with him
echo 'commit; begin; lock dt.rares in access exclusive mode; select 3;' >&8
for n in 1 2 3 4; do ok "the long ones are answered ($n)" wait_for "grep -Eq '^HTTP/1.1 (200|503)' '$T/long$n'"; done
# (the server says why it ends a question: after 5 seconds it would be for its time)
cancelled() { grep -c 'canceling statement due to user request' "$T/pg.log"; }
leaves() {
	rm -f "$T/left"
	slow 100 "$T/left" /rares
	_asker=$!
	wait_for '[ "$(running)" = 1 ] || answered left ""'
	kill "$_asker"
	wait_for '[ "$(running)" = 0 ]'
	[ "$(cancelled)" -gt "$before" ]
}
before=$(cancelled)
ok 'F48: a question ends when the asker leaves' wait_for leaves
echo 'commit;' >&8
exec 8>&-
is 'all is well again' "$(code /rares) $(code /history)" '200 200'

stop store
done_testing
