#!/usr/bin/env bash
# The libraries that packages carry: NATIVES/RUST_TARGET/libfeast_remote.{so,a}. Without PLATFORMS those of `make build`, for this
# machine and its C library or newer ones. With PLATFORMS, which lists Rust targets or is `all`, built for glibc 2.17 or newer and for
# musl 1.2, some minutes each: zig has the compilers, headers and C libraries.
source "$(dirname "$0")/common.sh"
natives=${NATIVES:-$target/natives}
# What another run has left may be of another version.
rm -rf "$natives"/*-unknown-linux-*

take() { # RUST_TARGET LIBRARY
  install -d "$natives/$1"
  install -m 755 "$2" "$natives/$1/libfeast_remote.so"
  install -m 644 "${2%.so}.a" "$natives/$1/libfeast_remote.a"
}

platforms=(${PLATFORMS-})
if ((!${#platforms[@]})); then
  [[ -e $so ]] || scripts/build.sh
  take "$host" "$so"
  exit
fi

[[ ${platforms[0]} != all ]] || platforms=({x86_64,aarch64}-unknown-linux-{gnu,musl})
scripts/need.sh natives
scripts/env.sh zig
zig=$(realpath -s "$target/zig/bin")
for rust_target in "${platforms[@]}"; do
  rustup --quiet target add "$rust_target"
  machine=${rust_target%%-*} libc=${rust_target##*-} flags=${RUSTFLAGS-} cross=
  if [[ $libc = gnu ]]; then
    libc=gnu.2.17
  else
    flags+=" -C target-feature=-crt-static" # else the static library would bring a C library
  fi
  [[ $machine = "$(uname -m)" ]] || cross=$machine-linux-gnu-
  # zig's unwinder goes into the shared library, since musl systems may lack libgcc_s.
  CARGO_BUILD_TARGET=$rust_target BUILD_WITH=$zig/cargo-zigbuild CARGO_ZIGBUILD_ZIG_PATH=$zig/zig RUSTFLAGS=$flags CROSS=$cross \
    LINK_WITH="$zig/zig cc -target $machine-linux-$libc" LINK_FLAGS=-lunwind \
    scripts/build.sh --target "${rust_target/%gnu/$libc}"
  take "$rust_target" "$target/$rust_target/release/libfeast_remote.so"
done
