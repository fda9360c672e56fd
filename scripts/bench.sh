#!/usr/bin/env bash
# bench.sh compare|feast_sdk|front_doors|inference|merging|overload|servers|writes: that script of benches/, with what it needs.
source "$(dirname "$0")/common.sh"
scripts/need.sh bench
[[ $1 != inference ]] || scripts/need.sh bench-inference
scripts/build.sh
scripts/env.sh feast java go
source scripts/common.sh # for Go
installed=$(realpath -m "$target/installed")
DESTDIR='' PREFIX=$installed LIBDIR='' INCLUDEDIR='' scripts/install.sh
case $1 in
  compare) benches/compare.sh "$installed" "$target/feast-venv" "$target/feast-repo" ;;
  feast_sdk) benches/feast_sdk.sh "$installed" "$target/feast-venv" "$target/feast-repo" ;;
  front_doors) benches/front_doors.sh "$installed" "$target/feast-venv" "$target/java" ;;
  inference)
    scripts/env.sh inference
    benches/inference.sh "$installed" "$target/feast-venv" "$target/feast-repo"
    ;;
  merging) benches/merging.sh "$installed" "$target/feast-venv" "$target/feast-repo" ;;
  overload) benches/overload.sh "$installed" ;;
  servers) benches/servers.sh "$installed" "$target/feast-venv" "$target/feast-repo" ;;
  writes) benches/writes.sh "$installed" "$target/feast-venv" "$target/feast-repo" ;;
esac
