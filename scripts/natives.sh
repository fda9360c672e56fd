#!/usr/bin/env bash
# The libraries that the packages of each language carry: NATIVES/RUST_TARGET/libfeast_remote.{so,a}. `natives.sh` copies those
# of `make build`, for this machine.
source "$(dirname "$0")/common.sh"
natives=${NATIVES:-$target/natives}
[[ -e $so ]] || scripts/build.sh
install -d "$natives/$host"
install -m 755 "$so" "$natives/$host/libfeast_remote.so"
install -m 644 "${so%.so}.a" "$natives/$host/libfeast_remote.a"
