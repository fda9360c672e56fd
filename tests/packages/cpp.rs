//! C++.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::support::cc::passed;
use crate::support::feast::Feast;
use crate::support::installed::{Installed, ran};
use crate::support::paths::{header, library_folder, root, scratch, target};
use crate::support::server::{Server, Step, answer, say};
use crate::value;

#[test]
fn a_program_in_cpp_gets_views_exceptions_and_futures() {
    let installed = Installed::new();
    let program = installed.cpp("examples/cpp/minimal.cpp");
    let feast = Feast::serve(&["-w", "2"]);
    let output = Command::new(program).arg(feast.url()).output().unwrap();
    passed("minimal.cpp", &output);
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    for (line, driver) in lines.iter().zip(["1001", "1002"]) {
        let words: Vec<&str> = line.split(' ').collect();
        let rate: f64 = value(driver, "conv_rate").parse().unwrap();
        assert_eq!(
            (words[0], words[1].parse(), words[2]),
            (driver, Ok(rate), value(driver, "avg_daily_trips").as_str())
        );
    }
    assert_eq!(
        lines[2..],
        ["9999 is not known", "60 rows from 20 calls at once", "NOT_FOUND FeatureViewNotFoundException"]
    );
}

/// The first block of a language in the README of the package.
fn block(language: &str) -> String {
    let text = fs::read_to_string(root().join("bindings/cpp/README.md")).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A new project with the README's program, built; `found` are the lines that find the library.
fn build(found: &str, url: &str, options: &[String]) -> PathBuf {
    let project = scratch();
    let program = block("cpp");
    assert!(program.lines().filter(|line| !line.is_empty()).count() < 10, "{program}");
    assert!(program.contains("http://localhost:6566"));
    fs::write(project.join("program.cpp"), program.replace("http://localhost:6566", url)).unwrap();
    let lines = format!(
        "cmake_minimum_required(VERSION 3.18)\nproject(program CXX)\nadd_executable(program program.cpp)\n\
         add_executable(static program.cpp)\n{found}\n\
         target_link_libraries(program FeastRemote::feast_remote)\n\
         target_link_libraries(static FeastRemote::feast_remote_static)\n"
    );
    fs::write(project.join("CMakeLists.txt"), lines).unwrap();
    let build = project.join("build");
    ran(Command::new("cmake").arg("-S").arg(&project).arg("-B").arg(&build).args(options));
    ran(Command::new("cmake").arg("--build").arg(&build));
    build
}

/// The package as `make packages` makes it, of the library that has been built.
fn package() -> PathBuf {
    let folder = scratch();
    ran(Command::new(root().join("scripts/packages.sh"))
        .arg("cpp")
        .env("NATIVES", folder.join("natives"))
        .env("PACKAGES", folder.join("packages"))
        .env("SO", library_folder().join("libfeast_remote.so")));
    folder.join(format!("packages/feast_remote-cpp-{}.tar.gz", env!("CARGO_PKG_VERSION")))
}

#[test]
fn the_readmes_program_is_built_by_find_package_and_by_fetch_content_and_fetches_features() {
    let feast = Feast::serve(&["-w", "2"]);
    let url = feast.url();
    let by_find_package = || {
        let installed = Installed::new();
        let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed.prefix.display());
        build("find_package(FeastRemote REQUIRED)", &url, &[prefix])
    };
    let fetched = |what: &str| {
        format!(
            "include(FetchContent)\nFetchContent_Declare(FeastRemote {what})\nFetchContent_MakeAvailable(FeastRemote)"
        )
    };
    let from_the_package = || build(&fetched(&format!("URL {}", package().display())), &url, &[]);
    // The sources, but not built once more.
    let from_the_sources = || {
        let sources = format!("SOURCE_DIR {} SOURCE_SUBDIR bindings/cpp", root().display());
        let built = format!("-DFEAST_REMOTE_LIBRARY_DIR={}", library_folder().display());
        build(&fetched(&sources), &url, &[built])
    };
    let builds: [&(dyn Fn() -> PathBuf + Sync); 3] = [&by_find_package, &from_the_package, &from_the_sources];
    let trips = ["1001", "1002"].map(|driver| value(driver, "avg_daily_trips") + "\n").concat();
    thread::scope(|scope| {
        for build in builds {
            scope.spawn(|| {
                let folder = build();
                for program in ["program", "static"] {
                    let output = Command::new(folder.join(program)).output().unwrap();
                    passed(program, &output);
                    assert_eq!(String::from_utf8_lossy(&output.stdout), trips);
                }
            });
        }
    });
}

