#!/usr/bin/env bash
# The packages, with the natives inside, in PACKAGES, and the checksums of all of them: packages.sh [KIND ...], of those that
# scripts/packages has a script for.
source "$(dirname "$0")/common.sh"
export NATIVES=$(realpath -m "${NATIVES:-$target/natives}") PACKAGES=$(realpath -m "${PACKAGES:-$target/packages}")
# The same sources give the same bytes: packages carry the time of the commit, which files of a source tarball have, and modes that
# do not depend on who packs.
if [[ -e .git ]]; then committed=$(git log -1 --format=%ct); else committed=$(stat -c %Y Cargo.toml); fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$committed}
umask 022
scripts/natives.sh
mkdir -p "$PACKAGES"
(($#)) || set -- $(cd scripts/packages && ls | sed 's/\.sh$//')
for kind; do "scripts/packages/$kind.sh"; done
cd "$PACKAGES"
find . -type f ! -name SHA256SUMS ! -name '*.sha256' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum >SHA256SUMS
