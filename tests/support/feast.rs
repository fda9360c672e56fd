//! A real `feast serve` on the repository that `make env` has applied and filled.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::paths::{scratch, target};

/// Which Feast: the newest, the same with documents to be searched, or the oldest one that is tested.
#[derive(Clone, Copy)]
pub enum Version {
    Newest,
    Documents,
    Oldest,
}

impl Version {
    fn program(self, name: &str) -> PathBuf {
        let folder = match self {
            Version::Newest | Version::Documents => "feast-venv",
            Version::Oldest => "feast-older-venv",
        };
        let path = target().join(folder).join("bin").join(name);
        assert!(path.exists(), "{} is missing: run `make env` (`make test` does)", path.display());
        path
    }

    fn repository(self) -> PathBuf {
        target().join(match self {
            Version::Newest => "feast-repo",
            Version::Documents => "feast-documents-repo",
            Version::Oldest => "feast-older-repo",
        })
    }

    /// What was written to the online store.
    pub fn expected(self) -> Value {
        let path = self.repository().join("data/expected.json");
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: run `make env`", path.display()));
        serde_json::from_str(&text).unwrap()
    }
}

/// Programs of the virtual environment with the newest Feast.
pub fn program(name: &str) -> PathBuf {
    Version::Newest.program(name)
}

/// What was written to the newest Feast's online store, by feature view and entity.
pub fn expected() -> Value {
    Version::Newest.expected()
}

/// A running server; stopped, with its workers, when dropped, also by a failing test.
pub struct Feast {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Feast {
    pub fn serve(options: &[&str]) -> Feast {
        Feast::serve_as(Version::Newest, &[], options, &[])
    }

    /// With options of `feast` itself, of `feast serve`, and environment variables.
    pub fn serve_as(
        version: Version,
        before: &[&str],
        options: &[&str],
        variables: &[(&str, &str)],
    ) -> Feast {
        let mut tries = 0;
        loop {
            tries += 1;
            match Feast::try_serve(version, before, options, variables) {
                Ok(feast) => return feast,
                // Somebody else may have taken the port between our look and the server's.
                Err(log) => assert!(tries < 3, "feast serve does not start:\n{log}"),
            }
        }
    }

    fn try_serve(
        version: Version,
        before: &[&str],
        options: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Feast, String> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = scratch().join("feast.log");
        let file = File::create(&log).unwrap();
        let child = Command::new(version.program("feast"))
            .args(before)
            .args(["serve", "--no-access-log", "--port", &port.to_string()])
            .args(options)
            .envs(variables.iter().copied())
            .current_dir(version.repository())
            .env("FEAST_USAGE", "False")
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            // A group of its own, so that the workers are stopped with their master.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut feast = Feast { child, port, log };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = feast.child.try_wait().unwrap().is_some();
            if ended || start.elapsed() > Duration::from_secs(60) {
                return Err(fs::read_to_string(&feast.log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(feast)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Feast {
    fn drop(&mut self) {
        // SAFETY: a signal to the group of the child that this value started and has not waited for.
        unsafe { libc::kill(-(self.child.id() as i32), libc::SIGTERM) };
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // SAFETY: as above.
        unsafe { libc::kill(-(self.child.id() as i32), libc::SIGKILL) };
        let _ = self.child.wait();
    }
}
