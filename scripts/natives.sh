#!/usr/bin/env bash
# The libraries that packages carry: NATIVES/RUST_TARGET/libfeast_remote.{so,a}. `natives.sh` copies those of `make build`, for this
# machine and its C library or newer ones. `natives.sh all`, or the targets, builds for glibc 2.17 and musl 1.2 with zig's compilers
# (some minutes a target; needs binutils-aarch64-linux-gnu).
source "$(dirname "$0")/common.sh"
natives=${NATIVES:-$target/natives}

take() { # RUST_TARGET LIBRARY
  install -d "$natives/$1"
  install -m 755 "$2" "$natives/$1/libfeast_remote.so"
  install -m 644 "${2%.so}.a" "$natives/$1/libfeast_remote.a"
}

if ((!$#)); then
  [[ -e $so ]] || scripts/build.sh
  take "$host" "$so"
  exit
fi

[[ $1 != all ]] || set -- {x86_64,aarch64}-unknown-linux-{gnu,musl}
scripts/env.sh zig
zig=$(realpath -s "$target/zig/bin")
for triple; do
  rustup --quiet target add "$triple"
  machine=${triple%%-*} flavour=${triple##*-} with=$triple flags=${RUSTFLAGS-} cross=
  zig_target=$machine-linux-$flavour
  if [[ $flavour = gnu ]]; then
    with+=.2.17 zig_target+=.2.17
  else
    flags+=" -C target-feature=-crt-static" # else the archive would bring a C library
  fi
  [[ $machine = "$(uname -m)" ]] || cross=$machine-linux-gnu-
  CARGO_BUILD_TARGET=$triple PATH=$zig:$PATH RUSTFLAGS=$flags BUILD_WITH=cargo-zigbuild CROSS=$cross \
    LINK_WITH="$zig/python -m ziglang cc -target $zig_target" LINK_FLAGS=-lunwind scripts/build.sh --target "$with"
  take "$triple" "$target/$triple/release/libfeast_remote.so"
done
