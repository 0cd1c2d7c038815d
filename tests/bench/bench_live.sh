#!/bin/sh
# /ws/live beside others that do the same: deliveries a second of events of 300 bytes, saturated, at 60, 500 and 2,000 browsers; what a delivery and an
# idle connection cost; how long an event takes from a plugin to 60 browsers at 1,000 a second,
# and to 90 of 100 of which ten do not read.
# seconds: 400
# The others: the least possible broadcaster (tests/helpers/broadcaster.c), NATS's WebSocket listener, nginx with nchan, node with ws; those that are not
# installed are left out.  All take turns within one run, the load generator beside them on the same machine: the ratios count.
# BENCH_SIZES="60 500 2000", BENCH_SECONDS=3 each, BENCH_ROUNDS=1.
cd "$(dirname "$0")/../.." || exit 1
set --
. tests/lib.sh
load=$B/helpers/live_load
seconds=${BENCH_SECONDS:-3}
SHARED_SECRET=bench-secret-of-16
DT_TRUSTED_NETS=127.0.0.1/32,::1/128
export SHARED_SECRET DT_TRUSTED_NETS
nats_port=
nchan_port=
node_port=
PATH=$PATH:/usr/sbin

# ---- who takes part ----


dt_begin() {
	dt_port=$(free_port)
	start fanout dt-fanout --sync 100 || exit 1
	start serve dt-serve -p "$dt_port" || exit 1
	# shellcheck disable=SC2016
	wait_for '[ "$(curl -s -o /dev/null -w "%{http_code}" "http://127.0.0.1:$dt_port/readyz")" = 200 ]' || exit 1
}

least_begin() {
	least_port=$(free_port)
	start_plain least "$B/helpers/broadcaster" "$least_port" 296
	wait_for "listens $least_port"
}

nats_begin() {
	command -v nats-server >/dev/null || { echo 'left out: NATS (no nats-server)'; return; }
	nats_port=$(free_port)
	nats_in=$((nats_port + 1))
	printf 'listen: "127.0.0.1:%s"\nwebsocket { listen: "127.0.0.1:%s", no_tls: true }\n' "$nats_in" "$nats_port" >"$T/nats.conf"
	start_plain nats nats-server -c "$T/nats.conf"
	wait_for "listens $nats_port"
}

