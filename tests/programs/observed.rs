//! What a host sees of its stores.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::support::cc::{command, compile, passed, plain_and_memcheck};
use crate::support::paths::root;
use crate::support::prometheus::{Prometheus, value};
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
    let scraping = Prometheus::scraping(&[("host", metrics.port())]);
    let query = |expression: &str| scraping.query(expression);
    wait_until("it has scraped thirty times", || {
        value(&query("feast_remote_calls_total{outcome=\"success\"}")) >= 30.0
    });
    assert!(value(&query("rate(feast_remote_calls_total{outcome=\"error\"}[1m])")) > 0.0);
    let p99 = value(&query("histogram_quantile(0.99, rate(feast_remote_call_duration_seconds_bucket[1m]))"));
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
        answered += usize::from(!query(&expression).is_empty());
        let family = expression.split("feast_remote_").nth(1).unwrap().split(['{', '[']).next().unwrap();
        assert!(!query(&format!("feast_remote_{family}")).is_empty(), "{expression}");
    }
    assert!(answered >= 8, "{answered} of the dashboard's queries have an answer");
}
