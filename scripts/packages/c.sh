#!/usr/bin/env bash
# A tarball of what is installed for each platform (scripts/dist.sh), with its checksum:
# PACKAGES/feast_remote-VERSION-RUST_TARGET.tar.gz
source "$(dirname "$0")/../common.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for native in "$NATIVES"/*/; do
  CARGO_BUILD_TARGET=$(basename "$native") SO=$native/libfeast_remote.so DIST=$scratch/dist scripts/dist.sh
  mv "$scratch"/dist/*.tar.gz "$scratch"/dist/*.sha256 "$PACKAGES"
done
