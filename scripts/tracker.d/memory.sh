# How much memory there is, and what PostgreSQL makes of it.
# shellcheck shell=bash

clamp() {
	local v=$1
	[ "$v" -ge "$2" ] || v=$2
	[ "$v" -le "$3" ] || v=$3
	echo "$v"
}

# memory_limits [PROC] [CGROUPS]: megabytes, one limit a line: the machine's memory, what strict overcommitting leaves of it, each
# control group that this process is in (version 2 or 1), and the shell's own limit.
memory_limits() {
	local proc=${1:-/proc} groups=${2:-/sys/fs/cgroup} controllers path own
	awk '/^MemTotal/ { print int($2 / 1024) }' "$proc/meminfo"
	[ "$(cat "$proc/sys/vm/overcommit_memory" 2>/dev/null)" != 2 ] ||
		awk '/^CommitLimit/ { limit = $2 } /^Committed_AS/ { used = $2 } END { print int((limit - used) / 1024) }' "$proc/meminfo"
	while IFS=: read -r _ controllers path; do
		case ,$controllers, in
		,,) group_limits "$groups" "$path" memory.max ;;
		*,memory,*) group_limits "$groups/memory" "$path" memory.limit_in_bytes ;;
		esac
	done < <(cat "$proc/self/cgroup" 2>/dev/null)
	own=$(ulimit -v)
	[ "$own" = unlimited ] || echo $((own / 1024))
}

# group_limits ROOT PATH FILE: of the group and all above it.  (In a container the root is the group itself, whatever the path says.)
group_limits() {
	local path=$2 limit
	while :; do
		limit=$(cat "$1$path/$3" 2>/dev/null || echo max)
		[ "$limit" = max ] || echo $((limit / 1048576))
		[ -n "$path" ] || return 0
		path=${path%/*}
	done
}

# memory_mb: the lowest of them.
memory_mb() {
	memory_limits "$@" | sort -n | head -n 1
}

# pg_memory MB: PostgreSQL's settings for a machine with so much memory that it shares with the tracker.
pg_memory() {
	local m=$1
	printf '%s\n' "shared_buffers = $(clamp $((m / 4)) 128 8192)MB" "effective_cache_size = $(clamp $((m / 2)) 256 1048576)MB" \
		"work_mem = $(clamp $((m / 2048)) 4 16)MB" "maintenance_work_mem = $(clamp $((m / 32)) 64 1024)MB" \
		"max_wal_size = $(clamp $((m / 8)) 1024 4096)MB"
}

# pg_shared_memory MB: the kind for so big a /dev/shm.  In one as small as containers have it a parallel query would fail.
pg_shared_memory() {
	if [ "$1" -lt 512 ]; then echo mmap; else echo posix; fi
}

# shm_mb [DIRECTORY]: how big /dev/shm is; 0 when there is none, or none to write to.
shm_mb() {
	local dir=${1:-/dev/shm} mb=0
	[ ! -w "$dir" ] || mb=$(df -Pm "$dir" 2>/dev/null | awk 'NR == 2 { print $2 }')
	echo "${mb:-0}"
}
