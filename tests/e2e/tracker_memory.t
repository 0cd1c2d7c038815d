#!/bin/sh
# What memory there is by machine, control groups and limits; PostgreSQL's settings for it; that it starts with them; and an operator's own settings.
# only: plain
. "$(dirname "$0")/../lib.sh"
chmod 755 "$T"

# memory FUNCTION [ARGUMENT]...: a function of the script's parts
memory() { bash -c '. "$ROOT/scripts/tracker.d/memory.sh"; "$@"' bash "$@"; }

# ---- settings by megabytes ----
row() { memory pg_memory "$1" | sed 's/.* = //' | tr '\n' ' '; }
is "1 GB" "$(row 1024)" "256MB 512MB 4MB 64MB 1024MB "
is "2 GB" "$(row 2048)" "512MB 1024MB 4MB 64MB 1024MB "
is "8 GB" "$(row 8192)" "2048MB 4096MB 4MB 256MB 1024MB "
is "24 GB" "$(row 24576)" "6144MB 12288MB 12MB 768MB 3072MB "
is "32 GB" "$(row 32768)" "8192MB 16384MB 16MB 1024MB 4096MB "
is "256 GB" "$(row 262144)" "8192MB 131072MB 16MB 1024MB 4096MB "
is "hardly any" "$(row 100)" "128MB 256MB 4MB 64MB 1024MB "
is "in this order" "$(memory pg_memory 2048 | sed 's/ = .*//' | tr '\n' ' ')" "shared_buffers effective_cache_size work_mem maintenance_work_mem max_wal_size "
is "a container's /dev/shm" "$(memory pg_shared_memory 64)" mmap
is "none" "$(memory pg_shared_memory "$(memory shm_mb "$T/none")")" mmap
is "a machine's" "$(memory pg_shared_memory 12000)" posix

# ---- how much there is ----
proc=$T/proc groups=$T/groups
mkdir -p "$proc/sys/vm" "$proc/self" "$groups/memory/docker/x" "$groups/user.slice/deep"
printf 'MemTotal:       33554432 kB\nMemFree: 1 kB\nCommitLimit:    20971520 kB\nCommitted_AS:   10485760 kB\n' >"$proc/meminfo"
echo 0 >"$proc/sys/vm/overcommit_memory"
: >"$proc/self/cgroup"
is "the machine's" "$(memory memory_mb "$proc" "$groups")" 32768
echo 2 >"$proc/sys/vm/overcommit_memory"
is "what strict overcommitting leaves" "$(memory memory_mb "$proc" "$groups")" 10240
echo 1 >"$proc/sys/vm/overcommit_memory"
echo '0::/user.slice/deep' >"$proc/self/cgroup"
echo max >"$groups/user.slice/deep/memory.max"
is "a group without limit" "$(memory memory_mb "$proc" "$groups")" 32768
echo 4294967296 >"$groups/user.slice/memory.max"
is "a group above" "$(memory memory_mb "$proc" "$groups")" 4096
echo '0::/not/in/this/container' >"$proc/self/cgroup"
echo 2147483648 >"$groups/memory.max"
is "a container's own" "$(memory memory_mb "$proc" "$groups")" 2048
printf '12:cpu,cpuacct:/a\n9:memory:/docker/x\n' >"$proc/self/cgroup"
echo 9223372036854771712 >"$groups/memory/memory.limit_in_bytes"
echo 1073741824 >"$groups/memory/docker/x/memory.limit_in_bytes"
is "version 1" "$(memory memory_mb "$proc" "$groups")" 1024
is "the shell's limit" "$(bash -c 'ulimit -v 2097152; . "$ROOT/scripts/tracker.d/memory.sh"; memory_mb')" 2048
ok "here there is some" [ "$(memory memory_mb)" -gt 100 ]

# ---- a cluster that may not have more than 2 GB; an operator's own lines ----
tracker=$ROOT/scripts/tracker
DT_PORT=$(free_port)
mkdir -p "$T/fake/bin"
printf '#!/bin/sh\nwhile [ "$1" != -R ]; do shift; done\neval "echo >&$2"\nexec sleep 1000\n' >"$T/fake/bin/dt-fanout"
chmod +x "$T/fake/bin/dt-fanout"
for p in dt-ingest dt-serve dt-store; do ln "$T/fake/bin/dt-fanout" "$T/fake/bin/$p"; done
export DT_PORT B="$T/fake"
trap 'up_code=$?; "$tracker" down >/dev/null 2>&1; (exit $up_code); finish' EXIT
show() { psql -X -q -A -t -h "$DT_RUN/pg" -U dereth -d dereth -c "show $1" 2>&1; }
limited() { bash -c 'ulimit -v 2097152; exec "$@"' bash "$tracker" "$@"; }

echo 'work_mem = 7MB' >"$DT_DATA/postgresql.conf.local"
status "up in 2 GB" 0 limited up --no-build
[ "$tests_failed" = 0 ] || { "$tracker" logs | tail -n 30 | sed 's/^/# /'; done_testing; }
is "a quarter is for its buffers" "$(show shared_buffers)" 512MB
is "the operator's own wins" "$(show work_mem)" 7MB
is "the rest is as told" "$(show jit) $(show listen_addresses) $(show max_connections)" "off  50"
like "the file says how" "$(cat "$DT_DATA/pg/tracker.conf")" "^# $DT_DATA/postgresql.conf.local: its lines follow at the end and win"
echo 'work_mem = 9MB' >"$DT_DATA/postgresql.conf.local"
status "restart postgres" 0 limited restart postgres
is "reads it again" "$(show work_mem)" 9MB
is "once" "$(grep -c tracker.conf "$DT_DATA/pg/postgresql.conf")" 1
echo 'work_mem = lots' >"$DT_DATA/postgresql.conf.local"
status "what it does not understand" 69 "$tracker" restart postgres
like "is reported with the line" "$(cat "$T/err")" 'invalid value for parameter "work_mem": "lots"'
rm "$DT_DATA/postgresql.conf.local"
status "without it" 0 limited restart postgres
is "there are the usual ones" "$(show work_mem)" 4MB
status "down" 0 "$tracker" down
done_testing
