#!/usr/bin/env bash
# Writes the generated files: the C header, CONFIGURATION.md, STATISTICS.md, THIRD_PARTY.md and the description in abi/.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
scripts/build.sh
FEAST_GENERATE=1 cargo test --features fault-injection --test packaging -- generated the_description
