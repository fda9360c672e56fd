//! What counts against a server and what never does, and how one that was set aside comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use feast_remote::error::Code;
use feast_remote::remote::Remote;

use super::{healthy, nobody, of_server, questions, served, several};
use crate::support::events::{code, next, queue, submit};
use crate::support::server::{Server, Step, Welcome, answer, reply, say};
use crate::support::store::{ask, call, config, fails, figures};
use crate::support::tls::Authority;
use crate::support::wait::wait_until;

#[test]
fn who_cannot_be_reached_is_set_aside_at_once() {
    let good = healthy();
    let dead = nobody();
    let remote =
        Remote::open(&config(&format!("{dead},{}", good.url()), &[("balance", "in_order")])).unwrap();
    (0..100).for_each(|id| call(&remote, id).unwrap());
    let now = figures(&remote);
    assert_eq!((&now["servers_set_aside"], &now["attempts"]), (&1.into(), &101.into()), "{now}");
    assert_eq!(of_server(&remote, &dead, "state"), "set_aside");
    assert_eq!(of_server(&remote, &dead, "failures"), 1);
    assert_eq!(of_server(&remote, &good.url(), "attempts"), 100);
}

#[test]
fn a_server_comes_back_when_it_says_that_it_is_well_and_not_before() {
    let (status, health) = (Arc::new(AtomicU16::new(503)), Arc::new(AtomicU16::new(503)));
    let asked = Arc::new(AtomicUsize::new(0));
    let (its_status, its_health, counts) = (Arc::clone(&status), Arc::clone(&health), Arc::clone(&asked));
    let ill = Server::start(move |seen| {
        if seen.target.starts_with("GET /health") {
            counts.fetch_add(1, Ordering::SeqCst);
            return say(its_health.load(Ordering::SeqCst), "");
        }
        match its_status.load(Ordering::SeqCst) {
            200 => answer(seen),
            status => say(status, ""),
        }
    });
    let good = healthy();
    let remote = several(&[&ill, &good], &[("balance", "in_order")]);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&ill), 5);
    assert_eq!(of_server(&remote, &ill.url(), "state"), "set_aside");
    // It is asked, and says that it is not well.
    wait_until("it was asked twice", || asked.load(Ordering::SeqCst) >= 2);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&ill), 5);
    // It says that it is well, and fails: one request is enough to know.
    health.store(200, Ordering::SeqCst);
    wait_until("it recovers", || of_server(&remote, &ill.url(), "state") == "recovering");
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&ill), 6);
    assert_eq!(of_server(&remote, &ill.url(), "times_set_aside"), 2);
    // It is well.
    status.store(200, Ordering::SeqCst);
    wait_until("it recovers", || of_server(&remote, &ill.url(), "state") == "recovering");
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&ill), 26);
    assert_eq!(of_server(&remote, &ill.url(), "state"), "available");
    assert_eq!(figures(&remote)["calls_failed"], 0);
}

#[test]
fn a_server_without_a_health_endpoint_comes_back_too() {
    let is_ill = Arc::new(AtomicBool::new(true));
    let its = Arc::clone(&is_ill);
    let ill = Server::start(move |seen| match its.load(Ordering::SeqCst) {
        _ if seen.target.starts_with("GET /health") => say(404, ""),
        true => say(502, ""),
        false => answer(seen),
    });
    let good = healthy();
    let remote = several(&[&ill, &good], &[("balance", "in_order")]);
    (0..5).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(of_server(&remote, &ill.url(), "state"), "set_aside");
    is_ill.store(false, Ordering::SeqCst);
    wait_until("it serves again", || {
        call(&remote, 1).unwrap();
        of_server(&remote, &ill.url(), "state") == "available"
    });
}

#[test]
fn the_last_server_is_never_set_aside() {
    let servers = [Server::start(|_| say(503, "")), Server::start(|_| say(503, ""))];
    let remote = several(&servers.each_ref(), &[("connection_retries", "0"), ("retry_budget", "0")]);
    (0..40).for_each(|id| assert_eq!(fails(&remote, id).code, Code::Server));
    let states: Vec<String> =
        servers.iter().map(|it| of_server(&remote, &it.url(), "state").to_string()).collect();
    assert_eq!(states.iter().filter(|state| *state == "\"available\"").count(), 1, "{states:?}");
    assert_eq!(figures(&remote)["servers_set_aside"], 1);
}

