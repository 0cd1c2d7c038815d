#!/bin/sh
# Every route of dt-serve at 10 million telemetry rows, 6 million spawns and 100,000 items: milliseconds at the median and at p95, requests and records
# a second, each with its aim; of a question to the database that misses its aim also the plan.
# seconds: 1500
# The data are made once and kept for a day, see data.sh.  BENCH_REQUESTS (40) of each.  wrk (Debian's package) asks for /live; without it that is left out.
# Figures a second are those of a second of dt-serve's processor time, milliseconds are those of the clock, with those of its processor beside them:
# where other programs take the machine's time, the two differ.
cd "$(dirname "$0")/../.." || exit 1
set --
. tests/lib.sh
. tests/pg.sh
. tests/bench/data.sh
DT_TRUSTED_NETS=127.0.0.1
export DT_TRUSTED_NETS
data_start || exit 1

requests=${BENCH_REQUESTS:-40}
PORT=$(free_port)
URL=http://127.0.0.1:$PORT
core=; other=
if [ "$(nproc)" -gt 1 ] && command -v taskset >/dev/null; then core='taskset -c 0' other='taskset -c 1'; fi
start fanout dt-fanout || exit 1
start_plain fleet sh -c 'dt-sim -n 60 --rare-rate 1000 | dt-send -q'
# shellcheck disable=SC2086
start serve $core dt-serve -p "$PORT" || exit 1
status_of() { curl -s -m 20 -o /dev/null -w '%{http_code}' "$URL$1"; }
# shellcheck disable=SC2016 # evaluated later
wait_for '[ "$(status_of "/search/items?limit=1")" = 200 ] && [ "$(status_of /stats)" = 200 ] && [ "$(curl -s "$URL/live" | jq .count)" = 60 ]' 120 || exit 1

# Milliseconds of processor time that dt-serve has had.
used() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hz }' "/proc/$(pid_of serve)/stat"; }

# ask PATH...: $requests of them in turn on one connection; a line "status milliseconds path" for each answer in $T/times
ask() {
	_i=0
	while [ "$_i" -lt "$requests" ]; do
		printf 'url = "%s%s"\noutput = /dev/null\n' "$URL" "$(eval "echo \"\${$((_i % $# + 1))}\"")"
		_i=$((_i + 1))
	done >"$T/ask"
	_before=$(used)
	curl -s -m 60 --path-as-is -K "$T/ask" -w '%{http_code} %{time_total} %{url_effective}\n' | awk '{ $2 *= 1000; print }' >"$T/times"
	cpu=$(echo "$_before $(used) $requests" | awk '{ printf "%.1f", ($2 - $1) / $3 }')
}
rank() { sort -n -k 2 "$T/times" | awk -v p="$1" '{ t[NR] = $2 } END { i = int(NR * p + 0.999); print t[i < 1 ? 1 : i] }'; }

# plan AIM: what PostgreSQL did for the slowest of these, told by itself, when it took a third of the aim or more.
plan() {
	_from=$(($(wc -c <"$T/pg.log") + 1))
	for _s in "log_min_duration = $(($1 / 3))" 'log_analyze = on' 'log_buffers = on'; do sql "alter system set auto_explain.$_s" postgres; done
	sql 'select pg_reload_conf()' postgres >/dev/null
	curl -s -m 60 -o /dev/null "$(sort -rn -k 2 "$T/times" | awk 'NR == 1 { print $3 }')"
	sql 'alter system reset all' postgres
	sql 'select pg_reload_conf()' postgres >/dev/null
	tail -c +"$_from" "$T/pg.log" | awk '/LOG:  duration:.*plan:/ { show = 1 } /LOG:/ && !/plan:/ { show = 0 } show' | grep -v pg_reload_conf | cut -c 1-180 | sed -n '1,50s/^/    /p'
}

# figure WHAT AIM PATH...: p95 against the aim
figure() {
	_what=$1 _aim=$2
	shift 2
	ask "$@"
	_bad=$(awk '$1 != 200' "$T/times" | sort | head -n 1)
	[ -z "$_bad" ] || { echo "$_what: $_bad"; missed=$((missed + 1)); return; }
	verdict "$(printf '%-34s %8.1f p50 %6.1f cpu' "$_what" "$(rank 0.5)" "$cpu")" "$(rank 0.95)" 'ms p95' "$_aim" max || { missed=$((missed + 1)); plan "$_aim"; }
}

