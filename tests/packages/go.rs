//! Go: the modules as the project has them, with the installed library, and as their users get them, with the library inside.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::cc::passed;
use crate::support::feast::Feast;
use crate::support::installed::{Installed, ran};
use crate::support::paths::{root, scratch};
use crate::{three_drivers, value};

const MODULE: &str = "github.com/feast-dev/feast-remote/bindings/go/feastremote";

#[test]
fn the_go_modules_are_formatted_vetted_and_free_of_races() {
    let installed = Installed::new();
    for folder in ["bindings/go", "examples/go"] {
        let unformatted = ran(Command::new("gofmt").arg("-l").arg(root().join(folder))).stdout;
        assert_eq!(String::from_utf8_lossy(&unformatted), "");
    }
    installed.go("bindings/go/feastremote", &["vet", "./..."]);
    installed.go("bindings/go/feastremote", &["test", "-race", "."]);
    installed.go("bindings/go/feastarrow", &["test", "."]);
}

#[test]
fn the_go_examples_fetch_from_a_real_feast() {
    let installed = Installed::new();
    installed.go("examples/go", &["vet", "./..."]);
    let programs = scratch();
    installed.go("examples/go", &["build", "-o", programs.to_str().unwrap(), "./..."]);
    let command = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.env("LD_LIBRARY_PATH", installed.library_path());
        command
    };
    let feast = Feast::serve(&["-w", "2"]);
    let output = command("go").arg(feast.url()).output().unwrap();
    passed("the example in Go", &output);
    let rest = "60 rows from 20 calls at once\nNOT_FOUND FeatureViewNotFoundException\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), three_drivers() + rest);

    let mut child = command("service")
        .args([feast.url().as_str(), "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let mut service = Service(child);
    let get = |path: &str| {
        let output = Command::new("curl")
            .args(["-s", "-w", "%{http_code}", &format!("http://{}{path}", address.trim())])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(get("/ready"), "200");
    let driver = format!(
        "{{\"driver_id\":1001,\"conv_rate\":{},\"avg_daily_trips\":{}}}\n200",
        value("1001", "conv_rate"),
        value("1001", "avg_daily_trips")
    );
    assert_eq!(get("/drivers/1001"), driver);
    assert_eq!(get("/drivers/9999"), "no such driver\n404");
    let metrics = get("/metrics");
    assert!(
        metrics.contains("feast_remote_calls_total{store=\"drivers\",outcome=\"success\"} 2"),
        "{metrics}"
    );
    // SAFETY: a signal to the child that this test started and has not waited for.
    unsafe { libc::kill(service.0.id() as i32, libc::SIGTERM) };
    assert!(service.0.wait().unwrap().success());
}

/// A program that is ended with the test.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program of the module's README.
fn readme() -> String {
    let text = fs::read_to_string(root().join("bindings/go/feastremote/README.md")).unwrap();
    let (_, rest) = text.split_once("```go\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn a_new_go_module_fetches_in_under_ten_lines_with_the_library_inside() {
    let (natives, packages, project) = (scratch(), scratch(), scratch());
    ran(Command::new("scripts/packages.sh")
        .arg("go")
        .current_dir(root())
        .env("NATIVES", &natives)
        .env("PACKAGES", &packages));
    let feast = Feast::serve(&[]);
    let program = readme();
    let body = program.split_once("func main() {\n").unwrap().1.split_once("\n}").unwrap().0;
    assert!(body.lines().count() < 10, "{body}");
    assert!(program.contains("http://localhost:6566"));
    fs::write(project.join("main.go"), program.replace("http://localhost:6566", &feast.url())).unwrap();
    let go = |arguments: &[&str]| {
        ran(Command::new("go")
            .args(arguments)
            .current_dir(&project)
            .env("GOPROXY", format!("file://{}/go", packages.display()))
            .env("GONOSUMDB", "github.com/feast-dev")
            // Not the user's, which would keep today's as this version for ever.
            .env("GOMODCACHE", project.join("modules"))
            .env("GOFLAGS", "-modcacherw -buildvcs=false")
            .env("PKG_CONFIG", "/bin/false"))
    };
    go(&["mod", "init", "example.com/program"]);
    go(&["get", MODULE]);
    go(&["mod", "vendor"]); // takes the library along
    go(&["build", "-o", "program", "."]);
    let output = Command::new(project.join("program")).output().unwrap();
    passed("the README's program", &output);
    let trips = |driver| value(driver, "avg_daily_trips");
    let printed = format!("[{} {}] <nil>\n", trips("1001"), trips("1002"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), printed);
    let needed = ran(Command::new("readelf").arg("-d").arg(project.join("program"))).stdout;
    assert!(!String::from_utf8_lossy(&needed).contains("feast"), "linked with a shared library");
}