#[test]
fn with_one_server_none_of_this_runs() {
    let remote = Remote::open(&config(&nobody(), &[("connection_retries", "0")])).unwrap();
    (0..20).for_each(|id| assert_eq!(fails(&remote, id).code, Code::Connect));
    let now = figures(&remote);
    assert_eq!((&now["servers_set_aside"], &now["health_checks"]), (&0.into(), &0.into()));
    assert_eq!(now["servers"][0]["state"], "available");
}

#[test]
fn all_dead_the_error_names_all_and_the_first_one_back_is_used() {
    let dead = [nobody(), nobody(), nobody()];
    let remote = Remote::open(&config(&dead.join(","), &[("connection_retries", "2")])).unwrap();
    for id in 0..20 {
        let error = fails(&remote, id);
        assert!(dead.iter().all(|url| error.message.contains(url)), "{}", error.message);
    }
    let port = dead[1].rsplit(':').next().unwrap().parse().unwrap();
    let back = Server::at(("127.0.0.1", port), None, |_| Welcome::Serve, served).unwrap();
    call(&remote, 1).unwrap();
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&back), 21);
}

#[test]
fn what_a_call_or_its_caller_did_never_sets_a_server_aside() {
    let feast_error =
        r#""{\"module\":\"feast.errors\",\"class\":\"FeatureViewNotFoundException\",\"message\":\"no\"}""#;
    for (status, body) in
        [(500, "\"KeyError\""), (500, feast_error), (404, "{}"), (422, "{}"), (403, "{}"), (400, "{}")]
    {
        let (odd, good) = (Server::start(move |_| say(status, body)), healthy());
        let remote = several(
            &[&odd, &good],
            &[("balance", "in_order"), ("retry_application_errors", "never"), ("retry_budget", "0")],
        );
        for id in 0..20 {
            let _ = call(&remote, id);
        }
        assert_eq!(questions(&odd), 20, "{status} {body}: it is the first each time");
        assert_eq!(of_server(&remote, &odd.url(), "failures"), 0);
    }
}

#[test]
fn a_callers_own_short_deadline_and_a_cancelled_call_never_count() {
    let stalls =
        Server::start(|seen| if seen.target.starts_with("GET") { say(200, "") } else { vec![Step::Stall] });
    let good = healthy();
    let remote = several(&[&stalls, &good], &[("balance", "in_order")]);
    for id in 0..10 {
        let mut request = ask(id);
        request.set_timeout(Some(Duration::from_millis(5)));
        assert_eq!(remote.get_online_features(&request).err().unwrap().code, Code::Timeout);
    }
    let events = queue();
    for id in 0..10 {
        submit(&remote, &events, id).cancel();
        assert_eq!(code(next(&events)), Code::Cancelled);
    }
    assert_eq!(of_server(&remote, &stalls.url(), "state"), "available");
    assert_eq!(of_server(&remote, &stalls.url(), "failures"), 0);
}

#[test]
fn a_kept_connection_that_breaks_never_counts() {
    // The answer to the second request on each connection breaks off.
    let counted = Arc::new(AtomicUsize::new(0));
    let seen_before = Arc::clone(&counted);
    let breaks = Server::start(move |seen| match seen_before.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => answer(seen),
        _ => vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()), Step::Reset],
    });
    let good = healthy();
    let remote = several(&[&breaks, &good], &[("balance", "in_order"), ("retry_budget", "0")]);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&breaks), 20);
    assert_eq!(of_server(&remote, &breaks.url(), "failures"), 0);
}

#[test]
fn new_connections_that_break_count_after_five_in_a_row() {
    let breaks = Server::start(|_| vec![Step::Reset]);
    let good = healthy();
    let remote = several(&[&breaks, &good], &[("balance", "in_order")]);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&breaks), 5);
    assert_eq!(of_server(&remote, &breaks.url(), "state"), "set_aside");
}

#[test]
fn statuses_of_a_gateway_count_after_five_in_a_row() {
    for status in [502, 503, 504] {
        let (bad, good) = (Server::start(move |_| say(status, "")), healthy());
        let remote = several(&[&bad, &good], &[("balance", "in_order")]);
        (0..20).for_each(|id| call(&remote, id).unwrap());
        assert_eq!(questions(&bad), 5, "{status}");
        assert_eq!(of_server(&remote, &bad.url(), "failures"), 5);
    }
}

