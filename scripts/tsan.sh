#!/usr/bin/env bash
# The tests of threads with ThreadSanitizer in everything: in std, without which it cannot see what locks do, in libcurl and in
# OpenSSL.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
scripts/env.sh feast
[[ -e $(rustc --print sysroot)/lib/rustlib/src/rust/library ]] || rustup component add rust-src
mkdir -p "$target/tsan/$host"
ln -sfn "$(realpath -s "$target/feast-venv")" "$(realpath "$target/feast-repo")" "$target/tsan/$host"
export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CC="cc -fsanitize=thread"
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp"
tsan=(cargo test -Zbuild-std --target "$host" --target-dir "$target/tsan" --features fault-injection)
# C programs, whose library would be without it.
with_c=(a_process_may_end fifty_connections_take_less without_cert_the_systems_authorities)
"${tsan[@]}" --lib --test calls --test security -- --skip large_answers:: "${with_c[@]/#/--skip=}"
"${tsan[@]}" --test process -- soak:: idle::
"${tsan[@]}" --test programs -- --ignored a_race_in_rust
