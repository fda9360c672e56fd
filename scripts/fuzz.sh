#!/usr/bin/env bash
# Odd bytes for each fuzz target, for FUZZ_SECONDS each, as many at a time as there are processors. What it finds lands in
# fuzz/artifacts.
source "$(dirname "$0")/common.sh"
scripts/need.sh build
[[ -e $so ]] || scripts/build.sh
use_openssl_of_the_release_build
command -v cargo-fuzz >/dev/null || cargo install --quiet cargo-fuzz --version 0.13.1 --locked
export RUSTC_BOOTSTRAP=1 corpora=$target/fuzz-corpus folders="--fuzz-dir fuzz --target-dir $target/fuzz" seconds=${FUZZ_SECONDS:-60}
cargo fuzz build $folders
run() { # FUZZ_TARGET
  mkdir -p "$corpora/$1"
  cargo fuzz run $folders "$1" "$corpora/$1" "fuzz/seeds/$1" -- -max_total_time="$seconds" -max_len=65536 -timeout=10 2>&1
}
export -f run
cargo fuzz list --fuzz-dir fuzz | xargs -P "$(nproc)" -I{} bash -c 'run {}'
