//! Link arguments, which rustc does not set by itself; and stops a build that would leave a library that is quietly worse, with
//! one line that says what to do.

use std::path::Path;
use std::{env, fs};

/// cargo does not look there when the project is built from elsewhere.
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.cargo/config.toml");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.cargo/config.toml");
    println!("cargo::rerun-if-changed=packaging/feast_remote.map");
    println!("cargo::rerun-if-changed=packaging/linker/cc");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        println!("cargo::error=libfeast_remote is for Linux");
        return;
    }
    let vendored = env::var_os("CARGO_FEATURE_VENDORED").is_some();
    if vendored {
        check_libcurls_flags();
    }
    // nodelete: libcurl, OpenSSL and Rust's std keep thread-local destructors and resolver threads that
    // would run unmapped code after a dlclose().
    for argument in ["-soname,libfeast_remote.so.0", "-z,nodelete", "-z,now", "-z,relro"] {
        println!("cargo::rustc-cdylib-link-arg=-Wl,{argument}");
    }
    stop_other_linkers();
    // What libcurl calls by this name is ours (`transport::trust`).
    if vendored && env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86_64") {
        println!("cargo::rustc-link-arg=-Wl,--wrap=SSL_set_bio");
    }
}

/// libcurl's flags come to curl-sys by the environment, where other flags may stand already.
fn check_libcurls_flags() {
    let compiler = match cc::Build::new().try_get_compiler() {
        Ok(compiler) => compiler,
        Err(error) => return println!("cargo::error=the C compiler: {error}"),
    };
    let given = |flag: &&str| compiler.args().iter().any(|argument| argument == flag);
    let wanted = include_str!(".cargo/config.toml").split(['"', ' ', '\n', '\\']);
    let mut missing: Vec<&str> =
        wanted.filter(|word| word.starts_with("-D")).filter(|flag| !given(flag)).collect();
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        let variable = if env::var("HOST") == env::var("TARGET") { "HOST_CFLAGS" } else { "TARGET_CFLAGS" };
        println!(
            "cargo::error=libcurl would fail above 1023 open files, or be slower: give cargo `--config {CONFIG}`, or add to {variable}: {}",
            missing.join(" ")
        );
    }
}

/// A linker script that `packaging/linker/cc` takes out. Its name speaks, too, for linkers that take no such script (zig).
fn stop_other_linkers() {
    let script =
        Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("needs-the-linker-in-.cargo-config.toml.ld");
    let assertion = format!(
        "ASSERT(0, \"libfeast_remote.so would lack its version node: give cargo `--config {CONFIG}` and no other linker, \
         or build the static library alone (`cargo rustc --crate-type staticlib`) and link it with {}/packaging/link-shared\")\n",
        env!("CARGO_MANIFEST_DIR")
    );
    match fs::write(&script, assertion) {
        Ok(()) => println!("cargo::rustc-cdylib-link-arg={}", script.display()),
        Err(error) => println!("cargo::error={}: {error}", script.display()),
    }
}
