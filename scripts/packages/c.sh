#!/usr/bin/env bash
# What scripts/install.sh installs, to be unpacked anywhere, with the licences of all that is in it, and checksums:
# PACKAGES/feast_remote-VERSION-RUST_TARGET.tar.gz for each library in NATIVES, and its checksum.
source "$(dirname "$0")/../common.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for library in "$NATIVES"/*/libfeast_remote.so; do
  name=feast_remote-$version-$(basename "$(dirname "$library")")
  SO=$library DESTDIR=$scratch PREFIX=/$name LIBDIR='' INCLUDEDIR='' PC_PREFIX=\${pcfiledir}/../.. scripts/install.sh
  cp -r README.md CHANGELOG.md CONFIGURATION.md STATISTICS.md LICENSE THIRD_PARTY.md docs "$scratch/$name"
  (cd "$scratch/$name" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >"$scratch/SHA256SUMS")
  mv "$scratch/SHA256SUMS" "$scratch/$name"
  tarball "$scratch" "$name" "$PACKAGES/$name.tar.gz"
  (cd "$PACKAGES" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
done
