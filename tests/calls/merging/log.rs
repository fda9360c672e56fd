//! What the log says of merged calls. Its callback is the whole process's, so that all tests read from one.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::{BAD, Gathering, refuses};
use crate::support::events::{next, queue};
use crate::support::server::{Seen, Server, Step, reply, say};
use crate::support::store::{ask, figures, open};
use feast_remote::observe::log::{Level, set_callback};
use serde_json::{Value, json};

/// What has been said about this server so far.
fn said_of(server: &Server) -> Vec<(Level, String)> {
    let all = said().lock().unwrap();
    all.iter().filter(|(_, words)| words.contains(&server.url())).cloned().collect()
}

/// Everything that has been said since the first look; a store must have been opened before.
fn said() -> &'static Mutex<Vec<(Level, String)>> {
    static SAID: OnceLock<Mutex<Vec<(Level, String)>>> = OnceLock::new();
    SAID.get_or_init(|| {
        let callback = Box::new(|level, words: &str| said().lock().unwrap().push((level, words.to_owned())));
        set_callback(Some((Level::Info, callback)));
        Mutex::new(Vec::new())
    })
}

#[test]
fn no_value_of_a_merged_call_gets_into_the_log() {
    for status in [400, 413, 422, 500, 503] {
        let busy = move |seen: &Seen| {
            vec![Step::Send(reply(status, &[], format!("\"busy with {:?}\"", super::ids(seen))))]
        };
        let gathering = match status {
            503 => Gathering::new(&[], busy),
            _ => Gathering::new(&[("retry_application_errors", "always")], refuses(status)),
        };
        said();
        let asked = [BAD.start, 770_041, BAD.start + 1, 770_042];
        for (id, outcome) in gathering.all_of(&asked) {
            let Err(error) = outcome else { continue };
            let class = error.feast_class.unwrap_or_default();
            for other in asked.iter().filter(|&&other| other != id) {
                assert!(!error.message.contains(&other.to_string()) && class.is_empty(), "{}", error.message);
            }
        }
        for (_, words) in said_of(&gathering.server) {
            // A good row is asked for alone by its own call, and nothing is said then.
            assert!(!words.contains("770041") && !words.contains("770042"), "{words}");
            let both = words.contains(&BAD.start.to_string()) && words.contains(&(BAD.start + 1).to_string());
            assert!(!both, "{words}");
        }
    }
}

#[test]
fn a_question_that_is_not_merged_any_more_is_told_of_once() {
    // Each value is the number of rows that were asked for together.
    let server = Server::start(|seen| {
        let ids = super::ids(seen);
        let count: Vec<usize> = ids.iter().map(|_| ids.len()).collect();
        let body = json!({
            "metadata": {"feature_names": ["id", "a", "b"]},
            "results": [{"values": ids}, {"values": count}, {"values": count}],
        });
        [vec![Step::Wait(Duration::from_millis(2))], say(200, body.to_string())].concat()
    });
    let remote = open(&server, &[("merge_max_rows", "64"), ("merge_in_flight", "1")]);
    said();
    let queue = queue();
    for _ in 0..10 {
        (0..8).for_each(|id| drop(remote.submit(&ask(id), &queue, id as usize).unwrap()));
        for _ in 0..8 {
            let response = next(&queue).into_response().unwrap();
            assert_eq!((response.int64(1).unwrap(), response.calls_in_request()), (&[1i64][..], 1));
        }
    }
    assert_eq!(figures(&remote)["merge_refused"], Value::from(1));
    let said = said_of(&server);
    let [(Level::Warning, words)] = &said[..] else { panic!("{said:?}") };
    assert!(words.contains("`v:a`, `v:b`") && words.contains("merge_max_rows"), "{words}");
}
