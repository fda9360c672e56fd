//! What a host sees of its stores.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::support::cc::{command, compile, passed, plain_and_memcheck};
use crate::support::paths::{root, scratch};
use crate::support::server::{Server, answer, reply, say};
use crate::support::wait::wait_until;
use feast_remote::config::Config;
use feast_remote::observe::prometheus;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;
use serde_json::Value;

#[test]
fn times_and_prometheus_text_hold_in_c_and_promtool_finds_no_fault() {
    let program = compile("tests/programs/c/observed.c");
    for &memcheck in plain_and_memcheck() {
        let server = Server::start(answer);
        let output = command(&program, memcheck).arg(server.url()).output().unwrap();
        passed("observed", &output);
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool, of Debian's package prometheus (`make test` installs it)");
        promtool.stdin.take().unwrap().write_all(&output.stdout).unwrap();
        let found = promtool.wait_with_output().unwrap();
        let words = [found.stdout, found.stderr].concat();
        assert!(found.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
    }
}

/// Ends a program that a test has started.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks Prometheus; what is not there yet has no result.
fn query(port: u16, expression: &str) -> Vec<Value> {
    let escaped: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", port)) else { return Vec::new() };
    let asked = format!("GET /api/v1/query?query={escaped} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let mut answer = String::new();
    if socket.write_all(asked.as_bytes()).and_then(|()| socket.read_to_string(&mut answer)).is_err() {
        return Vec::new();
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let Ok(said) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    assert_ne!(said["status"], "error", "{expression}: {said}");
    said["data"]["result"].as_array().cloned().unwrap_or_default()
}

fn value(result: &[Value]) -> f64 {
    result.first().and_then(|series| series["value"][1].as_str()?.parse().ok()).unwrap_or(f64::NAN)
}

#[test]
fn a_real_prometheus_scrapes_it_and_answers_the_dashboards_queries() {
    let server = Server::start(|seen| match seen.number % 10 {
        3 => say(404, ""),
        _ => answer(seen),
    });
    let mut config = Config::new().unwrap();
    config.set("path", &server.url()).unwrap();
    let remote = Arc::new(Remote::open(&config).unwrap());
    let scraped = Arc::clone(&remote);
    let metrics = Server::start(move |_| {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.set_entity_int64("id", &[1]).unwrap();
        // A call for each scrape, so that there are rates.
        let _ = scraped.get_online_features(&request);
        let text = prometheus::text(&[("mine".to_owned(), scraped.snapshot())]);
        vec![crate::support::server::Step::Send(reply(
            200,
            &[("Content-Type", "text/plain; version=0.0.4")],
            text,
        ))]
    });
    let folder = scratch();
    let settings = folder.join("prometheus.yml");
    let target = metrics.url().replace("http://", "");
    std::fs::write(
        &settings,
        format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\nscrape_configs:\n  - job_name: host\n    static_configs: \
             [{{targets: ['{target}']}}]\n"
        ),
    )
    .unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _prometheus = Ended(
        Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus, of Debian's package (`make test` installs it)"),
    );
    wait_until("it has scraped thirty times", || {
        value(&query(port, "feast_remote_calls_total{outcome=\"success\"}")) >= 30.0
    });
    assert!(value(&query(port, "rate(feast_remote_calls_total{outcome=\"error\"}[1m])")) > 0.0);
    let p99 =
        value(&query(port, "histogram_quantile(0.99, rate(feast_remote_call_duration_seconds_bucket[1m]))"));
    let figures: Value = serde_json::from_str(&remote.stats_json()).unwrap();
    // Buckets are powers of two there, and quarters of them here.
    let exact = figures["total_latency"]["p99_us"].as_f64().unwrap() / 1e6;
    assert!(p99 > 0.0 && p99 <= 2.0 * exact.max(0.000_064) + 0.000_064, "{p99} beside {exact}");
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("docs/grafana-dashboard.json")).unwrap())
            .unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut answered = 0;
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let expression = target["expr"].as_str().unwrap();
        let expression = expression.replace("$__rate_interval", "1m").replace("$store", ".*");
        answered += usize::from(!query(port, &expression).is_empty());
        let family = expression.split("feast_remote_").nth(1).unwrap().split(['{', '[']).next().unwrap();
        assert!(!query(port, &format!("feast_remote_{family}")).is_empty(), "{expression}");
    }
    assert!(answered >= 8, "{answered} of the dashboard's queries have an answer");
}
