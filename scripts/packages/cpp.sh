#!/usr/bin/env bash
# The C++ headers with CMake files and the libraries, for FetchContent: PACKAGES/feast_remote-cpp-VERSION.tar.gz
source "$(dirname "$0")/../common.sh"
name=feast_remote-cpp-$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
package=$scratch/$name
mkdir "$package"
cp -r bindings/cpp/{CMakeLists.txt,README.md,cmake,include} include LICENSE THIRD_PARTY.md CONFIGURATION.md "$package"
for native in "$NATIVES"/*/; do
  rust_target=$(basename "$native")
  install -d "$package/lib/$rust_target"
  # By its SONAME, under which programs look for it. On musl there may be the static one alone.
  [[ ! -e $native/libfeast_remote.so ]] ||
    install -m 755 "$native/libfeast_remote.so" "$package/lib/$rust_target/libfeast_remote.so.0"
  install -m 644 "$native/libfeast_remote.a" "$package/lib/$rust_target"
done
tarball "$scratch" "$name" "$PACKAGES/$name.tar.gz"
