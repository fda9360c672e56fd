//! Link arguments; rustc sets none of them by itself.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=packaging/feast_remote.map");
    println!("cargo:rerun-if-changed=packaging/cc-with-version-node");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // nodelete: libcurl, OpenSSL and Rust's std keep thread-local destructors and resolver threads that
    // would run unmapped code after a dlclose().
    for argument in ["-soname,libfeast_remote.so.0", "-z,nodelete", "-z,now", "-z,relro"] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
    }
    // What libcurl calls by this name is ours (`transport::trust`).
    let x86_64 = std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86_64");
    if x86_64 && std::env::var_os("CARGO_FEATURE_VENDORED").is_some() {
        println!("cargo:rustc-link-arg=-Wl,--wrap=SSL_set_bio");
    }
}
