#!/bin/sh
# dt-serve over HTTP: the live state as it was sent, parameters read strictly, files, health, metrics.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

serve_start
is 'alive without a bus' "$(code /healthz)" 200
is 'not ready without a bus' "$(code /readyz)" 503
is 'no live state before it is known' "$(code /live) $(jq -r .code "$T/body") $(header retry-after)" '503 not_ready 1'
fanout_start
ok 'ready when the bus is there' warm

walk Larsson 33.5 42.1 '"kills_per_hour":"7.0","big":12345678901234567890,"nest":{"a":[1, 2]}'
walk "Mag'n+a" -12.25 3 '"kills":4'
publish '{"type":"vitals","character_name":"Larsson","health_current":41,"health_max":100}' \
    '{"type":"portal","character_name":"Larsson","portal_name":"Gateway","ns":"42.31","ew":"33.1","z":"0.4"}' \
    '{"type":"portal","character_name":"Larsson","portal_name":"Gateway again","ns":"42.29","ew":"33.12"}'
wait_for "[ \"\$(get /portals | jq .portal_count)\" = 1 ]"
like 'telemetry as sent' "$(get /live)" '"kills_per_hour":"7.0","big":12345678901234567890,"nest":\{"a":\[1, 2\]\}'
is 'who is seen' "$(jq -c '[.count, [.players[] | [.character_name, .online, .ew, (.age_s < 60)]]]' "$T/body")" '[2,[["Larsson",true,33.5,true],["Mag'"'"'n+a",true,-12.25,true]]]'
is 'vitals beside it' "$(jq -c '.players[0].vitals.health_current' "$T/body")" 41
unlike 'no names of ours' "$(cat "$T/body")" '"_(seq|rx)"'
like 'last_seen is a time' "$(jq -r '.players[0].last_seen' "$T/body")" '^20[0-9-]+T[0-9:.]+Z$'
is 'the same below /api' "$(get /api/live | jq -c '[.players[].character_name]')" '["Larsson","Mag'"'"'n+a"]'
is 'from a cache only after asking' "$(header cache-control)" no-cache
is 'JSON' "$(header content-type)" application/json
is 'portals: one a place, the newest' "$(get /portals | jq -c '[.portals[] | [.portal_name, .ns, .ew, .z, .discovered_by]]')" '[["Gateway again",42.29,33.12,null,"Larsson"]]'
walk Larsson 33.6 42.2
wait_for "[ \"\$(get /trails | jq '.trails | length')\" = 3 ]"
is 'trails, oldest first' "$(jq -c '[.trails[] | [.character_name, .ew, .ns, .z]]' "$T/body")" '[["Larsson",33.5,42.1,0.1],["Mag'"'"'n+a",-12.25,3,0.1],["Larsson",33.6,42.2,0.1]]'
is 'trails of one' "$(get '/trails?seconds=900&character=Mag%27n%2Ba' | jq -c '[.trails[].ew]')" '[-12.25]'

# what is wrong is named
while read -r path name; do
	got=$(code "$path")
	is "F48: 400 $path" "$got $(jq -r .code "$T/body")" '400 bad_parameter'
	like "names $name" "$(jq -r .error "$T/body")" "\"$name\""
done <<-'ROWS'
	/live?within=0 within
	/live?within=3601 within
	/live?within=-1 within
	/live?within=1e3 within
	/live?within= within
	/live?Within=10 Within
	/live?within=10&within=20 within
	/trails?seconds=86401 seconds
	/trails?character= character
	/portals?x=1 x
	/api-version?x x
	/history?limit=0 limit
	/history?limit=1000001 limit
	/history?from=yesterday from
	/history?to=2026-13-01T00:00:00Z to
	/history?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z from
	/history?bucket=5s bucket
	/history?bucket=1x bucket
	/spawns/heatmap?hours=169 hours
	/spawns/heatmap?hours=0 hours
	/spawns/heatmap?limit=50001 limit
	/spawns/heatmap?mobs=x mobs
ROWS
is 'the bounds themselves are in' "$(code '/live?within=3600') $(code '/live?within=1') $(code '/trails?seconds=1800')" '200 200 200'
for path in /history /spawns/heatmap '/trails?seconds=86400'; do
	is "503 without a database: $path" "$(code "$path") $(jq -r .code "$T/body") $(header retry-after)" '503 database_away 5'
