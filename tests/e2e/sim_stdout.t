#!/bin/sh
# The simulated fleet on standard output: the same by its seed, all types, believable and consistent numbers, pace, and how it refuses.
# only: plain
# shellcheck disable=SC2016 # conditions of wait_for are evaluated later
. "$(dirname "$0")/../lib.sh"

sim() { timeout 240 dt-sim "$@"; }

# ---- the same bytes ----
sim --characters 25 --seed 7 --seconds 300 --start 2026-04-01T00:00:00Z >"$T/a"
sim --characters 25 --seed 7 --seconds 300 --start 2026-04-01T00:00:00Z >"$T/b"
ok 'the same seed, number and start: the same bytes' cmp "$T/a" "$T/b"
# a checksum of another machine's run: what it prints depends on nothing else
is 'the same on every machine' "$(sim -n 5 --seed 3 --seconds 60 | cksum)" "$(cat "$ROOT/tests/data/sim-5-3-60.cksum")"
sim --characters 25 --seed 8 --seconds 300 --start 2026-04-01T00:00:00Z >"$T/b"
is 'another seed: another fleet' "$(cmp -s "$T/a" "$T/b" || echo differs)" differs
is 'without --start a capture begins at the documented time' "$(sim -n 1 --seconds 5 | head -n 1 | cut -d'"' -f12 | cut -c1-17)" 2026-01-01T12:00:
is 'a capture of 5 s ends in its fifth second' "$(sim -n 60 --seconds 5 | grep '"type":"telemetry"' | tail -n 1 | grep -o 'T12:00:0[0-9]')" T12:00:04
is 'another start: the same fleet, other sessions' "$(sim -n 9 --seconds 4 --start 2026-04-02T00:00:00Z | grep -o '"session_id":"[^"]*"' | sort -u >"$T/s1"
	sim -n 9 --seconds 4 | grep -o '"session_id":"[^"]*"' | sort -u >"$T/s2"; cat "$T/s1" "$T/s2" | sort | uniq | wc -l)" 18
is '--odd writes the same lives otherwise' "$(sim -n 10 --seed 7 --seconds 200 --odd | grep -cvE '"(plugin_heartbeat|xp_tick|Telemetry|share_buffs|trade_window|x)"')" \
    "$(sim -n 10 --seed 7 --seconds 200 | wc -l)"
sim --characters 25 --seed 7 --seconds 300 --start 2026-04-01T00:00:00Z -t 'telemetry,share_*' >"$T/b"
is 'of some types the same lines' "$(grep -E '^\{"type":"(telemetry|share_[a-z_]*)"' "$T/a" | cmp - "$T/b" && wc -l <"$T/b" | awk '{ print ($1 > 3000) }')" 1
is 'of odd ones too' "$(sim -n 10 --seed 7 --seconds 200 --odd | jq -c 'select(.type == "chat" or .type == "xp_tick")' | cksum)" \
    "$(sim -n 10 --seed 7 --seconds 200 --odd -t chat,xp_tick | jq -c . | cksum)"
sim -n 20 --mules 400 --seconds 10 -t full_inventory >"$T/mules"
is 'mules carry what is wanted, each thing once' "$(jq -s '[length, (map(.items | length) | min), ([.[].items[].Id] | unique | length) == (map(.item_count) | add)] | "\(.)"' -r "$T/mules")" '[20,400,true]'
is 'in their packs' "$(jq -c '[.items[].Id] as $ids | [.items[] | .IntValues["218103810"] // 0 | select(. as $c | $ids | index($c) | not)] | unique | length' "$T/mules" | sort -u)" 1
is 'names are there once' "$(sim -n 700 --seconds 6 | grep '"type":"register"' | cut -d'"' -f8 | sort | uniq -d)" ''
is 'and are as many as wanted' "$(sim -n 700 --seconds 6 | grep '"type":"register"' | cut -d'"' -f8 | sort -u | wc -l)" 700

