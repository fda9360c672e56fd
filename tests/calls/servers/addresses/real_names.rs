//! The same with a real name server (dnsmasq) and the system's own look-ups, in namespaces of the test's own: it runs itself anew
//! in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use feast_remote::remote::Remote;

use super::{addresses, on_one_port, questions, threads_call};
use crate::support::paths::scratch;
use crate::support::store::{call, config, figures};
use crate::support::wait::wait_until;

/// The folder of the name server's files, in the process that runs in the namespaces.
const INSIDE: &str = "FEAST_TEST_NAMES";
const NAME: &str = "feast.test";

#[test]
fn a_name_server_that_changes_its_mind_or_is_stopped_is_followed() {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return inside(Path::new(&folder));
    }
    // SAFETY: no arguments, and it cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return println!("skipped: namespaces need root");
    }
    let folder = scratch();
    fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
    let resolv_conf = fs::canonicalize("/etc/resolv.conf").unwrap_or("/etc/resolv.conf".into());
    let script = format!(
        "ip link set lo up && mount --bind {}/resolv.conf {} && exec \"$@\"",
        folder.display(),
        resolv_conf.display()
    );
    let this =
        "servers::addresses::real_names::a_name_server_that_changes_its_mind_or_is_stopped_is_followed";
    let output = Command::new("unshare")
        .args(["--mount", "--net", "sh", "-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", this, "--nocapture"])
        .env(INSIDE, &folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if said.contains("unshare failed") || said.contains("permission denied") {
        return println!("skipped: there are no namespaces here");
    }
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Ended when dropped.
struct NameServer {
    child: Child,
    hosts: PathBuf,
}

impl NameServer {
    fn start(folder: &Path, last_bytes: &[u8]) -> NameServer {
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

    fn signal(&self, number: i32) {
        // SAFETY: a child of ours that has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, number) };
    }

    fn answer_with(&self, last_bytes: &[u8]) {
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

fn inside(folder: &Path) {
    let servers = on_one_port(4);
    let names = NameServer::start(folder, &[1, 2, 3]);
    let url = format!("http://{NAME}:{}", servers[0].port());
    let keys = [("resolve", "each_address"), ("resolve_interval", "1")];
    let remote = Remote::open(&config(&url, &keys)).unwrap();
    wait_until("the name server answers", || {
        let _ = remote.warm_up(3, Duration::from_secs(5));
        addresses(&remote) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    });
    let before: Vec<usize> = servers.iter().map(questions).collect();
    threads_call(&remote, 100);
    let each: Vec<usize> =
        servers.iter().zip(before).map(|(server, before)| questions(server) - before).collect();
    assert!(
        each[..3].iter().all(|count| (160..=240).contains(count)),
        "a third of 600, give or take a fifth: {each:?}"
    );
    assert_eq!(each[3], 0);

    names.answer_with(&[2, 3, 4]);
    wait_until("the list is the new one", || addresses(&remote) == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]);
    wait_until("its connections are closed", || servers[0].open() == 0);
    let gone = questions(&servers[0]);
    threads_call(&remote, 50);
    assert_eq!(questions(&servers[0]), gone);
    assert!(questions(&servers[3]) > 0);

    // A look-up under way: until it is answered, or has failed, nobody waits for it.
    let looked_up = || figures(&remote)["name_lookups"].as_u64().unwrap();
    names.signal(libc::SIGSTOP);
    let stopped = looked_up();
    threads_call(&remote, 50);
    assert_eq!(addresses(&remote).len(), 3);
    names.signal(libc::SIGCONT);
    wait_until("it goes on", || looked_up() > stopped + 1);
    drop(names);
    let failed = || figures(&remote)["name_lookups_failed"].as_u64().unwrap();
    let before = failed();
    wait_until("a look-up fails", || failed() > before);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(addresses(&remote), ["127.0.0.2", "127.0.0.3", "127.0.0.4"]);
    assert_eq!(figures(&remote)["calls_failed"], 0);
}
