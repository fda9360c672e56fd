#!/usr/bin/env bash
# The tests with the machine's libcurl and OpenSSL.
source "$(dirname "$0")/common.sh"
scripts/need.sh test
scripts/env.sh feast older java go
source scripts/common.sh # for Go
system=(--no-default-features --features system --target-dir "$target/system")
CARGO_TARGET_DIR=$target/system LINK_FLAGS="-lcurl -lssl -lcrypto" scripts/build.sh "${system[@]:0:3}"
for folder in feast-venv feast-repo feast-older-venv feast-older-repo java; do ln -sfn ../$folder "$target/system/$folder"; done

# About a library that has libcurl and OpenSSL inside.
skip=(older_glibc shared_library_has_its_soname systems_libcurl_and_openssl static_library_links pkg_config_leads
  cmake_finds built_elsewhere built_for_another_target)
# What Debian 12's do not do. Its libcurl 7.88 does not let go of a name lookup that hangs, nor forget how often former calls
# of a connection were sent again (after five, a call is an attempt that failed, for which connection_retries must not be 0),
# and takes more memory a connection over TLS. OpenSSL cleans up at exit, amid handshakes of other threads.
skip+=(a_name_lookup_that_never_ends connections_that_the_server_closes_cost_no_error fifty_connections_take_less
  a_process_may_end_while_threads_are_in_handshakes)
cargo test "${system[@]}" --no-fail-fast -- "${skip[@]/#/--skip=}"