done
is 'unknown path' "$(code /nothing) $(jq -r .code "$T/body")" '404 not_found'
is 'wrong method' "$(code /live -d x) $(jq -r .code "$T/body") $(header allow)" '405 method_not_allowed GET, HEAD'
is 'HEAD' "$(code /live -I)" 200
is 'a WebSocket path without upgrade' "$(code /ws/live)" 426

# files
is '/ leads to the page' "$(code /) $(header location)" '302 /classic/'
like 'the page' "$(get /classic/)" '<title>Dereth Tracker</title>'
like 'no inline scripts or styles are allowed' "$(header content-security-policy)" "^default-src 'none'; script-src 'self'; style-src 'self';"
unlike 'and none are there' "$(cat "$ROOT"/static/classic/*.html)" '<style|<script>| style=| on[a-z]+='
is 'its modules' "$(code /classic/map.js) $(header content-type)" '200 text/javascript; charset=utf-8'
etag=$(header etag)
is 'ETag' "$(code /classic/map.js -H "If-None-Match: $etag")" 304
is 'always asked again' "$(header cache-control)" no-cache
get /classic/map.js -H 'Accept-Encoding: gzip' >"$T/zipped"
is 'compressed' "$(header content-encoding)" gzip
ok 'and the same' sh -c "gzip -dc '$T/zipped' | cmp - '$ROOT/static/classic/map.js'"
for path in /../README.md /classic/../../README.md /classic/..%2f..%2fREADME.md /%2e%2e/README.md //etc/passwd /classic/.hidden; do
	like "F46: nothing outside: $path" "$(code "$path")" '^40[0-9]$'
done

# about itself
like 'version' "$(get /api-version | jq -r .version)" '^[0-9]{4}\.[0-9]+\.[0-9]+\.[0-9]+-'
wait_for "get /metrics | grep -q '^dt_serve_events_total [1-9]'"
like 'metrics' "$(cat "$T/body")" '^dt_serve_rejected_total\{reason="bad_parameter"\} [0-9]+$'
like 'of all programs' "$(cat "$T/body")" '^dt_up\{program="dt-fanout"\} 1$'
mkdir -p "$DT_RUN/status"
printf '{"program":"dt-serve-\\"x\\\\\\n","pid":1,"version":"v","metrics":{"events_total":7,"rejected_total":{"a\\"b\\\\":3}}}' >"$DT_RUN/status/dt-x.json"
echo '{"program":"dt-serve-bad","metrics":{' >"$DT_RUN/status/dt-bad.json"
get /metrics >"$T/metrics"
like 'labels are escaped' "$(grep -F 'instance="' "$T/metrics")" 'instance="\\"x\\\\\\n",reason="a\\"b\\\\"} 3$'
unlike 'half a file is left out' "$(cat "$T/metrics")" 'bad"'
if command -v promtool >/dev/null; then ok 'promtool is content' sh -c "promtool check metrics <'$T/metrics'"; else pass 'promtool is content # SKIP not installed'; fi

# stays on this machine
ok 'F51: listens on loopback only' awk -v p="$(printf '0100007F:%04X' "$PORT")" '$4 == "0A" && $2 == p { found = 1 } END { exit !found }' /proc/net/tcp
ok 'F51: and nowhere else' awk -v p="$(printf ':%04X' "$PORT")" '$4 == "0A" && substr($2, length($2) - 4) == p && substr($2, 1, 8) != "0100007F" { bad = 1 } END { exit bad }' /proc/net/tcp /proc/net/tcp6
stop serve
is 'stops when asked' $? 0

status 'F51: not on all addresses' 78 dt-serve -b 0.0.0.0 -p 0
like 'and says why' "$(cat "$T/err")" 'fatal: will not listen on 0.0.0.0 without TLS'
status 'F51: not on all addresses, by setting' 78 env DT_BIND=:: dt-serve -p 0
status 'no such address' 78 dt-serve -b example.org
status 'no such port' 64 dt-serve -p 70000
status 'no such directory' 66 dt-serve -p 0 -d "$T/none"
status 'no operands' 64 dt-serve here
serve_start
status 'the port is taken' 69 dt-serve -p "$PORT"
like 'and says so' "$(cat "$T/err")" "unable to listen on 127.0.0.1 port $PORT: Address already in use"
done_testing
