# Sourced by the other scripts: the project's folder, cargo's folder, and what is built there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}
release=$target/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release
so=${SO:-$release/libfeast_remote.so}
host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p') || true # `make install` does without Rust
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Where PyPI's Go is, if scripts/env.sh had to install it.
[[ ! -e $target/go/bin/go ]] || PATH=$(realpath "$target/go/bin"):$PATH

# Builds that need OpenSSL compiled, but not their own way (sanitizers), take the release build's: a minute and a half each.
use_openssl_of_the_release_build() {
  OPENSSL_DIR=$(realpath "$(ls -td "$(dirname "$release")"/dist/build/openssl-sys-*/out/openssl-build/install | head -n 1)")
  export OPENSSL_DIR OPENSSL_NO_VENDOR=1 OPENSSL_STATIC=1
}

# A tarball that is the same wherever and whenever it is made.
tarball() { # FOLDER NAME_IN_IT FILE
  tar --sort=name --mtime="@${SOURCE_DATE_EPOCH:-0}" --mode=go=u-w --owner=0 --group=0 --numeric-owner --format=gnu -C "$1" -cf - "$2" |
    gzip -n >"$3"
}
