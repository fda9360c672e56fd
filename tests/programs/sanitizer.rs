//! Shows that the sanitizers are at work where `make asan` and `make tsan` run the tests.

use std::process::Command;

use crate::support::cc::compile;
use crate::support::server::{Server, answer};

#[test]
#[ignore = "make asan runs it"]
fn a_leak_and_a_use_after_free_in_the_library_are_found() {
    let program = compile("tests/programs/c/sanitizer_is_on.c");
    let server = Server::start(answer);
    for (fault, words) in
        [("leak", "LeakSanitizer: detected memory leaks"), ("use", "AddressSanitizer: heap-use-after-free")]
    {
        let output = Command::new(&program).args([fault, &server.url()]).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && printed.contains(words), "{fault}: {printed}");
    }
}

/// In Rust, and in libcurl: each function races in a process of its own, and ThreadSanitizer ends that process.
mod races {
    use std::cell::UnsafeCell;
    use std::ffi::{c_int, c_long, c_void};
    use std::process::Command;
    use std::thread;

    use feast_remote as _; // brings libcurl

    const CURLOPT_TIMEOUT_MS: c_int = 155;
    unsafe extern "C" {
        fn curl_easy_init() -> *mut c_void;
        fn curl_easy_setopt(easy: *mut c_void, option: c_int, ...) -> c_int;
        fn curl_easy_cleanup(easy: *mut c_void);
    }

    struct Unguarded<T>(UnsafeCell<T>);
    // SAFETY: it is not; that is what ThreadSanitizer shall say.
    unsafe impl<T> Sync for Unguarded<T> {}

    #[test]
    #[ignore = "make tsan runs it"]
    fn a_race_in_rust_and_one_in_libcurl_are_found() {
        for (race, place) in [("in_rust", "races::in_rust"), ("in_libcurl", "curl_easy_setopt")] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args([&format!("sanitizer::races::{race}"), "--exact", "--ignored"])
                .env("RACE", "1")
                .output()
                .unwrap();
            let printed = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{race} was not found: {printed}");
            assert!(
                printed.contains("ThreadSanitizer: data race") && printed.contains(place),
                "{race}: {printed}"
            );
        }
    }

    /// Only where the test above asks for it.
    fn twice_at_once(race: impl Fn() + Sync) {
        if std::env::var_os("RACE").is_some() {
            thread::scope(|scope| {
                scope.spawn(&race);
                scope.spawn(&race);
            });
        }
    }

    #[test]
    #[ignore = "a_race_in_rust_and_one_in_libcurl_are_found runs it"]
    fn in_rust() {
        let number = Unguarded(UnsafeCell::new(0u64));
        let shared = &number;
        // SAFETY: none.
        twice_at_once(|| unsafe { *shared.0.get() += 1 });
    }

    #[test]
    #[ignore = "a_race_in_rust_and_one_in_libcurl_are_found runs it"]
    fn in_libcurl() {
        // SAFETY: none; one handle is used by two threads.
        unsafe {
            let easy = Unguarded(UnsafeCell::new(curl_easy_init()));
            let shared = &easy;
            twice_at_once(|| {
                curl_easy_setopt(*shared.0.get(), CURLOPT_TIMEOUT_MS, 1000 as c_long);
            });
            curl_easy_cleanup(*easy.0.get());
        }
    }
}
