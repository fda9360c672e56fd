//! Stops a build that would leave a library that is quietly worse, with one line that says what to do.

use std::env;

/// cargo does not look there when the project is built from elsewhere.
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.cargo/config.toml");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.cargo/config.toml");
    println!("cargo::rerun-if-env-changed=OPENSSL_SRC_PERL");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        println!("cargo::error=libfeast_remote is for Linux");
        return;
    }
    if env::var_os("CARGO_FEATURE_CAPI").is_some() {
        println!(
            "cargo::error=cargo-c would leave a shared library without its version node, and a static one whose OpenSSL takes \
             the place of a program's own: `make install` in {}",
            env!("CARGO_MANIFEST_DIR")
        );
        return;
    }
    let vendored = env::var_os("CARGO_FEATURE_VENDORED").is_some();
    if vendored {
        check_libcurls_flags();
        check_openssls_configure();
    }
    // For programs in Rust: the project's tests. What libcurl calls by this name is ours (`transport::trust`).
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

/// OpenSSL's comes to its crate by the environment, too.
fn check_openssls_configure() {
    let given = env::var("OPENSSL_SRC_PERL").unwrap_or_default();
    let of_the_machine = env::var("OPENSSL_NO_VENDOR").is_ok_and(|value| value != "0");
    if !of_the_machine && !given.ends_with("packaging/openssl-configure") {
        println!(
            "cargo::error=OpenSSL would load code and configuration from the folder of this build: give cargo `--config {CONFIG}`, or \
             set OPENSSL_SRC_PERL to {}/packaging/openssl-configure",
            env!("CARGO_MANIFEST_DIR")
        );
    }
}
