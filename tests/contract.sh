# shellcheck shell=sh
# Sourced by tests that hold something against static/contract, after lib.sh.
#
#   need_contract                  ends the test as skipped when the npm packages of tests/contract are not there
#   contract SCRIPT [arguments]    runs tests/contract/SCRIPT.mjs

need_contract() {
	[ -d "$ROOT/tests/contract/node_modules/ajv" ] && return
	pass 'the contract # SKIP scripts/test installs what checks it'
	done_testing
}

contract() {
	_script=$1
	shift
	node "$ROOT/tests/contract/$_script.mjs" "$@"
}
