#!/usr/bin/env bash
# 64 threads for ten minutes against a server that does everything wrong at random.
source "$(dirname "$0")/common.sh"
scripts/need.sh build
FEAST_SOAK_SECONDS=600 cargo test --test process soak:: -- --nocapture
