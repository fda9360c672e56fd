#!/usr/bin/env bash
# Runs every test (arguments are cargo test's) and ends with the sum of their counts.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo test --features fault-injection --no-fail-fast "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
awk '/^test result:/ { passed += $4; failed += $6 }
     END { printf "\n%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
