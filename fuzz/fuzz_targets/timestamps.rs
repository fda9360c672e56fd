//! Any text as a timestamp: what chrono reads as RFC 3339 is read alike.
#![no_main]

use chrono::DateTime;
use feast_remote::wire::answer::timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let ours = timestamp::parse(text);
    // chrono takes more digits of a fraction and other white space than we care about.
    if let (Some(moment), Ok(theirs)) = (ours, DateTime::parse_from_rfc3339(text)) {
        let leap = text.as_bytes().get(17..19) == Some(b"60");
        let seconds = theirs.timestamp() + i64::from(leap);
        if let Some(whole) = moment.whole_seconds() {
            assert_eq!(whole, seconds, "{text}");
        }
        if let Some(nanoseconds) = theirs.timestamp_nanos_opt()
            && !leap
        {
            assert_eq!(moment.nanoseconds(), nanoseconds, "{text}");
        }
    }
});