# ---- an hour ----
sim --seconds 3600 --rare-rate 5 >"$T/hour"
sed -n 's/^EVENT_TYPE("\([a-z_]*\)", PLUGIN,.*/\1/p' "$ROOT/lib/event/event_types.def" | grep -v '^inventory$' | sort >"$T/known"
awk '{ match($0, /^\{"type":"[a-z_]*"/); print substr($0, 10, RLENGTH - 10) }' "$T/hour" | sort | uniq -c | sort -k2 >"$T/counts"
is 'every type that plugins send is there, and no other' "$(awk '{ print $2 }' "$T/counts")" "$(cat "$T/known")"

# rates per character and second (dt-events(5)); those of hunters and sharers by the share of the fleet that does so
rate() { awk -v t="$1" -v lo="$2" -v hi="$3" '$2 == t { r = $1 / 3600 / 60; found = r >= lo && r <= hi } END { print (found) ? "fits" : t " " r }' "$T/counts"; }
is 'telemetry every 2 s' "$(rate telemetry 0.40 0.501)" fits
is 'vitals' "$(rate vitals 0.2 2)" fits
is 'spawns' "$(rate spawn 0.1 3)" fits
is 'chat' "$(rate chat 0.1 20)" fits
is 'deltas' "$(rate inventory_delta 0.05 10)" fits
is 'combat_stats at most every 30 s' "$(rate combat_stats 0.008 0.0335)" fits
is 'character_stats every 10 min' "$(rate character_stats 0.0014 0.0025)" fits
is 'equipment every 60 s' "$(rate equipment_cantrip_state 0.012 0.018)" fits
is 'client data of a quarter of the fleet every 3 s' "$(rate share_client_data 0.04 0.14)" fits
is 'rares, five times as many' "$(rate rare 0.00004 0.0008)" fits
is 'radars of some' "$(rate nearby_objects 0.01 0.3)" fits

