//! Attempts and waits, cell by cell, beside urllib3 itself as Feast's Python client sets it up.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::feast::program;
use crate::support::paths::root;
use crate::support::server::{Seen, Server, Step, features_of, reply, say};
use feast_remote::config::Config;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;

const STATUSES: [u16; 11] = [200, 400, 404, 413, 422, 429, 500, 501, 502, 503, 504];
const RETRY_AFTER: [Option<&str>; 9] = [
    None,
    Some("0"),
    Some("2"),
    Some(" 120 "),
    Some("999999"),
    Some("Mon, 06 Nov 2017 08:00:00 GMT"),
    Some("Fri, 31 Dec 9999 23:59:59 GMT"),
    Some("-1"),
    Some("soon"),
];
/// A cell's fault is met by so many requests before the server is well again.
const TIMES: [usize; 3] = [1, 3, 99];

#[derive(Clone, Copy, Debug)]
enum Fault {
    Status(u16, Option<&'static str>),
    ResetBeforeHeader,
    ResetWithinBody,
    ClosedBeforeHeader,
    ClosedWithinHeader,
    ClosedWithinBody,
    Garbage,
}

fn cells() -> Vec<(Fault, usize)> {
    let answers =
        STATUSES.into_iter().flat_map(|status| RETRY_AFTER.map(|header| Fault::Status(status, header)));
    let breaks = [
        Fault::ResetBeforeHeader,
        Fault::ResetWithinBody,
        Fault::ClosedBeforeHeader,
        Fault::ClosedWithinHeader,
        Fault::ClosedWithinBody,
        Fault::Garbage,
    ];
    answers.chain(breaks).flat_map(|fault| TIMES.map(|times| (fault, times))).collect()
}

fn steps(fault: Fault, seen: &Seen) -> Vec<Step> {
    match fault {
        Fault::Status(status, header) => {
            let body = if status == 200 { features_of(&seen.body) } else { "\"trouble\"".to_owned() };
            let headers: Vec<(&str, &str)> = header.map(|value| ("Retry-After", value)).into_iter().collect();
            vec![Step::Send(reply(status, &headers, body))]
        }
        Fault::ResetBeforeHeader => vec![Step::Reset],
        Fault::ResetWithinBody => {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::Reset]
        }
        Fault::ClosedBeforeHeader => vec![Step::Close],
        Fault::ClosedWithinHeader => vec![Step::Send(b"HTTP/1.1 200 O".to_vec()), Step::Close],
        Fault::ClosedWithinBody => {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), Step::Close]
        }
        Fault::Garbage => vec![Step::Send(b"\x15\x03\x01garbage\r\n\r\n".to_vec()), Step::Close],
    }
}

/// Answered at last, requests that the server saw, waits in seconds.
type Course = (bool, usize, Vec<f64>);

/// Where this library does something else on purpose, as the README lists it: what it does with a fault that is met so
/// many times.
fn listed_difference(fault: Fault, times: usize) -> Option<Course> {
    let differs = match fault {
        // Unreadable headers end urllib3's call; here the ordinary backoff stays.
        Fault::Status(status, Some("-1" | "soon")) => [413, 429, 500, 502, 503, 504].contains(&status),
        // urllib3 has handed over the response when the body breaks.
        Fault::ClosedWithinBody | Fault::ResetWithinBody => true,
        // A header cut off before its end is an empty header to urllib3, hence an answer.
        Fault::ClosedWithinHeader => true,
        _ => false,
    };
    let requests = (times + 1).min(4);
    differs.then(|| (times < 4, requests, [1.0, 2.0][..requests.saturating_sub(2)].to_vec()))
}

fn ours(url: &str, cell: usize) -> (bool, Vec<f64>) {
    let mut config = Config::new().unwrap();
    for (key, value) in [
        ("path", url),
        ("retry_jitter", "0"),
        ("retry_application_errors", "always"),
        ("request_timeout_ms", "0"),
        ("connection_pool_size", "1"),
    ] {
        config.set(key, value).unwrap();
    }
    let waits = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&waits);
    let remote =
        Remote::open_with_pause(&config, move |wait: Duration| told.lock().unwrap().push(wait)).unwrap();
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[cell as i64]).unwrap();
    let answered = remote.get_online_features(&request).is_ok();
    let waits = waits.lock().unwrap();
    (answered, waits.iter().map(Duration::as_secs_f64).filter(|wait| *wait > 0.0).collect())
}

#[test]
fn attempts_and_waits_are_urllib3s_but_for_the_listed_differences() {
    let cells = cells();
    assert!(cells.len() >= 120, "{}", cells.len());
    // Two servers, so that each client meets each cell's fault anew.
    let serve = || {
        let met: Arc<Mutex<HashMap<usize, usize>>> = Arc::default();
        let counts = Arc::clone(&met);
        let scripts = self::cells();
        let server = Server::start(move |seen| {
            let question: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
            let cell = question["entities"]["id"][0].as_u64().unwrap() as usize;
            let (fault, times) = scripts[cell];
            let mut met = met.lock().unwrap();
            let count = met.entry(cell).or_default();
            *count += 1;
            if *count <= times { steps(fault, seen) } else { say(200, features_of(&seen.body)) }
        });
        (server, counts)
    };

    let (their_server, their_counts) = serve();
    let output = Command::new(program("python"))
        .arg(root().join("tests/conformance/urllib3_cells.py"))
        .args([format!("{}/get-online-features", their_server.url()), cells.len().to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<(bool, Vec<f64>)> = serde_json::from_slice(&output.stdout).unwrap();

    let (our_server, our_counts) = serve();
    let mut differing = Vec::new();
    for (cell, (fault, times)) in cells.iter().enumerate() {
        let (answered, waits) = ours(&our_server.url(), cell);
        let our_course: Course = (answered, our_counts.lock().unwrap()[&cell], waits);
        let their_course: Course =
            (theirs[cell].0, their_counts.lock().unwrap()[&cell], theirs[cell].1.clone());
        let as_said = match listed_difference(*fault, *times) {
            Some(expected) => our_course == expected && our_course != their_course,
            None => our_course == their_course,
        };
        if !as_said {
            differing.push(format!("{fault:?} {times} times: ours {our_course:?}, urllib3 {their_course:?}"));
        }
    }
    assert!(differing.is_empty(), "of {} cells:\n{}", cells.len(), differing.join("\n"));
}
