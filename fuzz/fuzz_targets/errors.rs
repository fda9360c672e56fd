//! Any bytes as the body of a refusal: there is always something to say, and never too much of it.
#![no_main]

use feast_remote::wire::answer::server_error;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let said = server_error::parse(body, |words| words);
    assert!(said.message.len() < 20_000);
});
