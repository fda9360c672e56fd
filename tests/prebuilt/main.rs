//! The libraries of each platform, as scripts/natives.sh builds them and as packages carry them. Left out of `cargo test`:
//! `make test-prebuilt` builds them first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod go;
mod libraries;
mod packages;
mod programs;

use std::path::PathBuf;

use feast_remote as _; // what OpenSSL calls where the linker says --wrap (build.rs)
use support::paths::target;

const RUST_TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
];

/// One of scripts/natives.sh.
fn native(rust_target: &str, file: &str) -> PathBuf {
    let natives = std::env::var_os("NATIVES").map_or_else(|| target().join("natives"), PathBuf::from);
    let path = natives.join(rust_target).join(file);
    assert!(path.exists(), "{} is missing: run `make test-prebuilt`", path.display());
    path
}

/// One that scripts/packages.sh has made.
fn package(name: &str) -> PathBuf {
    let packages = std::env::var_os("PACKAGES").map_or_else(|| target().join("packages"), PathBuf::from);
    packages.join(name)
}

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    #[expect(dead_code)]
    pub mod feast;
    #[expect(dead_code)]
    pub mod installed;
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    #[expect(dead_code)]
    pub mod tls;
    pub mod wait;
}
