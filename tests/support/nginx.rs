//! An nginx in front of a feature server.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::paths::scratch;
use super::wait::wait_until;

/// Stopped when dropped.
pub struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    /// Listens on a port of its own; `server` is what stands in nginx's server block besides.
    pub fn start(server: &str) -> Nginx {
        let folder = scratch();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = |name: &str| folder.join(name).display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {};", file(kind)))
            .concat();
        let text = format!(
            "daemon off; pid {}; error_log {}; events {{}}\n\
             http {{ access_log off; {temporary}\nserver {{ listen 127.0.0.1:{port} ssl; {server} }} }}\n",
            file("pid"),
            file("error.log")
        );
        let configuration: PathBuf = folder.join("nginx.conf");
        std::fs::write(&configuration, text).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&configuration)
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx (Debian: nginx-light): {error}"));
        wait_until("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Nginx { child, port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SAFETY: a signal to the child that this value started and has not waited for; it stops its workers.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        let _ = self.child.wait();
    }
}
