//! Concurrent requests to the inference server reach Feast together.

use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::{BUILT, Serving, question, ran};
use crate::support::paths::scratch;
use crate::support::server::{Server, answer};

const REQUESTS: usize = 160;

/// So many requests of one row each, 16 at a time, for different drivers; how many requests Feast's place saw for them.
fn requests_seen(settings: Option<&str>) -> (usize, Serving) {
    // One worker, as of Feast, and slow enough for those that come meanwhile to gather.
    let worker = Mutex::new(());
    let server = Server::start(move |seen| {
        let _busy = worker.lock().unwrap();
        std::thread::sleep(Duration::from_millis(5));
        answer(seen)
    });
    let serving = Serving::start(&BUILT, &server.url(), settings, 0);
    let transfers = scratch().join("curl.txt");
    let transfer = |driver: usize| {
        let data = question("INT64", &json!([driver])).replace('"', "\\\"");
        let url = format!("{}/v2/models/driver_score/infer", serving.url);
        let header = "x-envoy-expected-rq-timeout-ms: 30000";
        let answer = "output = \"/dev/null\"\nwrite-out = \"%{http_code} \"";
        format!("url = \"{url}\"\nheader = \"{header}\"\ndata = \"{data}\"\n{answer}\n")
    };
    std::fs::write(&transfers, (0..REQUESTS).map(transfer).collect::<Vec<_>>().join("next\n")).unwrap();
    let output = ran(Command::new("curl")
        .args(["--silent", "--parallel", "--parallel-immediate", "--parallel-max", "16", "--config"])
        .arg(transfers));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "200 ".repeat(REQUESTS));
    (server.requests(), serving)
}

#[test]
fn concurrent_requests_to_the_inference_server_share_requests_to_feast() {
    let (merged, serving) = requests_seen(None);
    // The first ones go both ways, to see whether the answers are the same.
    assert!(merged < REQUESTS / 2, "{merged} requests of {REQUESTS}");
    let metric = |name: &str| {
        serving
            .metric(&format!("feast_remote_{name}{{store=\"features\"}}"))
            .unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(metric("wire_requests_total"), merged as f64);
    assert!(metric("calls_merged_total") > metric("requests_merged_total"));

    let settings = "project: drivers\nonline_store: {type: remote, path: \"${FEAST_URL}\"}\n";
    let (alone, _serving) = requests_seen(Some(settings));
    assert_eq!(alone, REQUESTS);
}
