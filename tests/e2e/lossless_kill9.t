#!/bin/sh
# dt-fanout, dt-store, dt-serve and PostgreSQL are killed with -9 under load: what dt-ingest accepted is in the journal once and in the database once.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"

ROUNDS=${ROUNDS:-8}
RATE=${RATE:-1500}
SEED=${SEED:-$$}
diag "SEED=$SEED ROUNDS=$ROUNDS RATE=$RATE"
SHARED_SECRET=5d1c77b2a1f0
DT_PORT=$(free_port)
export SHARED_SECRET DT_PORT

pg_start durable || exit 1
run_fanout() { start fanout dt-fanout; }
run_store() { start store dt-store --sink telemetry; }
run_serve() { start serve dt-serve; }
ok 'dt-fanout starts' run_fanout
ok 'dt-ingest starts' start ingest dt-ingest
ok 'dt-store starts' run_store
ok 'dt-serve starts' run_serve
ok 'the fleet connects' start sim dt-sim --characters 20 --seed "$SEED" --connect "ws+unix://$DT_RUN/ingest.sock:/ws/position" \
    --rate "$RATE" --seconds $((ROUNDS * 2 + 4)) --ledger "$T/sent"

# Who is killed when comes from the seed.
victims=$(awk -v seed="$SEED" -v n="$ROUNDS" 'BEGIN { srand(seed); split("fanout store serve postgres", v); for (i = 0; i < n; i++) print v[1 + int(rand() * 4)] }')
seen() { metric dt-ingest events_total; }
for victim in fanout store postgres $victims; do
	before=$(seen)
	# the blow falls while events flow
	wait_for "[ \$(seen) -gt $((before + RATE / 2)) ] || ! alive sim" 20 || fail "events flow before $victim is killed"
	case $victim in
	postgres)
		pg_stop immediate
		pg_run || fail 'PostgreSQL comes back'
		;;
	*)
		kill9 "$victim"
		"run_$victim" || fail "$victim comes back"
		;;
	esac
done
wait "$(pid_of sim)"
is 'the fleet ended well' $? 0

# the ledger has a line per telemetry: character, number, time, "sent" once the frame has left; of a character that logged out a moment
# ago dt-sim may not know ("unsure"): that frame may be there or not
accepted=$(grep -c 'sent$' "$T/sent")
unsure=$(grep -vc 'sent$' "$T/sent")
ok "hardly a frame is unsure ($unsure)" [ "$unsure" -le 20 ]
ok "the fleet sent telemetry ($accepted)" [ "$accepted" -gt $((RATE * ROUNDS / 10)) ]
ok 'dt-ingest has nothing left to publish' wait_for '[ "$(metric dt-ingest pending)" = 0 ]' 20
dt-tap -r "$DT_DATA/journal" >"$T/journal.ndjson"
last=$(jq -r 'select(.type | IN("telemetry", "spawn", "rare", "portal"))._seq' "$T/journal.ndjson" | tail -n 1)
ok 'dt-store has caught up' wait_for '[ "$(metric dt-store position)" -ge "$last" ]' 30

jq -r 'select(.sim_n) | "\(.character_name)\t\(.sim_n)"' "$T/journal.ndjson" | sort >"$T/journal.ids"
cut -f 1,2 "$T/sent" | sort >"$T/all.ids"
grep 'sent$' "$T/sent" | cut -f 1,2 | sort >"$T/sent.ids"
is 'nothing that was accepted is missing in the journal' "$(comm -23 "$T/sent.ids" "$T/journal.ids" | wc -l)" 0
is 'nothing is in the journal twice' "$(uniq -d "$T/journal.ids" | wc -l)" 0
is 'nothing is in the journal that was not sent' "$(comm -13 "$T/all.ids" "$T/journal.ids" | wc -l)" 0
is 'the numbers of the journal have no holes' \
    "$(jq -r ._seq "$T/journal.ndjson" | awk 'NR > 1 && $1 != last + 1 { holes++ } { last = $1 } END { print holes + 0 }')" 0

# In the database a row is known by character and time.
rows() {
	jq -r --arg t "$1" 'select(.type == $t) | "\(.character_name)|\(.timestamp | .[:26] | sub("Z$"; ""))"' "$T/journal.ndjson" | sort
}
for pair in telemetry:telemetry_events spawn:spawn_events; do
	type=${pair%:*} table=${pair#*:}
	rows "$type" >"$T/$type.journal"
	sql "select character_name || '|' || to_char(\"timestamp\" at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') from $table" | sort >"$T/$type.rows"
	ok "$type: there are rows ($(wc -l <"$T/$type.rows"))" [ -s "$T/$type.rows" ]
	ok "$type: the rows are the journal's events, each once" diff "$T/$type.journal" "$T/$type.rows"
done
is 'no dead letters' "$(sql 'select count(*) from dead_letters')" 0
done_testing
