#!/usr/bin/env bash
# Packages that take long to try: Debian's, checked by lintian and installed in a Debian made for it; Conan's recipe and vcpkg's port,
# each of which builds the sources; the wheel in every Python that can be had. VCPKG_ROOT names a clone of vcpkg with its program; without it the port is not tried.
source "$(dirname "$0")/common.sh"
((EUID == 0)) || { echo "Only root can make a Debian to install in" >&2; exit 1; }
scripts/need.sh test
scripts/need.sh packages
scripts/build.sh
scripts/env.sh feast conan pythons
export NATIVES=$(realpath -m "$target/natives") PACKAGES=$(realpath -m "$target/packages")
scripts/packages.sh deb source
skip=()
if [[ ! ${VCPKG_ROOT-} ]]; then
  echo "VCPKG_ROOT is not set: vcpkg's port is left out"
  skip=(--skip vcpkg)
fi
cargo test --test packages -- --ignored "${skip[@]}" "$@"
