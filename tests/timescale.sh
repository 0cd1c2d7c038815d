# shellcheck shell=sh
# A server with TimescaleDB for a test (server.mjs), beside or instead of the one of pg.sh: sourced after lib.sh and pg.sh.
#
#   timescale_here             # 0 when the npm package is installed
#   timescale_start            # listens in $T/ts, the extension made; ends with the test
#   on_timescale CMD...        # runs a command whose dt-store, psql and sql use it; all names of databases mean the same one

timescale_here() { command -v node >/dev/null && [ -f "$ROOT/tests/timescale/node_modules/.installed" ]; }

timescale_start() {
	mkdir -p "$T/ts"
	start_plain timescale node "$ROOT/tests/timescale/server.mjs" "$T/ts"
	wait_for "grep -q ready '$T/timescale.out' || ! alive timescale" 60 || return 1
	alive timescale || return 1
	on_timescale sql 'create extension timescaledb' >"$T/out" 2>"$T/err"
}

on_timescale() {
	_run=$DT_RUN _url=${DATABASE_URL:-}
	mkdir -p "$T/ts-run"
	DT_RUN=$T/ts-run DATABASE_URL="postgresql://dereth@/dereth?host=$T/ts"
	export DT_RUN DATABASE_URL
	[ -e "$T/ts-run/pg" ] || ln -s "$T/ts" "$T/ts-run/pg"
	"$@"
	_code=$?
	DT_RUN=$_run DATABASE_URL=$_url
	[ -n "$DATABASE_URL" ] || unset DATABASE_URL
	return "$_code"
}
