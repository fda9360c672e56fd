#!/usr/bin/env bash
# Builds libraries and packages for all platforms and tries them: on this machine and in Debian 11, under qemu, with musl's loader.
# Takes half an hour the first time, and is for root.
source "$(dirname "$0")/common.sh"
scripts/need.sh prebuilt
scripts/env.sh feast go debian11 musl_aarch64 auditwheel
export NATIVES=$(realpath -m "$target/natives") PACKAGES=$(realpath -m "$target/packages")
PLATFORMS=all scripts/packages.sh
source scripts/common.sh # for Go
cargo test --test prebuilt -- "$@"
