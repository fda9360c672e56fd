//! The committed header is the one that the sources generate, compiles everywhere, and documents itself.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::support::paths::{header, library, root, scratch};

fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    // Only the boundary's files, in the order of the manual: other rooms have public items too.
    let files = [
        "error",
        "error_fields",
        "config",
        "log",
        "remote",
        "json",
        "stats",
        "string",
        "request",
        "request_data",
        "request_columns",
        "request_headers",
        "max_age",
        "types",
        "response",
        "feature_views",
        "response_lists",
        "response_json",
        "get_values",
        "get_lists",
        "timing",
        "dense",
        "arrow",
        "dlpack",
        "frame",
        "frame_lists",
        "frame_arrow",
        "write_options",
        "write",
        "written",
        "search",
        "health",
        "queue",
        "call",
        "event",
        "version",
    ];
    let builder = files.iter().fold(cbindgen::Builder::new().with_config(config), |builder, file| {
        builder.with_src(root().join(format!("src/ffi/{file}.rs")))
    });
    let bindings = builder.generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).unwrap()
}

/// With FEAST_GENERATE set (`make generate`) the file is written instead.
fn compare(file: &str, generated: &str) {
    let path = root().join(file);
    if std::env::var_os("FEAST_GENERATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "{file} is not what the sources say: run `make generate` and commit it");
}

#[test]
fn the_header_is_generated_from_the_sources() {
    compare("include/feast_remote.h", &generated());
}

/// What later versions are compared with (`abi.rs`).
#[test]
fn the_header_kept_for_this_version_is_generated_too() {
    compare(concat!("abi/", env!("CARGO_PKG_VERSION"), "/feast_remote.h"), &generated());
}

#[test]
fn the_configuration_reference_is_generated_from_the_table() {
    compare("CONFIGURATION.md", &feast_remote::config::reference());
}

#[test]
fn the_statistics_reference_is_generated_from_the_fields() {
    compare("STATISTICS.md", &feast_remote::observe::statistics::reference());
}

#[test]
fn the_version_is_the_same_everywhere() {
    let header = fs::read_to_string(header()).unwrap();
    let macro_value = |name: &str| -> u32 {
        let line = header.lines().find_map(|line| line.strip_prefix(&format!("#define {name} "))).unwrap();
        line.parse().unwrap()
    };
    let parts = ["MAJOR", "MINOR", "PATCH"].map(|part| macro_value(&format!("FEAST_VERSION_{part}")));
    assert_eq!(parts.map(|part| part.to_string()).join("."), env!("CARGO_PKG_VERSION"));
    assert_eq!(macro_value("FEAST_VERSION_NUMBER"), parts[0] * 1_000_000 + parts[1] * 1000 + parts[2]);
    assert_eq!(feast_remote::ffi::feast_version_number(), macro_value("FEAST_VERSION_NUMBER"));
    assert!(header.contains(&format!("libfeast_remote {}.{}:", parts[0], parts[1])));
}

fn compile(compiler: &str, standard: &str, source: &str, name: &str) {
    let folder = scratch();
    let file = folder.join(name);
    fs::write(&file, source).unwrap();
    let output = Command::new(compiler)
        .args([&format!("-std={standard}"), "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c", "-o"])
        .arg(file.with_extension(format!("{standard}.o")))
        .arg("-I")
        .arg(root().join("include"))
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} -std={standard} {name}: {errors}");
}

#[test]
fn the_header_compiles_twice_in_every_standard() {
    let source = "#include <feast_remote.h>\n#include <feast_remote.h>\n\
                  int twice(void);\nint twice(void) { return FEAST_OK + (int)FEAST_VERSION_NUMBER; }\n";
    for standard in ["c99", "c11"] {
        compile("cc", standard, source, "twice.c");
    }
    for standard in ["c++11", "c++17", "c++20"] {
        compile("c++", standard, source, "twice.cpp");
    }
}

/// The program at the head of a header.
pub fn program_of_the_manual(header: &str) -> String {
    let lines = header.lines().skip_while(|line| !line.contains("A PROGRAM")).skip(1);
    let lines = lines.take_while(|line| !line.contains("THREADS"));
    lines.map(|line| line.strip_prefix(" *     ").unwrap_or_default().to_owned() + "\n").collect()
}

#[test]
fn the_program_in_the_manual_compiles() {
    let header = fs::read_to_string(header()).unwrap();
    let program = program_of_the_manual(&header);
    let lines = program.lines().filter(|line| !line.is_empty()).count();
    assert!((15..35).contains(&lines), "{lines} lines");
    for standard in ["c99", "c11"] {
        compile("cc", standard, &program, "manual.c");
    }
}

#[test]
fn doxygen_makes_a_manual_of_the_header_without_a_warning() {
    let folder = scratch();
    let options = fs::read_to_string(root().join("packaging/Doxyfile")).unwrap();
    let file = folder.join("Doxyfile");
    fs::write(&file, format!("{options}OUTPUT_DIRECTORY = {}\n", folder.display())).unwrap();
    let output = Command::new("doxygen").arg(&file).current_dir(root()).output().unwrap();
    let words = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success() && words.is_empty(), "{words}");
    let page = fs::read_to_string(folder.join("html/feast__remote_8h.html")).unwrap();
    let missing: Vec<String> = functions()
        .into_iter()
        .map(|function| function.name)
        .filter(|name| !page.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_on_errors_has_every_status() {
    let page = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let text = fs::read_to_string(header()).unwrap();
    let (_, statuses) = text.split_once("#define FEAST_OK 0").unwrap();
    let (statuses, _) = statuses.split_once("#define FEAST_TYPE_INVALID").unwrap();
    let defines: Vec<&str> =
        statuses.lines().filter_map(|line| line.strip_prefix("#define FEAST_")).collect();
    assert_eq!(defines.len(), 19);
    for define in defines {
        let (name, number) = define.split_once(' ').unwrap();
        assert!(page.contains(&format!("| {number} `{name}` |")), "{define}");
    }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let root = root();
    let folder = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let top = ["README.md", "INTERNALS.md", "CHANGELOG.md"].map(|file| root.join(file));
    let mut links = 0;
    for page in folder.chain(top) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
            if !link.starts_with("http") && !link.is_empty() {
                links += 1;
                assert!(page.parent().unwrap().join(link).exists(), "{}: {link}", page.display());
            }
        }
    }
    assert!(links > 20);
}

