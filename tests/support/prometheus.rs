//! A real Prometheus that scrapes what a test serves.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::paths::scratch;

/// Ends a program that a test has started.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// See the module; ended when dropped.
pub struct Prometheus {
    _process: Ended,
    port: u16,
}

impl Prometheus {
    /// Scrapes these ports five times a second, each as a job of this name.
    pub fn scraping(jobs: &[(&str, u16)]) -> Prometheus {
        let folder = scratch();
        let settings = folder.join("prometheus.yml");
        let job = |(name, port): &(&str, u16)| {
            format!("  - job_name: {name}\n    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n")
        };
        let jobs: String = jobs.iter().map(job).collect();
        let head = "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n";
        std::fs::write(&settings, format!("{head}{jobs}")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus, of Debian's package (`make test` installs it)");
        Prometheus { _process: Ended(process), port }
    }

    /// What it answers; what is not there yet has no result.
    pub fn query(&self, expression: &str) -> Vec<Value> {
        let escaped: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)) else { return Vec::new() };
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
}

/// The first value of an answer.
pub fn value(result: &[Value]) -> f64 {
    result.first().and_then(|series| series["value"][1].as_str()?.parse().ok()).unwrap_or(f64::NAN)
}
