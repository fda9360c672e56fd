#!/usr/bin/env bash
# The release library: build.sh [FLAG OF CARGO ...]. cargo builds the static one, with all that it needs; of that the one is made
# whose functions alone are seen, and the shared one is linked from it. For another machine (scripts/natives.sh) BUILD_WITH names what
# builds, LINK_WITH what links, CROSS what stands before the names of its binutils, LINK_FLAGS more flags for the linker.
source "$(dirname "$0")/common.sh"
scripts/need.sh build

# No path of this machine, neither in messages nor in debug information; then two builds in two folders are the same.
cargo_home=$(realpath -m "${CARGO_HOME:-$HOME/.cargo}")
for path in "$PWD=." "$(realpath -m "$target")=target" "$cargo_home=cargo" "$(rustc --print sysroot)=rust"; do
  RUSTFLAGS="${RUSTFLAGS-} --remap-path-prefix=$path"
  CFLAGS="${CFLAGS-} -ffile-prefix-map=$path"
done
# No panic unwinds through C: it ends in or before our functions that C calls. Debuggers find the same in the debug information.
CFLAGS+=" -fno-asynchronous-unwind-tables -fno-unwind-tables"
export RUSTFLAGS CFLAGS
# cargo does not know what OpenSSL is configured by.
built_openssl=$(ls -t "$(dirname "$release")"/dist/build/openssl-sys-*/output 2>/dev/null | head -n 1) || true
if [[ $built_openssl && packaging/openssl-configure -nt $built_openssl ]]; then
  cargo clean --quiet --profile dist --package openssl-sys
fi
"${BUILD_WITH:-cargo}" rustc --profile dist --locked --lib --crate-type staticlib "$@"

built=$(dirname "$release")/dist/libfeast_remote.a
if [[ ! $so -nt $built || $so -ot packaging/link-shared || $so -ot packaging/merge-static ]]; then
  mkdir -p "$release"
  packaging/merge-static "$built" "$release/libfeast_remote.a"
  CC=${LINK_WITH:-${CC:-cc}} packaging/link-shared "$release/libfeast_remote.a" "$so.new" ${LINK_FLAGS-}
  "${CROSS-}objcopy" --only-keep-debug --compress-debug-sections "$so.new" "$so.debug"
  "${CROSS-}objcopy" --strip-all --remove-section=.comment --add-gnu-debuglink="$so.debug" "$so.new"
  "${CROSS-}strip" --strip-debug --enable-deterministic-archives "$release/libfeast_remote.a"
  mv "$so.new" "$so"
  rm "$so.new.0"
  ln -sf libfeast_remote.so "$so.0"
fi