#[test]
fn who_has_no_address_or_another_certificate_is_set_aside_at_once() {
    let good = healthy();
    let nameless = "http://no-such-host.invalid:6566";
    let keys = [("balance", "in_order"), ("request_timeout_ms", "60000")];
    let remote = Remote::open(&config(&format!("{nameless},{}", good.url()), &keys)).unwrap();
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(of_server(&remote, nameless, "attempts"), 1);
    assert_eq!(of_server(&remote, nameless, "state"), "set_aside");

    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let stranger = Server::start_tls(other.acceptor("127.0.0.1", 1), served);
    let known = Server::start_tls(ours.acceptor("127.0.0.1", 1), served);
    let authorities = ours.file();
    let keys = [("balance", "in_order"), ("cert", authorities.to_str().unwrap())];
    let remote = several(&[&stranger, &known], &keys);
    // No retry there mends it, but one elsewhere may.
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(of_server(&remote, &stranger.url(), "attempts"), 1);
    assert_eq!(questions(&stranger), 0);
}

#[test]
fn a_call_that_finds_no_free_connection_never_counts() {
    let release = Arc::new(AtomicBool::new(false));
    let waits = Arc::clone(&release);
    let busy = Server::start(move |seen| [vec![Step::Until(Arc::clone(&waits))], served(seen)].concat());
    let good = healthy();
    let remote = several(&[&busy, &good], &[("balance", "in_order"), ("connection_pool_size", "1")]);
    std::thread::scope(|scope| {
        let holds = scope.spawn(|| call(&remote, 1));
        wait_until("it holds the connection", || questions(&busy) == 1 || busy.requests() == 1);
        for id in 0..10 {
            let mut request = ask(id);
            request.set_timeout(Some(Duration::from_millis(2)));
            assert_eq!(remote.get_online_features(&request).err().unwrap().code, Code::Overloaded);
        }
        release.store(true, Ordering::SeqCst);
        holds.join().unwrap().unwrap();
    });
    for server in [&busy, &good] {
        assert_eq!(of_server(&remote, &server.url(), "failures"), 0);
        assert_eq!(of_server(&remote, &server.url(), "state"), "available");
    }
}

#[test]
fn retries_at_other_servers_are_paid_for_from_the_one_budget() {
    let servers = [Server::start(|_| say(503, "")), Server::start(|_| say(503, ""))];
    // For two retries, and a success gives nothing back here.
    let remote = several(&servers.each_ref(), &[("retry_budget", "10"), ("connection_retries", "1")]);
    let attempts: Vec<u32> = (0..4).map(|id| fails(&remote, id).attempts).collect();
    assert_eq!(attempts, [2, 2, 1, 1]);
    assert!(fails(&remote, 9).message.contains("retry budget"), "it says why");
    assert_eq!(servers.iter().map(Server::requests).sum::<usize>(), 7);
}

#[test]
fn who_takes_all_the_time_that_attempts_get_is_set_aside_after_five_in_a_row() {
    let stalls = Server::start(|_| vec![Step::Stall]);
    let good = healthy();
    let keys = [("balance", "in_order"), ("attempt_timeout_ms", "20"), ("retry_budget", "0")];
    let remote = several(&[&stalls, &good], &keys);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&stalls), 5);
    assert_eq!(of_server(&remote, &stalls.url(), "failures"), 5);
}

#[test]
fn slow_questions_do_not_set_a_server_aside_that_answers_others() {
    // Every third question takes too long, as one for many rows might.
    let slow = Server::start(|seen| if seen.number % 3 == 2 { vec![Step::Stall] } else { answer(seen) });
    let good = healthy();
    let keys = [("balance", "in_order"), ("attempt_timeout_ms", "50"), ("retry_budget", "0")];
    let remote = several(&[&slow, &good], &keys);
    (0..30).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&slow), 30);
    assert_eq!(of_server(&remote, &slow.url(), "state"), "available");
}

#[test]
fn a_429_is_no_failure_and_its_retry_after_binds_its_server_alone() {
    let throttles = Server::start(|_| vec![Step::Send(reply(429, &[("Retry-After", "3600")], ""))]);
    let good = healthy();
    let remote = several(&[&throttles, &good], &[("balance", "in_order"), ("retry_budget", "0")]);
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(questions(&throttles), 1, "it is left alone for the hour");
    assert_eq!(of_server(&remote, &throttles.url(), "failures"), 0);
    assert_eq!(of_server(&remote, &throttles.url(), "state"), "available");
}

