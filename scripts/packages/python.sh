#!/usr/bin/env bash
# A wheel of bindings/python for each library in NATIVES, tagged with the oldest C library that its symbols allow. What builds
# wheels comes from PyPI once, into target/python-build.
source "$(dirname "$0")/../common.sh"
natives=${NATIVES:-$target/natives} packages=${PACKAGES:-$target/packages}
build=$(realpath -m "$target/python-build")
if [[ ! -e $build/installed ]]; then
  python3 -m venv "$build"
  "$build/bin/pip" install --quiet --disable-pip-version-check hatchling
  touch "$build/installed"
fi

platform() { # LIBRARY RUST_TARGET: the platform of a wheel's tag
  local needed newest arch=${2%%-*}
  needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  if [[ $2 = *-musl ]]; then
    # Nothing but musl itself: libgcc_s is no part of musllinux.
    grep -qv '^libc\.\(musl-.*\)\?so' <<<"$needed" && echo "linux_$arch" || echo "musllinux_1_2_$arch"
  elif grep -qvE '^(lib(c|m|dl|rt|pthread|gcc_s)\.so\.[0-9]+|ld-linux.*)$' <<<"$needed"; then
    echo "linux_$arch"
  else
    newest=$(readelf -W --dyn-syms "$1" | grep -o '@GLIBC_[0-9.]*' | sed 's/@GLIBC_//' | printf '%s\n2.17\n' "$(cat)" | sort -V | tail -n 1)
    echo "manylinux_$(cut -d. -f1,2 <<<"$newest" | tr . _)_$arch"
  fi
}

mkdir -p "$packages"
rm -f "$packages"/feast_remote-*.whl
for library in "$natives"/*/libfeast_remote.so; do
  [[ -e $library ]] || continue
  rust_target=$(basename "$(dirname "$library")")
  FEAST_REMOTE_NATIVE=$(realpath "$library") FEAST_REMOTE_TAG=$(platform "$library" "$rust_target") \
    "$build/bin/pip" wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$packages" bindings/python
done
