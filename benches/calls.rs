//! What a call costs beside the network: a place in the pool, and a whole warm call to a server in this process.
//! `cargo bench --bench calls`.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/support"]
mod support {
    pub mod server;
    pub mod wait;
}

use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use feast_remote::config::{Config, Environment};
use feast_remote::observe::statistics::Stats;
use feast_remote::policy::admission::Claim;
use feast_remote::policy::deadline::Deadline;
use feast_remote::remote::Remote;
use feast_remote::servers::Servers;
use feast_remote::timing::{AttemptTimes, Stopwatch};
use feast_remote::transport::{Http, Pool, lookup};
use feast_remote::wire::request::Request;
use support::server::{Server, Step, reply};

fn benches(criterion: &mut Criterion) {
    // The same bytes for every call, so that the server's part stays small.
    let answer = r#"{"results":[{"values":[7],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},{"values":[0.5],"statuses":["PRESENT"],"event_timestamps":["2026-11-23T01:00:00Z"]}],"metadata":{"feature_names":["id","a"]}}"#;
    let server = Server::start(move |_| vec![Step::Send(reply(200, &[], answer))]);
    server.forget_requests();
    let mut config = Config::new().unwrap();
    config.set("path", &server.url()).unwrap();

    let (environment, stats) = (Environment::of_process(), Arc::new(Stats::default()));
    let pool = Pool::new(&config, Arc::new(lookup), Arc::clone(&stats)).unwrap();
    let ways = Http::to_servers(&config, &environment).unwrap();
    let servers = Servers::new(&config, ways, pool.extra_slots(), pool.names(), &stats).unwrap();
    criterion.bench_function("a place in the pool, taken and given back", |bencher| {
        bencher.iter(|| {
            drop(pool.acquire(Deadline::NEVER, Claim::UNLIKE_OTHERS, || servers.choose(|_| false)).unwrap())
        });
    });

    criterion.bench_function("where the time of a call went, noted and read", |bencher| {
        bencher.iter(|| {
            let start = Instant::now();
            let mut watch = Stopwatch::new(start);
            watch.begin_attempt(start);
            let took = start.elapsed();
            watch.end_attempt(&AttemptTimes {
                took,
                first_byte: Some(took),
                connected: None,
                new_connection: false,
                reused: true,
            });
            watch.carried(100, 1000, 200);
            watch.finished().of_call(took, 1).decoded(took, took)
        });
    });
    criterion.bench_function("two looks at the clock, of which a call has these anyway", |bencher| {
        bencher.iter(|| Instant::now().elapsed());
    });

    let remote = Remote::open(&config).unwrap();
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.set_entity_int64("id", &[7]).unwrap();
    criterion.bench_function("a warm call over loopback", |bencher| {
        bencher.iter(|| remote.get_online_features(&request).unwrap());
    });
}

criterion_group!(call_benches, benches);
criterion_main!(call_benches);