struct Function {
    name: String,
    doc: String,
    returns: String,
    parameters: Vec<(String, String)>,
}

/// Every function of the header with the comment above it.
fn functions() -> Vec<Function> {
    let header = fs::read_to_string(header()).unwrap();
    let mut found = Vec::new();
    for block in header.split("/**").skip(1) {
        let (doc, rest) = block.split_once("*/").unwrap();
        let declaration = rest.split(';').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        if declaration.starts_with("typedef") {
            continue;
        }
        let Some((head, parameters)) = declaration.split_once('(') else { continue };
        let name_at = head.rfind([' ', '*']).unwrap() + 1;
        let parameters = parameters.trim_end_matches(')');
        let parameters = parameters
            .split(", ")
            .filter(|parameter| *parameter != "void")
            .map(|parameter| {
                let at = parameter.rfind([' ', '*']).unwrap() + 1;
                (parameter[..at].trim().to_owned(), parameter[at..].to_owned())
            })
            .collect();
        found.push(Function {
            name: head[name_at..].to_owned(),
            doc: doc.replace("\n *", "\n"),
            returns: head[..name_at].trim().to_owned(),
            parameters,
        });
    }
    assert!(found.len() > 30, "the parser finds the functions");
    found
}

/// The text of one `@tag`, up to the next one.
fn part<'a>(doc: &'a str, tag: &str) -> Option<&'a str> {
    let start = doc.find(tag)? + tag.len();
    let rest = &doc[start..];
    let end =
        ["@param ", "@return ", "Thread safety:", "Since:"].iter().filter_map(|tag| rest.find(tag)).min();
    Some(rest[..end.unwrap_or(rest.len())].trim())
}

#[test]
fn every_function_documents_all_of_its_parts() {
    for function in functions() {
        let Function { name, doc, returns, parameters } = &function;
        for tag in ["Thread safety:", "Since:"] {
            assert!(part(doc, tag).is_some_and(|text| !text.is_empty()), "{name}: {tag} is missing");
        }
        if returns != "void" {
            assert!(part(doc, "@return ").is_some_and(|text| !text.is_empty()), "{name}: @return is missing");
        }
        for (kind, parameter) in parameters {
            let text = part(doc, &format!("@param {parameter} "))
                .unwrap_or_else(|| panic!("{name}: @param {parameter} is missing"));
            assert!(
                text.starts_with("in") || text.starts_with("out"),
                "{name}: {parameter}: which direction?"
            );
            let owned =
                ["borrowed", "copied", "transferred", "free with", "close it with", "changed", "bytes of"];
            assert!(
                !kind.contains('*') || owned.iter().any(|word| text.contains(word)),
                "{name}: {parameter}: who owns it?"
            );
        }
        let documented = doc.matches("@param ").count();
        assert_eq!(documented, parameters.len(), "{name}: a @param without a parameter");
    }
}

#[test]
fn the_release_library_exports_exactly_the_headers_functions() {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().unwrap();
    assert!(output.status.success(), "nm {}", library().display());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut exported: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next_back()).collect();
    exported.remove("FEAST_REMOTE_0"); // the version node, which some linkers export, too
    let versioned: Vec<String> =
        functions().iter().map(|function| format!("{}@@FEAST_REMOTE_0", function.name)).collect();
    let declared: BTreeSet<&str> = versioned.iter().map(String::as_str).collect();
    assert_eq!(exported, declared);
}

#[test]
fn the_shared_library_has_its_soname_and_link_flags() {
    let output = Command::new("readelf").args(["-dW"]).arg(library()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for wanted in ["[libfeast_remote.so.0]", "NODELETE", "NOW"] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
    let needed: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split('[').nth(1)?.strip_suffix(']'))
        .filter(|name| !["libc.so.6", "libm.so.6", "libgcc_s.so.1"].contains(name))
        .filter(|name| !name.starts_with("ld-linux"))
        .collect();
    assert!(needed.is_empty(), "libraries that a user would have to install: {needed:?}");
}

#[test]
fn every_entry_point_goes_through_the_guard() {
    let mut count = 0;
    for file in fs::read_dir(root().join("src/ffi")).unwrap() {
        let path = file.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        for entry in source.split("#[unsafe(no_mangle)]").skip(1) {
            let body = entry.split("\n}").next().unwrap();
            // The last ones are local helpers that begin with a guard.
            let guarded = [
                "guard::status(",
                "guard::value(",
                " change(",
                " read(",
                " returned_string(",
                " copy(",
                " export(",
            ];
            assert!(guarded.iter().any(|guard| body.contains(guard)), "{}: {body}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, functions().len());
}

#[test]
fn every_test_that_the_table_of_feasts_options_names_exists() {
    let mut sources = String::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let table = fs::read_to_string(root().join("docs/feast-options.md")).unwrap();
    let mut named = 0;
    for line in table.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---")).skip(1) {
        let Some(tests) = line.trim_end_matches('|').rsplit('|').next() else { continue };
        for test in tests.split('`').skip(1).step_by(2) {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}");
            named += 1;
        }
    }
    assert!(named > 25, "{named} tests named");
}