missed=0
names=$(curl -s "$URL/stats?limit=20" | jq -r '.stats[].character_name | @uri')
one=$(echo "$names" | head -n 1)
# of_all PREFIX [SUFFIX]: a path for each of these characters
of_all() { for _n in $names; do echo "$1$_n${2:-}"; done; }
mules=$(curl -s "$URL/inventory-characters" | jq -r '[.characters[] | select(.item_count > 500)][:20][].character_name | @uri')
ago() { date -u -d "-$1" +%s; }
block=$(sql "select landblock from dt.dungeon_maps limit 1" 2>/dev/null)
curl -s -o /dev/null -X POST -H 'Content-Type: application/json' -H 'Sec-Fetch-Site: same-origin' -d '{"title":"a bench","body":"x","category":"bug"}' "$URL/issues"
issue=$(curl -s "$URL/issues" | jq '.issues[0].id // 1')

echo; echo "requests a second on one core"
if command -v wrk >/dev/null; then
	live() {
		_before=$(used)
		$other wrk -t 1 -c 16 -d 4 "$@" "$URL/live" | awk -v before="$_before" '/requests in/ { print before, $1 }' >"$T/wrk"
		echo "$(cat "$T/wrk") $(used)" | awk '{ print $2 / ($3 - $1) * 1000 }'
	}
	verdict '/live, compressed' "$(live -H 'Accept-Encoding: gzip')" req/s 20000 min || missed=$((missed + 1))
	tag=$(curl -s -o /dev/null -D - "$URL/live" | tr -d '\r' | sed -n 's/^etag: //Ip')
	verdict '/live, as it was' "$(live)" req/s 20000 min || missed=$((missed + 1))
	verdict '/live, the same again (If-None-Match)' "$(live -H "If-None-Match: $tag")" req/s 20000 min || missed=$((missed + 1))
else
	echo 'wrk is not there (apt-get install wrk): left out'
fi

echo; echo "records a second"
for form in application/json text/csv; do
	before=$(used)
	took=$(curl -s -m 60 -H "Accept: $form" -o "$T/history" -w '%{time_total}' "$URL/history?from=$(ago '4 days')&limit=500000") || { echo "/history, $form: cut off, curl says $?"; missed=$((missed + 1)); }
	case $form in text/csv) n=$(($(wc -l <"$T/history") - 1)) ;; *) n=$(grep -o '"timestamp":' "$T/history" | wc -l) ;; esac
	echo "$n rows in $took s"
	verdict "/history, $form" "$(echo "$n $before $(used)" | awk '{ print $1 / ($3 - $2) * 1000 }')" rows/s 200000 min || missed=$((missed + 1))
done
rm -f "$T/history"

echo; echo "milliseconds of each route"
# paths ROUTE: what is asked of it; nothing: it is not measured
paths() {
	case $1 in
	/live) echo '/live /live?within=3600' ;;
	/trails) echo '/trails?seconds=600 /trails?seconds=3600 /trails?seconds=86400' ;;
	/history)
		for _n in $names; do
			echo "/history?character=$_n&from=$(ago '2 hours') /history?character=$_n&from=$(ago '7 days')&bucket=1h"
		done
		echo "/history?from=$(ago '6 days')&limit=1000 /history?from=$(ago '1 day')&bucket=10m /history?from=$(ago '6 days')&bucket=1h"
		;;
	/spawns/heatmap) for _h in 168 167 166 24 1; do echo "/spawns/heatmap?hours=$_h"; done ;;
	/dungeon-map/\{landblock\}) [ -z "$block" ] || echo "/dungeon-map/$block" ;;
	/rares) echo "/rares /rares?tier=great /rares?from=$(ago '3 days') $(of_all '/rares?character=')" ;;
	/stats) echo '/stats /stats?sort=-total_kills /stats?sort=character_name&limit=10' ;;
	/issues/\{id\}) echo "/issues/$issue" ;;
	/inventory/\{character\}*) for _n in $mules; do echo "$1" | sed "s|{character}|$_n|"; done ;;
	/item-moves) echo "/item-moves /item-moves?name=sword /item-moves?kind=moved&from=$(ago '1 day')" ;;
	*\{character\}) of_all "${1%\{character\}}" ;;
	*\{*) ;;
	*) echo "$1" ;;
	esac
}
for route in $(dt-serve --routes | sed -n '/ .admin/d;s/^GET //p'); do
	asked=$(paths "$route")
	[ -n "$asked" ] || { echo "$route is not measured"; missed=$((missed + 1)); continue; }
	# shellcheck disable=SC2086
	figure "$route" 50 $asked
done
figure '/spawns/heatmap of one creature' 50 "/spawns/heatmap?hours=168&mob=$(sql 'select mob from spawn_events limit 1' | jq -rR @uri)"

echo; echo "milliseconds of the first page of a search, by one filter"
. tests/bench/filters.sh
for filter in $(single_filters); do figure "${filter%%=*}" 30 "/search/items?$filter"; done
echo; echo "by several"
combinations | while read -r filter; do figure "$(echo "$filter" | cut -c 1-34)" 30 "/search/items?$filter"; done
echo
echo "$missed aims missed"
[ "$missed" = 0 ]
