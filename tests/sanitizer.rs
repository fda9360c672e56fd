//! Shows that AddressSanitizer and LeakSanitizer are at work where `make asan` runs the C programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod support;

use std::process::Command;

use support::cc::compile;
use support::server::{Server, answer};

#[test]
#[ignore = "make asan runs it"]
fn a_leak_and_a_use_after_free_in_the_library_are_found() {
    let program = compile("tests/c/sanitizer_is_on.c");
    let server = Server::start(answer);
    for (fault, words) in
        [("leak", "LeakSanitizer: detected memory leaks"), ("use", "AddressSanitizer: heap-use-after-free")]
    {
        let output = Command::new(&program).args([fault, &server.url()]).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && printed.contains(words), "{fault}: {printed}");
    }
}