#[test]
#[ignore = "make test-packages runs it"]
fn fetch_content_builds_the_packed_sources_by_cargo() {
    let feast = Feast::serve(&[]);
    let (sources, packed) = (scratch(), target().join("packages"));
    let name = format!("feast_remote-{}-source.tar.gz", env!("CARGO_PKG_VERSION"));
    ran(Command::new("tar")
        .arg("xf")
        .arg(packed.join(name))
        .args(["--strip-components=1", "-C"])
        .arg(&sources));
    let fetched = format!(
        "include(FetchContent)\nFetchContent_Declare(FeastRemote SOURCE_DIR {} SOURCE_SUBDIR bindings/cpp)\n\
         FetchContent_MakeAvailable(FeastRemote)",
        sources.display()
    );
    let folder = build(&fetched, &feast.url(), &[]);
    for program in ["program", "static"] {
        let output = ran(&mut Command::new(folder.join(program)));
        assert!(
            String::from_utf8_lossy(&output.stdout).starts_with(&value("1001", "avg_daily_trips")),
            "{program}"
        );
    }
}

#[test]
fn without_a_library_cmake_says_how_to_name_one() {
    let project = scratch();
    let sources = root().join("bindings/cpp");
    let says = |folder: &Path, words: &str| {
        let output = Command::new("cmake").arg("-S").arg(folder).arg("-B").arg(scratch()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!output.status.success() && errors.contains(words), "{errors}");
        assert!(errors.contains("FEAST_REMOTE_LIBRARY_DIR"), "{errors}");
    };
    // A package for another machine.
    let package = project.join("package");
    ran(Command::new("cp").arg("-r").arg(&sources).arg(&package));
    fs::create_dir_all(package.join("lib/riscv64gc-unknown-linux-gnu")).unwrap();
    says(&package, "has no library for Linux");
    // Neither a library nor sources.
    fs::remove_dir_all(package.join("lib")).unwrap();
    let alone = project.join("a/folder");
    fs::create_dir_all(&alone).unwrap();
    ran(Command::new("cp").arg("-r").arg(&package).arg(alone.join("cpp")));
    says(&alone.join("cpp"), "nor are there sources");
}

/// Every file of the headers, with its text.
fn headers() -> Vec<(PathBuf, String)> {
    let folder = root().join("bindings/cpp/include");
    let parts = fs::read_dir(folder.join("feast_remote")).unwrap().map(|entry| entry.unwrap().path());
    parts
        .chain([folder.join("feast_remote.hpp")])
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The words of a text that begin with `feast_`.
fn names(text: &str) -> BTreeSet<&str> {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !part_of_name(c)).filter(|word| word.starts_with("feast_")).collect()
}

#[test]
fn every_function_of_the_header_is_used_in_the_cpp_headers() {
    let text = fs::read_to_string(header()).unwrap();
    // What stands before a parenthesis, outside of comments.
    let code: String =
        text.split("/*").map(|part| part.split_once("*/").map_or("", |(_, code)| code)).collect();
    let functions: BTreeSet<&str> = code
        .split('(')
        .filter_map(|before| names(before).into_iter().find(|name| before.ends_with(name)))
        .collect();
    assert!(functions.len() > 150, "{functions:?}");
    let cpp: Vec<(PathBuf, String)> = headers();
    let used: BTreeSet<&str> = cpp.iter().flat_map(|(_, text)| names(text)).collect();
    let missing: Vec<_> = functions.difference(&used).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// g++, and clang++ where there is one.
fn compilers() -> Vec<&'static str> {
    let runs = |compiler: &&str| {
        Command::new(compiler).arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    ["g++", "clang++"].into_iter().filter(runs).collect()
}

const WARNINGS: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];

/// Compiles one of the tests' programs.
fn compile(compiler: &str, source: &str, options: &[&str]) -> PathBuf {
    let source = root().join("tests/programs/cpp").join(source);
    let program = scratch().join(source.file_stem().unwrap());
    let mut command = Command::new(compiler);
    command
        .args(WARNINGS)
        .args(["-g", "-pthread", "-I"])
        .arg(root().join("bindings/cpp/include"))
        .arg("-I")
        .arg(root().join("include"))
        .args(options)
        .arg(source);
    if !options.contains(&"-fsyntax-only") {
        let folder = library_folder();
        let rpath = format!("-Wl,-rpath,{}", folder.display());
        command.arg("-o").arg(&program).arg("-L").arg(folder).args(["-lfeast_remote", &rpath]);
    }
    ran(&mut command);
    program
}

