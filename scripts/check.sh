#!/usr/bin/env bash
# Formatting and lints.
source "$(dirname "$0")/common.sh"
scripts/need.sh build
cargo fmt --check
cargo clippy --all-targets -- -D warnings
cargo clippy --test prebuilt -- -D warnings # which is none of all targets: `cargo test` leaves it out
cargo clippy --all-targets --features fault-injection -- -D warnings
