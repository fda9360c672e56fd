//! C programs against the header and the release library: as they are, and under valgrind's memcheck, where
//! nothing may be lost and nothing invalid be touched.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::support::cc::{
    command, compile, compile_with, passed, passes_plain_and_under_memcheck, plain_and_memcheck, sanitized,
};
use crate::support::paths::{library_folder, root, scratch};
use crate::support::server::{Seen, Server, Step, answer, reply, say};
use crate::support::tls::{Authority, encrypted};
use crate::support::wait::wait_until;

/// As it is and under memcheck.
fn run(source: &str, arguments: &[&str]) {
    passes_plain_and_under_memcheck(&compile(source), arguments);
}

#[test]
fn bad_input_gets_a_clear_error_and_leaks_nothing() {
    run("tests/programs/c/bad_input.c", &[]);
}

#[test]
fn a_deadline_that_has_passed_and_a_bad_token_send_nothing() {
    run("tests/programs/c/deadlines_and_tokens.c", &[]);
}

#[test]
fn several_servers_hold_in_c() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let good = Server::start(|seen| if seen.target.starts_with("GET") { say(200, "") } else { answer(seen) });
    run("tests/programs/c/servers.c", &[&good.url(), &nobody]);
}

/// The cases of tests/programs/c/answers.c, chosen by an entity's name.
fn scripted(seen: &Seen) -> Vec<Step> {
    let question: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let entities = question["entities"].as_object().unwrap();
    let case = entities.keys().find(|name| *name != "id").map_or("", String::as_str);
    let one = |names: &str, second: &str| {
        format!(
            r#"{{"results":[{{"values":[1]}},{{"values":[2]}}{second}],"metadata":{{"feature_names":{names}}}}}"#
        )
    };
    match case {
        "" if question["features"].as_array().unwrap().len() == 6 => say(
            200,
            r#"{"results":[{"values":[7,9223372036854775807,-1]},
                {"values":[null,null,null]},
                {"values":[1,9007199254740993,null],"statuses":["PRESENT","PRESENT","NOT_FOUND"],
                 "event_timestamps":["2026-11-23T01:00:00Z","2026-11-23T01:00:00Z","1970-01-01T00:00:00Z"]},
                {"values":[1,2.5,0.1]},
                {"values":[[1,2],[],null]},
                {"values":[true,false,true]},
                {"values":["\u00fc\u0000","","abc"]}],
               "metadata":{"feature_names":["id","none","b","a","list","flag","text"]}}"#,
        ),
        "" => answer(seen),
        "feast_error" => say(
            404,
            r#""{\"module\": \"feast.errors\", \"class\": \"FeatureViewNotFoundException\", \"message\": \"Feature view nope does not exist\"}""#,
        ),
        "plain_string" => say(500, r#""'pop from an empty set'""#),
        "fastapi" => {
            say(422, r#"{"detail":[{"type":"missing","loc":["body","entities"],"msg":"Field required"}]}"#)
        }
        "go_server" => say(500, r#"{"error":"Error getting feature vector: x","status_code":500}"#),
        "html" => say(502, "<html>\n<title>502 Bad Gateway</title>\n</html>"),
        "empty" => say(403, ""),
        "redirect" => vec![Step::Send(reply(307, &[("Location", "http://127.0.0.1:1/")], ""))],
        "throttled" => say(429, r#""slow down""#),
        "not_json" => say(200, "<html>"),
        "cut_off" => say(200, r#"{"results":[{"val"#),
        "cut_body" => {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()), Step::Close]
        }
        "unequal" => say(200, one(r#"["id","a","b"]"#, r#",{"values":[],"statuses":["PRESENT"]}"#)),
        "wrong_rows" => say(200, one(r#"["id","a","b"]"#, r#",{"values":[]}"#)),
        "unasked" => say(200, one(r#"["id","a","c"]"#, r#",{"values":[3]}"#)),
        "fewer" => say(200, one(r#"["id","a"]"#, "")),
        "raw" => say(200, r#" {"any": [1]}"#),
        other => panic!("no such case: {other}"),
    }
}

#[test]
fn answers_become_typed_columns_and_refusals_clear_errors() {
    let server = Server::start(scripted);
    run("tests/programs/c/answers.c", &[&server.url()]);
}

#[test]
fn closing_returns_closed_to_every_call_in_flight_and_leaves_other_stores_alone() {
    let program = compile("tests/programs/c/close_in_flight.c");
    for &memcheck in plain_and_memcheck() {
        let stalling = Server::start(|_| vec![Step::Stall]);
        let healthy = Server::start(answer);
        let mut child = command(&program, memcheck)
            .args([stalling.url(), healthy.url()])
            // Under memcheck threads take turns, and a crowd would take nearly all of them.
            .args((!memcheck).then_some("crowd"))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("four calls are on the wire", || stalling.requests() == 4);
        child.stdin.take().unwrap().write_all(b"g").unwrap();
        passed("close_in_flight", &child.wait_with_output().unwrap());
        assert_eq!(stalling.connections(), 4);
        wait_until("every connection is closed", || stalling.open() == 0);
    }
}

#[test]
fn asynchronous_calls_end_well_however_they_end() {
    let healthy = Server::start(answer);
    let stalling = Server::start(|_| vec![Step::Stall]);
    run("tests/programs/c/async.c", &[&healthy.url(), &stalling.url()]);
    wait_until("every connection is closed", || stalling.open() + healthy.open() == 0);
}

#[test]
fn a_queue_is_freed_under_threads_that_wait_in_it_and_a_store_closed_by_two() {
    let server = Server::start(answer);
    let program = compile("tests/programs/c/freed_while_polled.c");
    for &memcheck in plain_and_memcheck() {
        let rounds = if memcheck { "10" } else { "300" };
        let output = command(&program, memcheck).args([server.url().as_str(), rounds]).output().unwrap();
        passed("freed_while_polled", &output);
    }
    wait_until("every connection is closed", || server.open() == 0);
}

#[test]
fn a_cancelled_thread_returns_from_its_call_first() {
    let stalling = Server::start(|_| vec![Step::Stall]);
    run("tests/programs/c/cancelled_thread.c", &[&stalling.url()]);
}

#[test]
fn a_fork_amid_the_log_callback_leaves_no_lock_behind() {
    let refusing = Server::start(|_| say(503, ""));
    refusing.forget_requests();
    let program = compile("tests/programs/c/fork_amid_log.c");
    passed("fork_amid_log", &command(&program, false).args([&refusing.url(), "200"]).output().unwrap());
}

#[test]
fn a_programs_own_fork_handlers_may_wait_for_a_thread_that_is_in_a_call() {
    let refusing = Server::start(|_| say(503, ""));
    let program = compile("tests/programs/c/fork_with_handlers.c");
    passed("fork_with_handlers", &command(&program, false).arg(refusing.url()).output().unwrap());
}

#[test]
fn nobody_is_asked_for_the_passphrase_of_a_client_key() {
    let authority = Authority::new("clients' CA");
    let server = authority.serve("127.0.0.1", 30);
    let url = format!("https://127.0.0.1:{}", server.port());
    let (certificate, key) = authority.issue("some client", 30);
    let mut program = Command::new(compile("tests/programs/c/encrypted_key.c"));
    program.arg(url).args([certificate, encrypted(&key)]).stdin(Stdio::piped()).stderr(Stdio::piped());
    // Without a terminal OpenSSL would read it from an open standard input.
    // SAFETY: setsid may be called between fork and exec.
    unsafe {
        program.pre_exec(|| if libc::setsid() < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) })
    };
    let mut child = program.spawn().unwrap();
    let open_input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(open_input);
    passed("encrypted_key", &output);
}

#[test]
fn the_cpp_header_frees_what_it_holds_and_throws_what_fails() {
    let healthy = Server::start(|seen| match seen.target.as_str() {
        "POST /push" | "POST /write-to-online-store" | "GET /health" => say(200, "null"),
        _ => answer(seen),
    });
    let stalling = Server::start(|_| vec![Step::Stall]);
    run("tests/programs/cpp/wrapper.cpp", &[&healthy.url(), &stalling.url()]);
}

#[test]
fn a_thousand_times_loaded_and_unloaded_it_leaves_nothing_behind() {
    let server = Server::start(answer);
    server.forget_requests();
    let program = compile_with("tests/programs/c/loaded_and_unloaded.c", &["-ldl"]);
    let library = library_folder().join("libfeast_remote.so");
    let output = Command::new(program).arg(library).args([&server.url(), "1000"]).output().unwrap();
    passed("loaded_and_unloaded", &output);
    print!("{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_name_lookup_that_never_ends_holds_up_nobody() {
    // Its own getaddrinfo must be seen by the library.
    let folder = library_folder();
    let rpath = format!("-Wl,-rpath,{}", folder.display());
    let link = ["-rdynamic", "-L", folder.to_str().unwrap(), "-lfeast_remote", &rpath];
    let output = Command::new(compile_with("tests/programs/c/stalled_lookup.c", &link)).output().unwrap();
    passed("stalled_lookup", &output);
    print!("{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_crowded_process_and_its_forks_are_served() {
    let server = Server::start(answer);
    let program = compile("tests/programs/c/crowded_and_forked.c");
    passed("crowded_and_forked", &Command::new(&program).arg(server.url()).output().unwrap());
    // The parent's calls went over its one connection, in spite of the children; ten of these made one each.
    assert_eq!(server.connections(), 1 + 10);
}

#[test]
fn a_thousand_forks_amid_calls_cost_the_parent_none_and_each_child_is_served() {
    let program = compile("tests/programs/c/forks.c");
    let server = Server::start(answer);
    server.forget_requests();
    // A fork with a sanitizer's memory takes long.
    let forks = if sanitized().is_some() { "50" } else { "1000" };
    let output = Command::new(&program).args([&server.url(), "", forks]).output().unwrap();
    passed("forks", &output);
    print!("{}", String::from_utf8_lossy(&output.stdout));
    let output = Command::new(&program).args([&server.url(), "", forks, "merged"]).output().unwrap();
    passed("forks, merged", &output);
    print!("{}", String::from_utf8_lossy(&output.stdout));
    // Over TLS a goodbye of a child's would end the parent's connection.
    let authority = Authority::new("forks' CA");
    let server = authority.serve("localhost", 1);
    let url = format!("https://localhost:{}", server.port());
    let output = Command::new(&program)
        .args([url.as_str(), authority.file().to_str().unwrap(), "60"])
        .output()
        .unwrap();
    passed("forks, TLS", &output);
    print!("{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn an_answer_too_large_for_memory_is_an_error() {
    let server = Server::start(|_| {
        let list = "0,".repeat(12_000_000);
        let rest = r#"{"values":[2]}],"metadata":{"feature_names":["id","a","b"]}}"#;
        say(
            200,
            format!(
                r#"{{"results":[{{"values":[1]}},{{"values":[[{}]]}},{rest}"#,
                list.trim_end_matches(',')
            ),
        )
    });
    server.forget_requests();
    let output =
        Command::new(compile("tests/programs/c/short_of_memory.c")).arg(server.url()).output().unwrap();
    passed("short_of_memory", &output);
}

#[test]
fn the_first_program_of_the_readme_prints_features() {
    let program = compile("examples/c/minimal.c");
    let lines = std::fs::read_to_string(root().join("examples/c/minimal.c")).unwrap().lines().count();
    assert!(lines < 60, "{lines} lines");
    let server = Server::start(|_| {
        say(
            200,
            r#"{"results":[{"values":[1001,1002]},{"values":[0.5,0.25]},{"values":[17,18]}],
                "metadata":{"feature_names":["driver_id","conv_rate","avg_daily_trips"]}}"#,
        )
    });
    for &memcheck in plain_and_memcheck() {
        let output = command(&program, memcheck).arg(server.url()).output().unwrap();
        passed("minimal", &output);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "17 trips a day, conversion rate 0.500000\n18 trips a day, conversion rate 0.250000\n"
        );
    }
    for (rates, trips, printed) in [
        ("[0.5,null]", "[17,null]", "17 trips a day, conversion rate 0.500000\nnot known\n"),
        ("[null,null]", "[null,null]", "not known\nnot known\n"),
        (
            "[1,2]",
            "[3.0,4.0]",
            "3 trips a day, conversion rate 1.000000\n4 trips a day, conversion rate 2.000000\n",
        ),
    ] {
        let answer = format!(
            r#"{{"results":[{{"values":[1001,1002]}},{{"values":{rates}}},{{"values":{trips}}}],
                "metadata":{{"feature_names":["driver_id","conv_rate","avg_daily_trips"]}}}}"#
        );
        let server = Server::start(move |_| say(200, &answer));
        let output = Command::new(&program).arg(server.url()).output().unwrap();
        passed("minimal", &output);
        assert_eq!(String::from_utf8_lossy(&output.stdout), printed);
    }
    let refused = Command::new(&program).arg("localhost").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr).starts_with("CONFIG: path: `localhost` must begin with")
    );
}

#[test]
fn the_static_library_links_with_the_line_of_the_readme() {
    let archive = library_folder().join("libfeast_remote.a");
    let program = compile_with(
        "tests/programs/c/bad_input.c",
        &[archive.to_str().unwrap(), "-lpthread", "-ldl", "-lm"],
    );
    passed("bad_input, static", &Command::new(&program).output().unwrap());
}

#[test]
fn the_command_line_tool_prints_tables_json_and_csv() {
    let program = compile("examples/c/feast_get.c");
    let server = Server::start(|_| {
        say(
            200,
            r#"{"results":[{"values":["a,\"b","ü"],"statuses":["PRESENT","PRESENT"]},
                {"values":[null,1.5],"statuses":["NOT_FOUND","PRESENT"]},
                {"values":[[1,2],null],"statuses":["PRESENT","PRESENT"]}],
                "metadata":{"feature_names":["k","x","l"]}}"#,
        )
    });
    for (format, expected) in [
        ("table", "k     x            l\na,\"b  (not found)  [1,2]\nü     1.5          (null)\n"),
        ("json", "{\"k\":\"a,\\\"b\",\"x\":null,\"l\":[1,2]}\n{\"k\":\"ü\",\"x\":1.5,\"l\":null}\n"),
        ("csv", "\"k\",\"x\",\"l\"\n\"a,\"\"b\",,\"[1,2]\"\n\"ü\",1.5,\n"),
    ] {
        for &memcheck in plain_and_memcheck() {
            let output = command(&program, memcheck)
                .args(["--path", &server.url(), "--feature", "v:x", "--feature", "v:l", "--entity", "k=p,q"])
                .args(["--format", format])
                .output()
                .unwrap();
            passed("feast_get", &output);
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{format}");
        }
    }
    let yaml = scratch().join("feature_store.yaml");
    let text = format!(
        "online_store:\n  type: remote\n  path: {}\n  pool: 3\nauth:\n  type: oidc\n  token: abc\n",
        server.url()
    );
    std::fs::write(&yaml, text).unwrap();
    let output = Command::new(&program)
        .args(["--config", yaml.to_str().unwrap(), "--feature", "v:x", "--feature", "v:l"])
        .args(["--entity", "k=p,q", "--format", "csv"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(server.seen().last().unwrap().headers["authorization"], "Bearer abc");
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        warnings.contains("unknown key online_store.pool") && warnings.contains("without TLS"),
        "{warnings}"
    );
    assert!(!warnings.contains("abc"), "{warnings}");
    let usage = Command::new(&program).arg("--nonsense").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}
