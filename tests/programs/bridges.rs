//! The bridge of each language to what a program there shows its figures with, scraped by a real Prometheus.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::feast::program;
use crate::support::installed::Installed;
use crate::support::paths::{root, scratch};
use crate::support::prometheus::{Ended, Prometheus, value};
use crate::support::server::{Server, answer};
use crate::support::wait::wait_until;

/// Starts a program that serves /metrics, and says on which port.
fn serving(command: &mut Command, url: &str) -> (Ended, u16) {
    let mut child = command.arg(url).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse();
    let ended = Ended(child);
    (ended, port.unwrap_or_else(|_| panic!("{command:?} said {line:?}")))
}

fn in_go(installed: &Installed) -> Command {
    let folder = "bindings/go/feastprometheus";
    let metrics = scratch().join("metrics");
    installed.go(folder, &["vet", "./..."]);
    installed.go(folder, &["build", "-o", metrics.to_str().unwrap(), "./example"]);
    let mut command = Command::new(metrics);
    command.env("LD_LIBRARY_PATH", installed.library_path());
    command
}

fn in_python(installed: &Installed) -> Command {
    let mut command = Command::new(program("python"));
    command
        .arg(root().join("examples/python/feast_prometheus.py"))
        .env("PYTHONPATH", root().join("bindings/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("FEAST_REMOTE_LIBRARY", installed.prefix.join("lib/libfeast_remote.so"));
    command
}

#[test]
fn a_real_prometheus_scrapes_the_bridge_of_each_language() {
    let installed = Installed::new();
    let server = Server::start(answer);
    let programs = [
        ("cpp", Command::new(installed.cpp("examples/cpp/metrics.cpp"))),
        ("go", in_go(&installed)),
        (
            "java",
            installed
                .java(&["examples/java/FeastMetrics.java", "bindings/java/src/main/java/feast"])
                .command("FeastMetrics"),
        ),
        ("python", in_python(&installed)),
    ];
    let running = programs.map(|(name, mut command)| (name, serving(&mut command, &server.url())));
    let jobs: Vec<(&str, u16)> = running.iter().map(|(name, (_, port))| (*name, *port)).collect();
    let prometheus = Prometheus::scraping(&jobs);
    for (job, _) in &jobs {
        let of_job = |family: &str, labels: &str| {
            value(&prometheus.query(&format!("{family}{{job=\"{job}\",store=\"drivers\"{labels}}}")))
        };
        wait_until(&format!("{job} has been scraped"), || {
            of_job("feast_remote_calls_total", ",outcome=\"success\"") >= 3.0
        });
        assert_eq!(of_job("feast_remote_calls_total", ",outcome=\"error\""), 0.0, "{job}");
        assert_eq!(of_job("feast_remote_connections_limit", ""), 50.0, "{job}");
        assert!(of_job("feast_remote_attempt_duration_seconds_count", "") >= 3.0, "{job}");
        assert!(of_job("feast_remote_attempt_duration_seconds_sum", "") > 0.0, "{job}");
        let server_label = format!(",server=\"{}\"", server.url());
        assert_eq!(of_job("feast_remote_server_available", &server_label), 1.0, "{job}");
        // Micrometer takes no foreign buckets.
        if *job != "java" {
            let p99 = format!(
                "histogram_quantile(0.99, rate(feast_remote_call_duration_seconds_bucket{{job=\"{job}\"}}[1m]))"
            );
            wait_until(&format!("{job} has a rate"), || value(&prometheus.query(&p99)) > 0.0);
        }
    }
}
