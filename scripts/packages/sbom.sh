#!/usr/bin/env bash
# What is inside the library, with versions and licences, for programs that look such lists through: a bill of materials in
# CycloneDX's format, PACKAGES/libfeast_remote-VERSION.cdx.json. The same sources give the same bytes.
source "$(dirname "$0")/../common.sh"
mkdir -p "$PACKAGES"
# `cargo metadata` alone also has what only the tests' features ask for.
inside=$(cargo tree --quiet --locked --edges normal,no-proc-macro --prefix none --format '{p}' --target "$host" |
  sed -nE 's/^([^ ]+) v([^ ]+).*/\1 \2/p')
cargo metadata --quiet --format-version 1 --locked --filter-platform "$host" |
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)} \
    python3 scripts/sbom.py "$(rustc --version)" "$inside" >"$PACKAGES/libfeast_remote-$version.cdx.json"
