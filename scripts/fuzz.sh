#!/usr/bin/env bash
# Odd bytes for each fuzz target, for FUZZ_SECONDS each. What it finds lands in fuzz/artifacts.
source "$(dirname "$0")/common.sh"
scripts/need.sh build
command -v cargo-fuzz >/dev/null || cargo install --quiet cargo-fuzz --version 0.13.1 --locked
for fuzz_target in decode errors yaml timestamps c_interface; do
  corpus=$target/fuzz-corpus/$fuzz_target
  mkdir -p "$corpus"
  RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir fuzz --target-dir "$target/fuzz" "$fuzz_target" "$corpus" "fuzz/seeds/$fuzz_target" -- \
    -max_total_time="${FUZZ_SECONDS:-60}" -max_len=65536 -timeout=10
done