#[test]
fn where_all_servers_want_a_pause_the_call_makes_one() {
    let throttles = || Server::start(|_| vec![Step::Send(reply(429, &[("Retry-After", "3600")], ""))]);
    let servers = [throttles(), throttles()];
    let remote = several(&servers.each_ref(), &[("retry_budget", "0")]);
    let error = fails(&remote, 1);
    assert_eq!((error.code, error.attempts), (Code::Throttled, 2));
    assert!(error.message.contains("3600.0s, past the call's deadline"), "{}", error.message);
}

#[test]
fn closing_does_not_wait_for_a_server_that_is_asked_whether_it_is_well() {
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    let ill = Server::start(move |seen| match seen.target.starts_with("GET /health") {
        true => vec![Step::Tell(Arc::clone(&told)), Step::Stall],
        false => say(503, ""),
    });
    let good = healthy();
    let remote = several(&[&ill, &good], &[("balance", "in_order")]);
    (0..5).for_each(|id| call(&remote, id).unwrap());
    wait_until("it is asked", || asked.load(Ordering::SeqCst));
    assert_eq!(ill.open(), 2, "a kept connection, and one of the question");
    drop(remote);
    wait_until("nothing is open", || ill.open() == 0);
}

#[test]
fn a_server_whose_calls_all_failed_at_once_comes_back() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    drop(listener);
    let good = healthy();
    let urls = format!("{url},{}", good.url());
    // Where many of them have chosen it before the first one is refused; on a busy machine not each time.
    let remote = loop {
        let remote = Remote::open(&config(&urls, &[("balance", "in_order")])).unwrap();
        let events = queue();
        (0..40).for_each(|id| drop(submit(&remote, &events, id)));
        (0..40).for_each(|_| assert!(next(&events).into_response().is_ok()));
        if of_server(&remote, &url, "failures").as_u64().unwrap() > 5 {
            break remote;
        }
    };
    let back = Server::at(("127.0.0.1", port), None, |_| Welcome::Serve, served).unwrap();
    wait_until("it serves again", || {
        call(&remote, 1).unwrap();
        of_server(&remote, &url, "state") == "available"
    });
    assert!(questions(&back) > 0);
}

#[test]
fn a_server_that_failed_as_the_last_one_is_used_again_when_it_is_well() {
    let listeners = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
    let urls = ports.map(|port| format!("http://127.0.0.1:{port}"));
    drop(listeners);
    let keys = [("balance", "in_order"), ("connection_retries", "1")];
    let remote = Remote::open(&config(&urls.join(","), &keys)).unwrap();
    // Both have failed, and one of them was the last.
    (0..3).for_each(|id| assert_eq!(fails(&remote, id).code, Code::Connect));
    let back = |port| Server::at(("127.0.0.1", port), None, |_| Welcome::Serve, served).unwrap();
    let second = back(ports[1]);
    wait_until("the second serves", || call(&remote, 1).is_ok() && questions(&second) > 0);
    let first = back(ports[0]);
    wait_until("the first one, which is preferred, serves again", || {
        call(&remote, 1).unwrap();
        questions(&first) > 0
    });
}

#[test]
fn a_retry_after_without_measure_neither_panics_nor_lasts_for_ever() {
    let throttles =
        Server::start(|_| vec![Step::Send(reply(503, &[("Retry-After", "18446744073709551615")], ""))]);
    let good = healthy();
    let remote = several(&[&throttles, &good], &[("balance", "in_order"), ("hedge_percent", "1")]);
    std::thread::sleep(Duration::from_millis(1100));
    (0..20).for_each(|id| call(&remote, id).unwrap());
    assert_eq!(figures(&remote)["driver_restarts"], 0);
}

#[test]
fn a_pause_that_one_server_asks_for_does_not_hold_up_a_retry_at_another() {
    // Each fails once, the second with a wish that the first one has not.
    let failing = |headers: &'static [(&'static str, &'static str)]| {
        Server::start(move |seen| match seen.number {
            0 => vec![Step::Send(reply(503, headers, ""))],
            _ => answer(seen),
        })
    };
    let servers = [failing(&[]), failing(&[("Retry-After", "3600")])];
    let remote = several(&servers.each_ref(), &[("balance", "in_order")]);
    call(&remote, 1).unwrap();
    assert_eq!(servers.each_ref().map(questions), [2, 1]);
}
