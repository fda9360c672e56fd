//! Python: the wheel, installed into a new virtual environment.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::cc::passed;
use crate::support::feast::{Feast, Version, program};
use crate::support::installed::ran;
use crate::support::paths::{library, root, scratch, target};
use crate::support::server::{Server, Step, answer};
use crate::value;

fn wheel() -> &'static Path {
    static WHEEL: OnceLock<PathBuf> = OnceLock::new();
    WHEEL.get_or_init(|| {
        let (natives, packages) = (scratch(), scratch());
        let native = natives.join("x86_64-unknown-linux-gnu");
        std::fs::create_dir(&native).unwrap();
        ran(Command::new("strip").arg("-o").arg(native.join("libfeast_remote.so")).arg(library()));
        ran(Command::new(root().join("scripts/packages/python.sh"))
            .env("CARGO_TARGET_DIR", target())
            .env("NATIVES", natives)
            .env("PACKAGES", &packages));
        std::fs::read_dir(&packages).unwrap().next().unwrap().unwrap().path()
    })
}

/// The python of a virtual environment with the wheel in it. Other packages are those of the environment with Feast.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let venv = scratch();
        ran(Command::new(program("python")).args(["-m", "venv"]).arg(&venv));
        let python = venv.join("bin/python");
        let site = |python: &Path| {
            let output = ran(Command::new(python)
                .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'), end='')"]));
            String::from_utf8(output.stdout).unwrap()
        };
        std::fs::write(PathBuf::from(site(&python)).join("feast.pth"), site(&program("python"))).unwrap();
        ran(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"])
            .arg(wheel()));
        python
    })
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    run_by(python(), arguments, variables)
}

fn run_by(python: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = Command::new(python)
        .args(["-W", "error::ResourceWarning"])
        .args(arguments)
        .current_dir(scratch())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("FEAST_USAGE", "False")
        .env_remove("FEAST_REMOTE_LIBRARY")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    passed(&format!("{arguments:?}"), &output);
    String::from_utf8(output.stdout).unwrap()
}

fn path(of: &str) -> String {
    root().join(of).to_str().unwrap().to_owned()
}

#[test]
fn python_fetches_awaits_and_fills_matrices_by_the_wheel() {
    let feast = Feast::serve(&["-w", "2"]);
    let both = |name: &str| format!("[{}, {}]", value("1001", name), value("1002", name));
    let columns = format!(
        "{{'driver_id': [1001, 1002], 'avg_daily_trips': {}, 'conv_rate': {}}}",
        both("avg_daily_trips"),
        both("conv_rate")
    );
    assert_eq!(
        run(&[&path("examples/python/example.py"), &feast.url()], &[]),
        format!("{columns}\n(2, 2)\n20 rows from 20 calls at once\nNOT_FOUND FeatureViewNotFoundException\n")
    );
}

#[test]
fn the_ten_lines_of_the_readme_for_python_run() {
    let feast = Feast::serve(&[]);
    let readme = std::fs::read_to_string(root().join("bindings/python/README.md")).unwrap();
    let program = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(program.lines().count() < 10, "{program}");
    let printed = run(&["-c", &program.replace("http://localhost:6566", &feast.url())], &[]);
    assert!(printed.contains(&value("1001", "conv_rate")), "{printed}");
}

#[test]
fn python_tells_which_calls_were_merged() {
    let server = Server::start(|seen| [vec![Step::Wait(Duration::from_millis(1))], answer(seen)].concat());
    assert_eq!(run(&[&path("tests/programs/python/merged_calls.py"), &server.url()], &[]), "as expected\n");
}

#[test]
fn python_writes_rows_of_whatever_pyarrow_knows() {
    let feast = Feast::serve(&[]);
    let examples = path("examples/python");
    assert_eq!(
        run(&[&path("tests/programs/python/module_writes.py"), &examples, &feast.url()], &[]),
        "as expected\n"
    );
}

#[test]
fn python_takes_values_as_people_have_them_and_ends_calls_as_it_says() {
    run(&[&path("bindings/python/tests/test_values.py")], &[]);
    run(&[&path("bindings/python/tests/test_calls.py")], &[]);
}

#[test]
#[ignore = "make test-packages runs it"]
fn the_wheel_serves_every_python_that_can_be_had() {
    let installed = scratch();
    ran(Command::new(python())
        .args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"])
        .arg(&installed)
        .arg(wheel()));
    let mut versions = Vec::new();
    for folder in std::fs::read_dir(target().join("pythons")).unwrap() {
        let folder = folder.unwrap().path();
        let packages = format!("{}:{}", installed.display(), folder.join("site").display());
        for test in ["bindings/python/tests/test_values.py", "bindings/python/tests/test_calls.py"] {
            run_by(&folder.join("python"), &[&path(test)], &[("PYTHONPATH", &packages)]);
        }
        versions.push(folder);
    }
    println!("{versions:?}");
    assert!(!versions.is_empty(), "no other Python than that of Feast");
}

#[test]
fn feasts_sdk_reads_and_writes_over_the_store_of_the_wheel() {
    let feast = Feast::serve(&[]);
    let registry = target().join("feast-repo/data/registry.db");
    run(
        &[&path("bindings/python/tests/test_feast_store.py")],
        &[("FEAST_URL", &feast.url()), ("FEAST_REGISTRY", registry.to_str().unwrap())],
    );
}

#[test]
fn feasts_sdk_searches_documents_over_the_store_of_the_wheel() {
    let feast = Feast::serve_as(Version::Documents, &[], &[], &[]);
    let registry = target().join("feast-documents-repo/data/registry.db");
    run(
        &[&path("bindings/python/tests/test_feast_search.py")],
        &[("FEAST_URL", &feast.url()), ("FEAST_REGISTRY", registry.to_str().unwrap())],
    );
}

#[test]
fn the_package_for_python_is_clean_under_mypy_strict() {
    ran(Command::new(program("python"))
        .args(["-m", "mypy", "--strict", "--cache-dir"])
        .arg(scratch())
        .arg("feast_remote")
        .current_dir(root().join("bindings/python")));
    // What a user sees of it.
    let user = scratch().join("user.py");
    std::fs::write(
        &user,
        "import feast_remote\n\nwith feast_remote.Remote(path='x') as remote:\n    \
         reveal_type(remote.fetch('v:a', {'x': 1}).to_dict())\n",
    )
    .unwrap();
    let output = Command::new(program("python"))
        .args(["-m", "mypy", "--strict", "--cache-dir"])
        .arg(scratch())
        .arg("--python-executable")
        .arg(python())
        .arg(user)
        .output()
        .unwrap();
    passed("mypy", &output);
    let said = String::from_utf8_lossy(&output.stdout);
    // As mypy writes it, of whatever version.
    assert!(said.replace("builtins.", "").contains("dict[str, list[Any]]"), "{said}");
}
