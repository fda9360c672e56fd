#!/usr/bin/env bash
# Header, libraries, pkg-config and CMake files, to PREFIX below DESTDIR (and LIBDIR, INCLUDEDIR). `install.sh uninstall` takes
# them away.
source "$(dirname "$0")/common.sh"
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib} includedir=${INCLUDEDIR:-$prefix/include}
into_include=${DESTDIR-}$includedir into_lib=${DESTDIR-}$libdir

if [[ ${1-} = uninstall ]]; then
  rm -f "$into_include"/feast_remote.{h,hpp} "$into_lib"/libfeast_remote.{a,so,so.*} "$into_lib/pkgconfig/feast_remote.pc"
  rm -rf "$into_lib/cmake/FeastRemote" "$into_include/feast_remote"
  exit
fi

# What has been built is not built again, so that only `make build` needs Rust.
[[ -e $so ]] || scripts/build.sh
from() { realpath -m --relative-to="$1" "$2"; }
filled_in() { # FILE OF packaging/
  sed -e "s|@PC_PREFIX@|${PC_PREFIX:-$prefix}|" -e "s|@VERSION@|$version|" \
    -e "s|@LIB_FROM_PREFIX@|$(from "$prefix" "$libdir")|" \
    -e "s|@INCLUDE_FROM_PREFIX@|$(from "$prefix" "$includedir")|" \
    -e "s|@INCLUDE_FROM_LIB@|$(from "$libdir" "$includedir")|" "packaging/$1"
}
install -d "$into_include/feast_remote" "$into_lib/pkgconfig" "$into_lib/cmake/FeastRemote"
install -m 644 include/feast_remote.h bindings/cpp/include/feast_remote.hpp "$into_include"
install -m 644 bindings/cpp/include/feast_remote/*.hpp "$into_include/feast_remote"
install -m 755 "$so" "$into_lib/libfeast_remote.so.$version"
ln -sf "libfeast_remote.so.$version" "$into_lib/libfeast_remote.so.0"
ln -sf libfeast_remote.so.0 "$into_lib/libfeast_remote.so"
install -m 644 "${so%.so}.a" "$into_lib/libfeast_remote.a"
filled_in feast_remote.pc.in >"$into_lib/pkgconfig/feast_remote.pc"
for file in FeastRemoteConfig FeastRemoteConfigVersion; do
  filled_in "$file.cmake" >"$into_lib/cmake/FeastRemote/$file.cmake"
done
