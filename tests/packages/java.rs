//! Java's package: its own tests, and an empty project that takes it from a Maven repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cc::passed;
use crate::support::feast::Feast;
use crate::support::installed::{Installed, ran};
use crate::support::paths::{library, root, scratch, target};
use crate::{three_drivers, value};

/// `scripts/packages/java.sh`, with this build's library as the natives.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn new() -> Package {
        let folder = scratch();
        let natives = folder.join("natives").join(format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
        fs::create_dir_all(&natives).unwrap();
        fs::copy(library(), natives.join("libfeast_remote.so")).unwrap();
        Package { folder }
    }

    fn succeeds(&self, arguments: &[&str]) {
        ran(Command::new(root().join("scripts/packages/java.sh"))
            .args(arguments)
            .env("NATIVES", self.folder.join("natives"))
            .env("PACKAGES", self.folder.join("packages"))
            .env("JAVA_OUTPUTS", self.folder.join("outputs"))
            .env("CARGO_TARGET_DIR", target()));
    }
}

/// The first program of the package's README.
fn readme_program() -> String {
    let readme = fs::read_to_string(root().join("bindings/java/README.md")).unwrap();
    let program = readme.split("```java\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(program.lines().filter(|line| line.trim().len() > 1).count() < 10, "{program}");
    program.to_owned()
}

/// A new project whose one program is the README's, and whose packages come from this repository.
fn new_project(packages: &Path) -> PathBuf {
    let project = scratch();
    let sources = project.join("src/main/java");
    fs::create_dir_all(&sources).unwrap();
    fs::write(sources.join("Main.java"), readme_program()).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let pom = format!(
        "<project><modelVersion>4.0.0</modelVersion>
        <groupId>example</groupId><artifactId>example</artifactId><version>1</version>
        <properties><maven.compiler.source>22</maven.compiler.source><maven.compiler.target>22</maven.compiler.target>
        <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
        <repositories><repository><id>packages</id><url>file://{}</url></repository></repositories>
        <dependencies><dependency><groupId>feast.remote</groupId><artifactId>feast-remote</artifactId>
        <version>{version}</version></dependency></dependencies>
        <build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId><version>3.14.1</version></plugin>
        </plugins></build></project>",
        packages.join("maven").display()
    );
    fs::write(project.join("pom.xml"), pom).unwrap();
    project
}

#[test]
fn an_empty_maven_project_fetches_in_under_ten_lines() {
    let package = Package::new();
    package.succeeds(&[]);
    let packages = package.folder.join("packages");
    let project = new_project(&packages);
    let java = target().join("java");
    // Maven keeps what it took, also of an earlier run; with a folder of its own it would load its plugins anew.
    let home = std::env::home_dir().unwrap();
    let _ = fs::remove_dir_all(home.join(".m2/repository/feast/remote"));
    let version = env!("CARGO_PKG_VERSION");
    let jar = packages.join(format!("maven/feast/remote/feast-remote/{version}/feast-remote-{version}.jar"));
    ran(Command::new("mvn")
        .args(["-q", "-B", "compile", "-Dmaven.compiler.fork=true"])
        .arg(format!("-Dmaven.compiler.executable={}", root().join("scripts/java/ecj").display()))
        .current_dir(&project)
        .env("JAVA", &java));
    let feast = Feast::serve(&[]);
    let output = Command::new(java.join("home/bin/java"))
        .args(["--enable-native-access=ALL-UNNAMED", "-cp"])
        .arg(std::env::join_paths([project.join("target/classes"), jar.clone()]).unwrap())
        .args(["Main", &feast.url()])
        .env_remove("FEAST_REMOTE_LIBRARY")
        .output()
        .unwrap();
    passed("the README's program", &output);
    let trips = |driver| value(driver, "avg_daily_trips");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}\n{}\n", trips("1001"), trips("1002")));
    // As a module, too.
    let module =
        ran(Command::new(java.join("home/bin/java")).arg("-p").arg(&jar).args(["-d", "feast.remote"]));
    assert!(String::from_utf8_lossy(&module.stdout).contains("exports feast.remote"));
}

#[test]
fn java_passes_its_own_tests_against_a_real_feast() {
    let feast = Feast::serve(&[]);
    Package::new().succeeds(&["test", &format!("-Dfeast.url={}", feast.url())]);
}

#[test]
fn a_java_program_gets_columns_matrices_and_futures() {
    let installed = Installed::new();
    // The bench, too, though only `make bench-front-doors` runs it.
    let java = installed.java(&[
        "examples/java/Example.java",
        "examples/java/Bench.java",
        "bindings/java/src/main/java/feast",
    ]);
    let feast = Feast::serve(&["-w", "2"]);
    let output = java.command("Example").arg(feast.url()).output().unwrap();
    passed("the example in Java", &output);
    let rest = "[-1.0, -1.0] in the matrix\n3 longs in the buffer\n60 rows from 20 calls at once\n\
                NOT_FOUND FeatureViewNotFoundException\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), three_drivers() + rest);
}
