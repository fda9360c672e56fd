#!/usr/bin/env bash
# Formatting and lints.
source "$(dirname "$0")/common.sh"
scripts/need.sh build
cargo fmt --check
cargo clippy --all-targets -- -D warnings
cargo clippy --all-targets --features fault-injection -- -D warnings
