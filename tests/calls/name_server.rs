//! A real name server (dnsmasq), in namespaces of a test's own: it runs itself anew in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::paths::scratch;

/// The folder of the name server's files, in the process that runs in the namespaces.
const INSIDE: &str = "FEAST_TEST_NAMES";
/// What the name server knows.
pub const NAME: &str = "feast.test";

/// Runs the test with this name in namespaces, where its body is this.
pub fn in_namespaces(test: &str, inside: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return inside(Path::new(&folder));
    }
    // SAFETY: no arguments, and it cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return println!("skipped: namespaces need root");
    }
    let folder = scratch();
    fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n").unwrap();
    let resolv_conf = fs::canonicalize("/etc/resolv.conf").unwrap_or("/etc/resolv.conf".into());
    let script = format!(
        "ip link set lo up && mount --bind {}/resolv.conf {} && exec \"$@\"",
        folder.display(),
        resolv_conf.display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "--net", "sh", "-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, &folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if said.contains("unshare failed") || said.contains("permission denied") {
        return println!("skipped: there are no namespaces here");
    }
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    print!("{said}");
}

/// Ended when dropped.
pub struct NameServer {
    child: Child,
    hosts: PathBuf,
}

impl NameServer {
    /// With these last bytes of its addresses.
    pub fn start(folder: &Path, last_bytes: &[u8]) -> NameServer {
        let hosts = folder.join("hosts");
        write_hosts(&hosts, last_bytes);
        let child = Command::new("dnsmasq")
            .args(["--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root"])
            .args(["--listen-address=127.0.0.1", "--bind-interfaces", "--local-ttl=0", "--pid-file="])
            .arg(format!("--addn-hosts={}", hosts.display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        NameServer { child, hosts }
    }

    /// Stops it, say.
    pub fn signal(&self, number: i32) {
        // SAFETY: a child of ours that has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, number) };
    }

    /// From now on.
    pub fn answer_with(&self, last_bytes: &[u8]) {
        write_hosts(&self.hosts, last_bytes);
        self.signal(libc::SIGHUP);
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_hosts(file: &Path, last_bytes: &[u8]) {
    let lines: String = last_bytes.iter().map(|byte| format!("127.0.0.{byte} {NAME}\n")).collect();
    fs::write(file, lines).unwrap();
}