nchan_begin() {
	[ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || { echo 'left out: nchan (no libnginx-mod-nchan)'; return; }
	nchan_port=$(free_port)
	mkdir -p "$T/nginx"
	cat >"$T/nginx.conf" <<-CONF
		load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
		user root;
		daemon off; worker_processes 1; pid $T/nginx/pid; error_log $T/nginx/errors crit; worker_rlimit_nofile 16000;
		events { worker_connections 12000; }
		http {
			access_log off; keepalive_requests 100000000; client_body_temp_path $T/nginx/body; nchan_shared_memory_size 256M;
			server {
				listen 127.0.0.1:$nchan_port;
				location = /pub { nchan_publisher; nchan_channel_id live; nchan_message_buffer_length 1000; nchan_message_timeout 10s; }
				location = /sub { nchan_subscriber websocket; nchan_channel_id live; nchan_subscriber_first_message newest; }
			}
		}
	CONF
	start_plain nginx nginx -c "$T/nginx.conf" -p "$T/nginx"
	wait_for "listens $nchan_port"
}

node_begin() {
	if ! [ -d tests/bench/node_modules/ws ] || ! command -v node >/dev/null; then
		echo 'left out: node ws (npm --prefix tests/bench ci)'
		return
	fi
	node_port=$(free_port)
	start_plain node node tests/bench/ws.mjs "$node_port" 296
	wait_for "listens $node_port"
}

# ---- one figure ----

# field NAME: of the last report
field() { sed -n "s/.*\\<$1=\\([-0-9.]*\\).*/\\1/p" "$T/report"; }

# measure NAME SIZE [options of live_load recv] PORT PATH, while $source sends
measure() {
	_label=$1 _size=$2
	shift 2
	[ -z "$source" ] || start_plain source sh -c "exec $source"
	timeout 60 "$load" recv -n "$_size" -w 1.5 -t "$seconds" "$@" >"$T/report" 2>"$T/load.log" || sed 's/^/    /' "$T/load.log"
	[ -z "$source" ] || stop source
	[ -s "$T/report" ] || return 0
	printf '%-22s %5d browsers %9.0f deliveries/s %7.3f s of CPU per million  %6d bytes a socket  %d cut\n' "$_label" "$_size" \
	    "$(field deliveries_s)" "$(field cpu_s_per_million)" "$(field bytes_per_socket)" "$(field closed)"
	echo "$_label $_size $(field deliveries_s) $(field cpu_s_per_million)" >>"$T/figures"
}

all='{"type":"subscribe"}'
words='{"type":"subscribe","message_types":["chat","quest"]}'
shares='{"type":"subscribe","message_types":["share_*"]}'
who='{"type":"subscribe","characters":["C0","C1","C2","C3","C4","C5","C6","C7","C8","C9","C10","C11","C12","C13","C14","C15","C16","C17","C18","C19","C20","C21","C22","C23","C24","C25","C26","C27","C28","C29"]}'
# More than anybody takes: the rate is that of the slowest part, and what comes too fast waits in the sockets.
to_bus() { echo "$load send -r $(per_browser "$1" "$2") -t 60 -b 270 -f line $DT_RUN/events.in"; }
per_browser() { echo $(($1 / $2)); }

round() {
	_n=$1
	source=
	measure least "$_n" -r 0 -p "$(pid_of least)" "$least_port" /
	source="$(to_bus 24000000 "$_n")"
	measure dt-serve "$_n" -r 0 -p "$(pid_of serve)" "$dt_port" /ws/live
	source="$(to_bus 40000000 "$_n")"
	measure dt-serve-mixed "$_n" -r 0 -p "$(pid_of serve)" -m "$all" -m "$words" -m "$shares" -m "$who" "$dt_port" /ws/live
	if [ -n "$nats_port" ]; then
		source="$load send -r $(per_browser 6000000 "$_n") -t 60 -b 296 -f nats $nats_in"
		measure nats "$_n" -r 0 -k nats -p "$(pid_of nats)" "$nats_port" /
	fi
	if [ -n "$nchan_port" ]; then
		source="$load send -r $(per_browser 600000 "$_n") -t 60 -b 296 -f post $nchan_port /pub"
		measure nchan "$_n" -r 0 -p "$(ps -o pid= --ppid "$(pid_of nginx)" | head -n 1 | tr -d ' ')" "$nchan_port" /sub
	fi
	source=
	[ -z "$node_port" ] || measure node-ws "$_n" -r 0 -p "$(pid_of node)" "$node_port" /
}

# Medians of what was measured in this run.  On a busy machine what a delivery costs of the processor, in brackets, is the steadier figure.
ratios() {
	for _n in $sizes; do
		awk -v n="$_n" '
			function median(list, a, c, i, j, t) {
				c = split(list, a, " ")
				for (i = 2; i <= c; i++)
					for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
				return a[int((c + 1) / 2)]
			}
			function against(who, other, words) {
				if (speed[other] != "" && median(cpu[who]) > 0)
					printf ", %s %.2f %s (%.2f)", who, median(speed[who]) / median(speed[other]), words, median(cpu[other]) / median(cpu[who])
			}
			$2 == n { speed[$1] = speed[$1] " " $3; cpu[$1] = cpu[$1] " " $4 }
			END {
				printf "%d browsers", n
				against("dt-serve", "least", "of the least possible, aim 0.8")
				against("dt-serve-mixed", "least", "of it, aim 0.6")
				against("dt-serve", "nats", "times NATS, aim 2")
				against("dt-serve", "nchan", "times nchan, aim 10")
				against("dt-serve", "node-ws", "times node ws")
				print ""
			}' "$T/figures"
	done
}

latency() {
	in_port=$(free_port)
	start ingest dt-ingest -p "$in_port" || return
	source="$load send -r 1000 -t 60 -b 270 -c 20 -H $SHARED_SECRET -f ws $in_port /ws/position"
	measure plugin-to-browser 60 -r 1 -p "$(pid_of serve)" "$dt_port" /ws/live
	echo "plugin to browser, 1,000 events/s x 60: p50 $(field p50_ms) ms, p99 $(field p99_ms) ms (aim 5)"
	stop ingest
}

# Ten of a hundred do not read at all.
deaf() {
	source="$load send -r 2000 -t 60 -b 270 -f line $DT_RUN/events.in"
	measure all-read 100 -r 1 -p "$(pid_of serve)" "$dt_port" /ws/live
	_all=$(field p99_ms)
	measure ten-deaf 100 -d 10 -r 1 -p "$(pid_of serve)" "$dt_port" /ws/live
	echo "bus to browser, 2,000 events/s x 100: p99 $_all ms, with ten that do not read $(field p99_ms) ms (aim: 1.2 times)"
}

idle() {
	source=
	for _n in 2000 9900; do
		measure dt-serve-idle "$_n" -i -p "$(pid_of serve)" "$dt_port" /ws/live
	done
}

sizes=${BENCH_SIZES:-60 500 2000}
dt_begin
[ -n "${BENCH_NO_IDLE:-}" ] || idle
least_begin
nats_begin
nchan_begin
node_begin
latency
deaf
i=0
while [ "$i" -lt "${BENCH_ROUNDS:-1}" ]; do
	for n in $sizes; do round "$n"; done
	i=$((i + 1))
done
ratios
