# shellcheck shell=sh
# Sourced by tests that hold something against static/contract, after lib.sh.
#
#   need_contract                  ends the test as skipped when the npm packages of tests/contract are not there
#   contract SCRIPT [arguments]    runs tests/contract/SCRIPT.mjs
#   keep_contract                  what $T/contract holds at the end is held against the contract: an answer in three files, x.asked (curl's exit
#                                  status, HTTP status, method, path), x.head and x.body; in "sockets" lines "name path" of WebSockets, whose messages are in $T/name.out

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

keep_contract() {
	mkdir -p "$T/contract"
	case $at_end in *contract_kept*) ;; *) at_end="$at_end contract_kept" ;; esac
}

contract_kept() {
	if [ ! -d "$ROOT/tests/contract/node_modules/ajv" ]; then
		pass 'answers keep the contract # SKIP scripts/test installs what checks it'
	elif contract answers "$T/contract" >"$T/contract.out" 2>&1; then
		pass "answers keep the contract: $(tail -n 1 "$T/contract.out")"
	else
		fail 'answers keep the contract'
		diag "$(tail -n 40 "$T/contract.out")"
	fi
}
