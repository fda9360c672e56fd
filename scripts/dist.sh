#!/usr/bin/env bash
# What scripts/install.sh installs, to be unpacked anywhere, with the licences of all that is in it, and checksums.
source "$(dirname "$0")/common.sh"
[[ ${SO-} ]] || scripts/build.sh
dist=$(realpath -m "${DIST:-$target/dist}") name=feast_remote-$version-${CARGO_BUILD_TARGET:-$host}
rm -rf "$dist"
DESTDIR=$dist PREFIX=/$name LIBDIR='' INCLUDEDIR='' PC_PREFIX=\${pcfiledir}/../.. scripts/install.sh
cp -r README.md CHANGELOG.md CONFIGURATION.md STATISTICS.md LICENSE THIRD_PARTY.md docs "$dist/$name"
cd "$dist/$name"
find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS
cd "$dist"
tar --sort=name --owner=0 --group=0 --numeric-owner -czf "$name.tar.gz" "$name"
sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
