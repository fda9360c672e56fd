//! The OpenID provider of tests/feast/identity_provider.py, as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::support::feast::program;
use crate::support::paths::root;

/// Ends with its standard input, when dropped.
pub struct Provider {
    child: Child,
    port: u16,
}

impl Provider {
    pub fn start() -> Provider {
        let mut child = Command::new(program("python"))
            .arg(root().join("tests/feast/identity_provider.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Provider { child, port: line.trim().parse().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url())
    }

    /// Signs with a new key from now on, and forgets the old one.
    pub fn rotate(&self) {
        self.exchange("POST /rotate HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> u64 {
        let answer = self.exchange("GET /counts HTTP/1.0\r\nHost: x\r\n\r\n");
        let counts: serde_json::Value =
            serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        counts[path].as_u64().unwrap_or(0)
    }

    fn exchange(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