# value of a field in a line: string or number
cat >"$T/field.awk" <<'EOF'
function field(name,    p, v) {
	p = index($0, "\"" name "\":")
	if (p == 0) return ""
	v = substr($0, p + length(name) + 3, 60)
	if (substr(v, 1, 1) == "\"") { v = substr(v, 2); sub(/".*/, "", v) } else sub(/[,}\]].*/, "", v)
	return v
}
EOF
cat "$T/field.awk" - >"$T/telemetry.awk" <<'EOF'
/^\{"type":"telemetry"/ {
	n++
	c = field("character_name"); s = field("session_id"); k = field("kills") + 0; d = field("deaths") + 0; t = field("total_deaths") + 0; ts = field("timestamp")
	if (s == session[c] && k < kills[c]) bad["kills fall in a session"]++
	if (s == session[c] && d < deaths[c]) bad["deaths fall in a session"]++
	if (s != session[c] && (k != 0 || d != 0)) bad["a session begins with kills"]++
	if (c in total && t < total[c]) bad["total_deaths falls"]++
	if (c in total && t - total[c] != d - (s == session[c] ? deaths[c] : 0)) bad["total_deaths and deaths"]++
	if (ts <= last[c]) bad["time stands still"]++
	if (field("ew") + 0 < -101.95 || field("ew") + 0 > 102.05 || field("ns") + 0 < -101.95 || field("ns") + 0 > 102.05) bad["off the world"]++
	if (field("onlinetime") !~ /^[0-9][0-9]\.[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$/) bad["onlinetime"]++
	if ($0 !~ /"kills_per_hour":"[0-9]+","onlinetime":"[^"]*","deaths":"[0-9]+","total_deaths":"[0-9]+","rares_found":"[0-9]+","prismatic_taper_count":"[0-9]+"/) bad["number that is not a string"]++
	if (ts !~ /^2026-01-01T1[23]:[0-9][0-9]:[0-9][0-9]\.[0-9][0-9][0-9][0-9][0-9][0-9][0-9]Z$/) bad["timestamp"]++
	session[c] = s; kills[c] = k; deaths[c] = d; total[c] = t; last[c] = ts
	died += d > 0
	state[field("vt_state")]++
}
END {
	for (b in bad) print b ": " bad[b]
	print (n > 90000 && n <= 108060) ? "telemetry" : "telemetry " n
	print (died > 0) ? "some died" : "nobody died"
	print (state["Idle"] + state["idle"] > 300) ? "some idled" : "nobody idled"
}
EOF
is 'telemetry is consistent' "$(awk -f "$T/telemetry.awk" "$T/hour")" "telemetry
some died
some idled"
# after each death: the next vitals but that of the last breath show 5 more (40 at the most), and then it goes down by single points
cat "$T/field.awk" - >"$T/vitae.awk" <<'EOF'
/^\{"type":"telemetry"/ { c = field("character_name"); d = field("total_deaths") + 0; if (c in deaths) told[c] += d - deaths[c]; deaths[c] = d; rise[c] = rose[c] }
/^\{"type":"vitals"/ {
	c = field("character_name"); v = field("vitae") + 0
	if (c in vitae) {
		if (v > vitae[c]) { rose[c]++; if (v - vitae[c] < 1 || v - vitae[c] > 5) print c ": vitae " vitae[c] " to " v }
		else if (vitae[c] - v > 3) print c ": vitae " vitae[c] " to " v
	}
	vitae[c] = v
	if (field("health_percentage") + 0 > 100 || v > 40) print "vitals out of range: " $0
}
END { for (c in told) { all += told[c]; if (rose[c] != told[c] && rise[c] != told[c]) print c ": " told[c] " deaths, vitae rose " rose[c] } print (all > 3) ? "deaths" : "deaths: " all }
EOF
is 'each death adds vitae' "$(awk -f "$T/vitae.awk" "$T/hour")" deaths
cat "$T/field.awk" - >"$T/combat.awk" <<'EOF'
/^\{"type":"combat_stats"/ {
	s = field("session_id"); q = field("seq") + 0; k = field("kills") + 0; sum = 0; rest = $0
	while (match(rest, /":\{"kills":[0-9]+,"given"/)) { sum += substr(rest, RSTART + 11); rest = substr(rest, RSTART + RLENGTH) }
	if (q != seq[s] + 1) print "seq " seq[s] " to " q
	if (k < kills[s] || sum != k) print "kills " kills[s] " to " k ", of monsters " sum
	seq[s] = q; kills[s] = k; n++
}
END { print (n > 1000) ? "combat" : "combat: " n }
EOF
is 'combat_stats count up' "$(awk -f "$T/combat.awk" "$T/hour")" combat
cat "$T/field.awk" - >"$T/items.awk" <<'EOF'
/^\{"type":"full_inventory"/ {
	c = field("character_name"); n = gsub(/"Id":-[0-9]+,"Name":/, "&")
	if (n != field("item_count")) print c ": " n " items, said " field("item_count")
	if (n < 150 || n > 320) print c ": " n " items"
	if (gsub(/"ObjectClass":10,/, "&") < 5) print c ": few packs"
	if (gsub(/"10":[0-9]+,/, "&") < 12) print c ": few worn"
	if (length($0) < 60000 || length($0) > 250000) print c ": " length($0) " bytes"
	all++
}
END { print (all >= 60) ? "inventories" : "inventories: " all }
EOF
is 'inventories are complete' "$(awk -f "$T/items.awk" "$T/hour")" inventories
is 'tapers of telemetry are those of the inventory' "$(grep -h -E '"type":"(full_inventory|telemetry)"' "$T/hour" | head -n 200 | jq -rs '
	([.[] | select(.type == "full_inventory")][0]) as $f | ([$f.items[] | select(.Name == "Prismatic Taper") | .IntValues["218103814"]] | add) as $n |
	([.[] | select(.type == "telemetry" and .character_name == $f.character_name and .timestamp < $f.timestamp)] | last | .prismatic_taper_count | tonumber) - $n | (. >= 0 and . < 4)')" true
is 'who logs out comes back with a new session' "$(grep '"type":"telemetry"' "$T/hour" | grep -o '"character_name":"[^"]*".*"session_id":"[^"]*"' | sed 's/"timestamp".*"session_id"//' | sort -u | cut -d: -f2 |
	sort | uniq -c | awk '$1 > 1' | wc -l | awk '{ print ($1 > 3) ? "some" : $1 }')" some

# ---- pace ----
# never too fast; a machine that stood still gets another try
for _ in 1 2 3 4 5 6 7 8; do
	begin=$(date +%s%N)
	sim -n 5 --seconds 60 --speed 30 --start now >"$T/x"
	took=$((($(date +%s%N) - begin) / 1000000))
	[ $took -gt 4000 ] || break
done
is '60 s thirty times as fast take 2 s' "$([ "$took" -ge 1900 ] && [ "$took" -le 4000 ] && echo yes || echo "$took ms")" yes
for _ in 1 2 3 4 5 6 7 8; do
	n=$(sim --rate 1000 --seconds 2 | wc -l)
	[ "$n" -lt 1900 ] || break
done
is '1000 events a second for 2 s' "$([ "$n" -ge 1900 ] && [ "$n" -le 2100 ] && echo yes || echo "$n")" yes
is 'a reader that goes away ends it quietly' "$(timeout 120 dt-sim 2>"$T/quiet" | head -n 3 | wc -l; cat "$T/quiet")" 3
today=$(date -u +%F)
start endless dt-sim -n 3
ok 'runs until it is stopped' wait_for '[ "$(grep -c telemetry "$T/endless.out")" -ge 3 ]'
ok 'SIGTERM: exit 0' stop endless
# at midnight it is either day
like 'live times are the clock'"'"'s' "$(grep telemetry "$T/endless.out" | head -n 1 | grep -o '"timestamp":"[0-9-]*' | cut -c14-)" "^($today|$(date -u +%F))\$"

# ---- refusals ----
status 'an operand' 64 dt-sim capture.ndjson
like 'an operand: said' "$(cat "$T/err")" 'capture.ndjson'
status 'a number that is none' 64 dt-sim --seconds 1h
status 'no characters' 64 dt-sim -n 0
status 'two paces' 64 dt-sim --speed 2 --rate 100
status 'a rate that is none' 64 dt-sim --rate fast
status 'a start that is no time' 64 dt-sim --start yesterday
status 'a server without a name' 64 dt-sim --server ''
status '--allow-remote alone' 64 dt-sim --allow-remote
status 'an address that is none' 64 dt-sim --connect http://127.0.0.1/
export SHARED_SECRET=not-a-placeholder-0123
status 'another machine' 64 dt-sim --connect ws://192.0.2.1:8765/ws/position --seconds 1
like 'another machine: said' "$(cat "$T/err")" 'another machine; --allow-remote'
status 'nobody there' 69 dt-sim -n 2 --connect ws+unix://"$T"/nobody.sock --seconds 1
like 'nobody there: said once' "$(grep -c 'unable to connect' "$T/err")" '^1$'
status 'no secret' 78 env SHARED_SECRET= dt-sim --connect ws+unix://"$T"/nobody.sock --seconds 1
status 'a placeholder is no secret' 78 env SHARED_SECRET=changeme dt-sim --connect ws+unix://"$T"/nobody.sock --seconds 1
status 'a ledger that cannot be' 73 dt-sim --ledger "$T/no/such" --seconds 1
[ -w /dev/full ] && status 'a full device' 74 sh -c 'dt-sim --seconds 10 >/dev/full'
sim -n 3 --seconds 20 --ledger "$T/ledger" >"$T/x"
is 'the ledger has a line for each telemetry event' "$(cut -f 1-3 "$T/ledger")" "$(grep '"type":"telemetry"' "$T/x" | jq -r '[.character_name, .sim_n, .timestamp] | @tsv')"
done_testing
