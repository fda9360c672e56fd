//! examples/inference_server, built as its users would, before a real Feast and before a server that misbehaves.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use crate::support::feast::Feast;
use crate::support::installed::{Installed, ran};
use crate::support::paths::{root, scratch, target};
use crate::support::prometheus::Ended;
use crate::support::server::{Server, Step, answer, reply, say};
use crate::support::wait::wait_until;

mod comparison;
mod merging;

/// The program, the one that it is compared with, and a trained model.
struct Built {
    program: PathBuf,
    by_hand: PathBuf,
    model: PathBuf,
}

static BUILT: LazyLock<Built> = LazyLock::new(built);

fn python() -> Command {
    let program = target().join("feast-venv/bin/python");
    assert!(program.exists(), "run `make env` (`make test` does)");
    Command::new(program)
}

fn expected() -> PathBuf {
    target().join("feast-repo/data/expected.json")
}

fn built() -> Built {
    let installed = Installed::new();
    let (build, model) = (scratch(), scratch());
    ran(Command::new("cmake")
        .arg("-S")
        .arg(root().join("examples/inference_server"))
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", installed.prefix.display()))
        .args(["-DCMAKE_BUILD_TYPE=Debug", "-DCOMPARISON=ON"]));
    ran(Command::new("cmake").arg("--build").arg(&build).args(["--parallel", "2"]));
    ran(python().arg(root().join("examples/inference_server/train.py")).arg(expected()).arg(&model));
    let [program, by_hand] = ["inference_server", "inference_server_by_hand"].map(|name| build.join(name));
    Built { program, by_hand, model }
}

/// A running inference server.
struct Serving {
    process: Ended,
    url: String,
}

impl Serving {
    /// With the example's own settings, or other ones; it goes on for so many seconds when it is told to end.
    fn start(built: &Built, feast: &str, settings: Option<&str>, drain_seconds: u32) -> Serving {
        let mut file = root().join("examples/inference_server/feature_store.yaml");
        if let Some(settings) = settings {
            file = scratch().join("feature_store.yaml");
            std::fs::write(&file, settings).unwrap();
        }
        Serving::run(&built.program, &built.model, feast, &file, drain_seconds)
    }

    fn run(program: &Path, model: &Path, feast: &str, settings: &Path, drain_seconds: u32) -> Serving {
        let mut child = Command::new(program)
            .args([model, settings])
            .args(["0", &drain_seconds.to_string()])
            .env("FEAST_URL", feast)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Serving { process: Ended(child), url: format!("http://127.0.0.1:{}", line.trim()) }
    }

    fn curl(&self, path: &str, options: &[&str]) -> Command {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "30", "-i"]).args(options).arg(format!("{}{path}", self.url));
        command
    }

    /// Status, head and body.
    fn ask(&self, path: &str, options: &[&str]) -> (u16, String, String) {
        said(&ran(&mut self.curl(path, options)).stdout)
    }

    fn infer(&self, datatype: &str, data: &Value, options: &[&str]) -> (u16, String, String) {
        self.ask("/v2/models/driver_score/infer", &[&["-d", &question(datatype, data)], options].concat())
    }

    fn metric(&self, line: &str) -> Option<f64> {
        let (_, _, body) = self.ask("/metrics", &[]);
        body.lines().find_map(|l| l.strip_prefix(line)?.trim().parse().ok())
    }

    fn signal(&self, signal: i32) {
        // SAFETY: a signal to a child that was not waited for.
        unsafe { libc::kill(self.process.0.id() as i32, signal) };
    }
}

