//! The examples of asynchronous calls, run against a real `feast serve`.

use std::process::{Command, Stdio};

use crate::support::cc::{command, compile, passed};
use crate::support::feast::{Feast, expected};
use crate::support::server::{Server, Step};
use crate::support::wait::wait_until;

#[test]
fn an_event_loop_fetches_features_beside_its_other_work() {
    let feast = Feast::serve(&["-w", "2"]);
    let output = Command::new(compile("examples/c/epoll_loop.c")).arg(feast.url()).output().unwrap();
    passed("epoll_loop", &output);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, "1000 answered, 0 failed, between some ticks and some words\n");
}

#[test]
fn a_backend_prints_its_feature_or_gives_up_on_sigint() {
    let program = compile("examples/c/latch_loop.c");
    let feast = Feast::serve(&[]);
    let rate = expected()["driver_hourly_stats"]["1002"]["conv_rate"].as_f64().unwrap();
    let output = Command::new(&program).args([feast.url(), "1002".to_owned()]).output().unwrap();
    passed("latch_loop", &output);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("driver 1002: {rate:.6}\n"));

    for memcheck in [false, true] {
        let stalling = Server::start(|_| vec![Step::Stall]);
        let child = command(&program, memcheck).arg(stalling.url()).stdout(Stdio::piped()).spawn().unwrap();
        wait_until("the call is on the wire", || stalling.requests() == 1);
        // SAFETY: a signal to the child that was started above and has not been waited for.
        unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "CANCELLED: the call was cancelled\n");
    }
}

#[test]
fn a_batch_of_inference_requests_fills_the_servers_buffers() {
    let feast = Feast::serve(&["-w", "2"]);
    let output = Command::new(compile("examples/cpp/triton_like.cpp")).arg(feast.url()).output().unwrap();
    passed("triton_like", &output);
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    let driver = &expected()["driver_hourly_stats"]["1001"];
    let number = |name: &str| driver[name].as_f64().unwrap();
    let filled = format!("{:.3} {:.3}", number("conv_rate"), number("acc_rate"));
    assert_eq!(lines.len(), 8, "{printed}");
    for (i, line) in lines.iter().enumerate() {
        match i {
            5 => assert!(line.contains("the time was up"), "{line}"),
            6 => assert_eq!(*line, "6: the call was cancelled"),
            _ => assert_eq!(*line, format!("{i}: {filled}")),
        }
    }
}
