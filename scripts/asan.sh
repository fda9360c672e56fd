#!/usr/bin/env bash
# The C programs once more, with AddressSanitizer and LeakSanitizer in the library.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
scripts/build.sh # for the one that links the static library as users do
(
  use_openssl_of_the_release_build
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo rustc --lib --crate-type staticlib --target "$host" \
    --target-dir "$target/sanitized"
)
FEAST_SANITIZED_ARCHIVE=$(realpath "$target/sanitized/$host/debug/libfeast_remote.a")
FEAST_SANITIZER_RUNTIME=$(rustc --print sysroot)/lib/rustlib/$host/lib/librustc-stable_rt.asan.a
export FEAST_SANITIZED_ARCHIVE FEAST_SANITIZER_RUNTIME
# The sanitizer itself would not live through an answer too large for memory.
cargo test --features fault-injection --test programs -- c_programs:: sanitizer:: --include-ignored \
  --skip races --skip an_answer_too_large_for_memory