#[test]
fn the_headers_compile_without_a_warning_however_they_are_compiled() {
    // Each header by itself, too.
    let includes: String = headers()
        .iter()
        .map(|(path, _)| {
            format!(
                "#include <{}>\n",
                path.strip_prefix(root().join("bindings/cpp/include")).unwrap().display()
            )
        })
        .collect();
    let alone = scratch();
    for (i, line) in includes.lines().enumerate() {
        fs::write(alone.join(format!("{i}.cpp")), format!("{line}\n{line}\n")).unwrap();
    }
    let alone: Vec<PathBuf> = (0..includes.lines().count()).map(|i| alone.join(format!("{i}.cpp"))).collect();
    thread::scope(|scope| {
        for compiler in compilers() {
            scope.spawn(move || {
                for standard in ["-std=c++17", "-std=c++20"] {
                    for source in ["wrapper.cpp", "columns.cpp", "coroutines.cpp"] {
                        compile(compiler, source, &[standard, "-fsyntax-only"]);
                    }
                    for without in [&["-fno-exceptions"][..], &["-fno-exceptions", "-fno-rtti"]] {
                        let options = [&[standard, "-fsyntax-only"], without].concat();
                        compile(compiler, "without_exceptions.cpp", &options);
                    }
                }
                compile(compiler, "wrapper.cpp", &["-std=c++17", "-fno-rtti", "-fsyntax-only"]);
            });
        }
        scope.spawn(|| {
            for source in &alone {
                compile("g++", source.to_str().unwrap(), &["-std=c++17", "-fsyntax-only"]);
            }
        });
    });
}

/// A server that repeats entities, knows every feature, and takes every write.
fn healthy() -> Server {
    Server::start(|seen| match seen.target.as_str() {
        "POST /push" | "POST /write-to-online-store" | "GET /health" => say(200, "null"),
        _ => request_data(&seen.body).map_or_else(|| answer(seen), |handed| say(200, handed.to_string())),
    })
}

/// What an on demand feature view answers whose features, X_back, are its request data, X; with the versions of feature views if
/// it is asked for them. Nothing for a question without request data where the Go server takes it.
fn request_data(body: &[u8]) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let data = body.get("request_context")?.as_object().unwrap().iter();
    let features = data.map(|(name, values)| (format!("{name}_back"), values));
    let entities = body["entities"].as_object().unwrap().iter();
    let (names, results): (Vec<String>, Vec<Value>) = entities
        .map(|(name, values)| (name.clone(), values))
        .chain(features)
        .map(|(name, values)| (name, json!({"values": values})))
        .unzip();
    let mut metadata = json!({"feature_names": names});
    if body["include_feature_view_version_metadata"] == true {
        metadata["feature_view_metadata"] = json!([{"name": "v", "version": 3}, {"name": "w"}]);
    }
    Some(json!({"metadata": metadata, "results": results}))
}

#[test]
fn address_and_undefined_behaviour_sanitizers_find_nothing_in_the_cpp_headers() {
    let sanitized = |source: &str, options: &[&str]| {
        let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
        compile("g++", source, &[options, &sanitizers].concat())
    };
    let healthy = healthy();
    let stalling = Server::start(|_| vec![Step::Stall]);
    let (url, stalling) = (healthy.url(), stalling.url());
    let programs: [(&str, &[&str], &[&str]); 5] = [
        ("wrapper.cpp", &["-std=c++17"], &[&url, &stalling]),
        ("columns.cpp", &["-std=c++17"], &[&url]),
        ("columns.cpp", &["-std=c++20", "-D_GLIBCXX_ASSERTIONS"], &[&url]),
        ("coroutines.cpp", &["-std=c++20"], &[&url, &stalling]),
        ("without_exceptions.cpp", &["-std=c++17", "-fno-exceptions", "-fno-rtti"], &[&url]),
    ];
    thread::scope(|scope| {
        for (source, options, arguments) in programs {
            scope.spawn(move || {
                let program = sanitized(source, options);
                passed(source, &Command::new(program).args(arguments).output().unwrap());
            });
        }
    });
}
