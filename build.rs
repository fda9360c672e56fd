//! Link arguments of the shared library; rustc sets none of them by itself.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // nodelete: libcurl, OpenSSL and Rust's std keep thread-local destructors and resolver threads that
    // would run unmapped code after a dlclose().
    for argument in ["-soname,libfeast_remote.so.0", "-z,nodelete", "-z,now", "-z,relro"] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
    }
}
