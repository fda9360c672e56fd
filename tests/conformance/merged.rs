//! Merged calls against a real `feast serve`: each answer is what the call gets alone.

use std::sync::Mutex;
use std::thread;

use crate::cells::cell;
use crate::support::feast::{Feast, expected};
use feast_remote::columns::Response;
use feast_remote::config::Config;
use feast_remote::observe::log::{Level, set_callback};
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;
use serde_json::Value;

fn open(feast: &Feast, keys: &[(&str, &str)]) -> Remote {
    let mut config = Config::new().unwrap();
    config.set("path", &feast.url()).unwrap();
    config.set("request_timeout_ms", "60000").unwrap();
    keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
    Remote::open(&config).unwrap()
}

fn ask(features: &[&str], drivers: &[i64]) -> Request {
    let mut request = Request::default();
    features.iter().for_each(|name| request.add_feature(name).unwrap());
    request.set_entity_int64("driver_id", drivers).unwrap();
    request
}

fn figures(remote: &Remote) -> Value {
    serde_json::from_str(&remote.stats_json()).unwrap()
}

/// All that a response says, for comparing.
fn contents(response: &Response) -> Vec<String> {
    let rows = response.num_rows();
    (0..response.num_columns())
        .map(|column| {
            let cells: Vec<String> = (0..rows).map(|row| cell(response, column, row).to_string()).collect();
            let (statuses, times) = (response.statuses(column), response.event_timestamps(column));
            let name = response.name_with_nul(column);
            format!("{name:?} {:?} {cells:?} {statuses:?} {times:?}", response.column_type(column))
        })
        .collect()
}

static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn views_whose_rows_depend_on_each_other_are_never_merged() {
    let feast = Feast::serve(&[]);
    let written = &expected()["driver_hourly_stats"];
    let trips = |driver: i64| -> i64 {
        written[driver.to_string()]["avg_daily_trips"].as_str().unwrap().parse().unwrap()
    };
    for feature in ["driver_ranking:conv_rate_rank", "driver_doubled:trips_doubled"] {
        let remote = open(&feast, &[("merge_max_rows", "64")]);
        set_callback(Some((
            Level::Warning,
            Box::new(|_, words: &str| SAID.lock().unwrap().push(words.to_owned())),
        )));
        thread::scope(|scope| {
            for caller in 0..16 {
                let (remote, trips) = (&remote, &trips);
                scope.spawn(move || {
                    for call in 0..20 {
                        // Driver 1003 has no rate.
                        let driver = [1001, 1002, 1005, 1006, 1007, 1008, 1009][(caller + call) % 7];
                        let response = remote.get_online_features(&ask(&[feature], &[driver])).unwrap();
                        assert_eq!(response.calls_in_request(), 1);
                        match feature {
                            "driver_ranking:conv_rate_rank" => assert_eq!(cell(&response, 1, 0), 1.0),
                            _ => assert_eq!(cell(&response, 1, 0), 2 * trips(driver), "{driver}"),
                        }
                    }
                });
            }
        });
        let figures = figures(&remote);
        assert_eq!(figures["merge_refused"], 1, "{feature}: {figures}");
        assert_eq!((&figures["merge_checks"], &figures["calls_merged"]), (&2.into(), &0.into()), "{feature}");
        let said = SAID.lock().unwrap().clone();
        let about = said.iter().filter(|words| words.contains(feature)).count();
        assert_eq!(about, 1, "{said:?}");
    }
}

#[test]
fn merged_calls_get_every_type_as_they_do_alone() {
    let feast = Feast::serve(&[]);
    let names: Vec<String> = expected()["every_type"]["1001"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| format!("every_type:{name}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let alone = open(&feast, &[]);
    // With values, with nulls, not there, and all of it in one call.
    let rows: [&[i64]; 4] = [&[1001], &[1002], &[9999], &[9998, 1001, 1002]];
    let wanted = rows.map(|rows| contents(&alone.get_online_features(&ask(&names, rows)).unwrap()));
    let remote = open(&feast, &[("merge_max_rows", "64")]);
    thread::scope(|scope| {
        for caller in 0..16 {
            let (remote, names, wanted) = (&remote, &names, &wanted);
            scope.spawn(move || {
                for call in 0..15 {
                    let which = (caller + call) % rows.len();
                    let response = remote.get_online_features(&ask(names, rows[which])).unwrap();
                    assert_eq!(contents(&response), wanted[which], "{:?}", rows[which]);
                }
            });
        }
    });
    let figures = figures(&remote);
    assert_eq!(figures["merge_refused"], 0);
    assert!(figures["calls_merged"].as_u64().unwrap() > 100, "{figures}");
}
