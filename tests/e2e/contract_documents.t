#!/bin/sh
# The documents of static/contract: redocly, spectral and ajv are content, examples are valid, and they agree with each other, the list of types and dt-events(5).
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/contract.sh"

need_contract
trap - EXIT
rm -rf "$T"
exec node "$ROOT/tests/contract/validate.mjs"