fn said(output: &[u8]) -> (u16, String, String) {
    let text = String::from_utf8_lossy(output);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

fn question(datatype: &str, data: &Value) -> String {
    let rows = data.as_array().unwrap().len();
    json!({"inputs": [{"name": "driver_id", "datatype": datatype, "shape": [rows], "data": data}]})
        .to_string()
}

fn a_real_client_is_scored_from_a_real_feast(built: &Built) {
    let feast = Feast::serve(&[]);
    let serving = Serving::start(built, &feast.url(), None, 0);
    ran(python()
        .arg(root().join("tests/programs/python/inference_client.py"))
        .arg(serving.url.strip_prefix("http://").unwrap())
        .arg(&built.model)
        .arg(expected()));
    let missing = |feature: &str, reason: &str| {
        let labels = format!("{{feature=\"driver_hourly_stats:{feature}\",reason=\"{reason}\"}}");
        serving.metric(&format!("inference_features_missing_total{labels}")).unwrap()
    };
    assert_eq!(missing("conv_rate", "null"), 1.0);
    assert_eq!(missing("conv_rate", "not_found"), 1.0);
    assert_eq!(missing("acc_rate", "null"), 0.0);
    // The library's figures stand beside the server's.
    let calls = serving.metric("feast_remote_calls_total{store=\"features\",outcome=\"success\"}").unwrap();
    assert!(calls >= 2.0, "{calls}");

    let wrong: [(&str, Value, &str); 3] = [
        ("FP32", json!([1.5]), "entities are INT64 or BYTES"),
        ("INT64", json!(["x"]), "is no INT64"),
        ("INT64", json!([]), "there are no rows"),
    ];
    for (datatype, data, words) in wrong {
        let (status, _, body) = serving.infer(datatype, &data, &[]);
        assert_eq!(status, 400, "{body}");
        assert!(body.contains(words), "{body}");
    }
    // Feast's own words about a type that only its registry knows. Coming again would not help, as it does after an outage.
    let (status, _, body) = serving.infer("BYTES", &json!(["abc"]), &[]);
    assert_eq!(status, 502, "{body}");
    assert!(body.contains("invalid literal for int()"), "{body}");
    drop(feast);
    let (status, head, body) = serving.infer("INT64", &json!([1001]), &[]);
    assert_eq!(status, 503, "{body}");
    assert!(head.contains("Retry-After: 1"), "{head}");
}

fn a_deadline_and_a_trace_travel_and_old_features_are_missing(built: &Built) {
    // Of 1970, while the model takes nothing older than a year.
    let server = Server::start(|seen| {
        if seen.target.starts_with("GET") {
            return say(200, "{}");
        }
        if String::from_utf8_lossy(&seen.body).contains("7777") {
            return vec![Step::Wait(std::time::Duration::from_secs(20))];
        }
        let names = ["driver_id", "conv_rate", "acc_rate", "avg_daily_trips"];
        let results: Vec<Value> = (0..names.len())
            .map(|_| json!({"values": [1], "statuses": ["PRESENT"], "event_timestamps": ["1970-01-02T00:00:00Z"]}))
            .collect();
        let text = json!({"metadata": {"feature_names": names}, "results": results}).to_string();
        vec![Step::Send(reply(200, &[("Content-Type", "application/json")], text))]
    });
    let serving = Serving::start(built, &server.url(), None, 0);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [&format!("traceparent: {traceparent}"), "tracestate: vendor=1"];
    let (status, _, body) = serving.infer("INT64", &json!([1]), &["-H", headers[0], "-H", headers[1]]);
    assert_eq!(status, 200, "{body}");
    let line = "inference_features_missing_total{feature=\"driver_hourly_stats:acc_rate\",reason=\"outside_max_age\"}";
    assert_eq!(serving.metric(line), Some(1.0));
    // W3C: what is no trace context is ignored, and the request is answered.
    let (status, _, body) = serving.infer("INT64", &json!([2]), &["-H", "traceparent: nonsense"]);
    assert_eq!(status, 200, "{body}");
    let sent = server.seen().into_iter().filter(|seen| seen.target.starts_with("POST"));
    let traced: Vec<_> = sent
        .map(|seen| {
            ["traceparent", "tracestate"].map(|name| seen.headers.get(name).cloned().unwrap_or_default())
        })
        .collect();
    assert_eq!(traced, [[traceparent, "vendor=1"], ["", ""]]);
    let (status, _, body) =
        serving.infer("INT64", &json!([7777]), &["-H", "x-envoy-expected-rq-timeout-ms: 200"]);
    assert_eq!(status, 504, "{body}");
}

fn begin(serving: &Serving, timeout_ms: u32, driver: i64) -> Child {
    let header = format!("x-envoy-expected-rq-timeout-ms: {timeout_ms}");
    serving
        .curl("/v2/models/driver_score/infer", &["-d", &question("INT64", &json!([driver])), "-H", &header])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn an_overloaded_store_is_told_and_a_drain_loses_nothing(built: &Built) {
    let go_on = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&go_on);
    let server = Server::start(move |seen| match seen.target.starts_with("POST") {
        true => [vec![Step::Until(Arc::clone(&until))], answer(seen)].concat(),
        false => say(200, "{}"),
    });
    let settings =
        "project: drivers\nonline_store:\n  type: remote\n  path: ${FEAST_URL}\n  connection_pool_size: 1\n";
    let mut serving = Serving::start(built, &server.url(), Some(settings), 1);
    assert_eq!(serving.ask("/v2/health/ready", &[]).0, 200);
    // The first has the only connection.
    let first = begin(&serving, 30_000, 1);
    wait_until("the first request has come", || {
        server.seen().iter().any(|seen| seen.target.starts_with("POST"))
    });
    let (status, head, body) = said(&begin(&serving, 100, 2).wait_with_output().unwrap().stdout);
    assert_eq!(status, 503, "{body}");
    assert!(head.contains("Retry-After: 1"), "{head}");

    serving.signal(libc::SIGTERM);
    wait_until("it says that it is not ready", || serving.ask("/v2/health/ready", &[]).0 == 503);
    assert_eq!(serving.ask("/v2/health/live", &[]).0, 200);
    go_on.store(true, Ordering::SeqCst);
    let (status, _, body) = said(&first.wait_with_output().unwrap().stdout);
    assert_eq!(status, 200, "{body}");
    assert!(serving.process.0.wait().unwrap().success());
}

#[test]
fn the_inference_server_serves_real_clients_and_bears_what_happens() {
    a_real_client_is_scored_from_a_real_feast(&BUILT);
    a_deadline_and_a_trace_travel_and_old_features_are_missing(&BUILT);
    an_overloaded_store_is_told_and_a_drain_loses_nothing(&BUILT);
}
