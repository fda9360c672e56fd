//! What calls allocate. The allocator that counts is that of all tests in this folder, but it counts each thread by itself.
//! (libcurl's few allocations a call are C's, and not counted.)

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::support::server::{self, Server};
use feast_remote::columns::{Dense, Matrix};
use feast_remote::config::Config;
use feast_remote::remote::Remote;
use feast_remote::wire::answer;
use feast_remote::wire::answer::decode::decode;
use feast_remote::wire::request::Request;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn note(bytes: isize) {
    let _ = COUNT.try_with(|count| count.set(count.get() + usize::from(bytes > 0)));
    let _ = BYTES.try_with(|now| {
        now.set(now.get() + bytes);
        PEAK.with(|peak| peak.set(peak.get().max(now.get())));
    });
}

/// Counts what this thread allocates; the server's threads are not of interest.
struct Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Cells([f32; 3 * 2]);

impl Matrix<f32> for Cells {
    fn put(&mut self, at: usize, value: f32) {
        self.0[at] = value;
    }
    fn put_status(&mut self, _: usize, _: u8) {}
}

#[test]
fn a_warm_call_into_a_matrix_allocates_nothing() {
    let server = Server::start(server::answer);
    let mut config = Config::new().unwrap();
    config.set("path", &server.url()).unwrap();
    let remote = Remote::open(&config).unwrap();
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.add_feature("v:b").unwrap();
    request.set_entity_int64("id", &[7, 8, 9]).unwrap();
    let mut out = Cells([0.0; 6]);
    let mut call = || {
        let mut dense = Dense { out: &mut out, statuses: true, row_stride: 2, missing: f32::NAN };
        remote.get_online_features_into(&request, &mut dense).unwrap();
    };
    (0..5).for_each(|_| call());
    let before = COUNT.get();
    (0..100).for_each(|_| call());
    assert_eq!(COUNT.get() - before, 0, "allocations in 100 calls");
    assert_eq!(out.0, [7000.0, 7001.0, 8000.0, 8001.0, 9000.0, 9001.0]);
    assert!(COUNT.get() > 0 && COUNT.get() < 1_000_000, "the allocator does count");
}

#[test]
fn decoding_a_large_answer_takes_little_more_than_its_columns() {
    const ROWS: usize = 1000;
    const FEATURES: usize = 200;
    let column = |value: &str| {
        let repeat = |text: &str| vec![text; ROWS].join(",");
        let (statuses, times) = (repeat("\"PRESENT\""), repeat("\"2026-11-23T01:00:00Z\""));
        format!(r#"{{"values":[{}],"statuses":[{statuses}],"event_timestamps":[{times}]}}"#, repeat(value))
    };
    let mut request = Request::default();
    request.set_entity_int64("id", &[7; ROWS]).unwrap();
    let mut names = vec!["\"id\"".to_owned()];
    let mut results = vec![column("7")];
    for feature in 0..FEATURES {
        request.add_feature(&format!("v:f{feature}")).unwrap();
        names.push(format!("\"f{feature}\""));
        results.push(column(if feature % 3 == 2 { "123456" } else { "0.12345678901234567" }));
    }
    let body = format!(
        r#"{{"results":[{}],"metadata":{{"feature_names":[{}]}}}}"#,
        results.join(","),
        names.join(",")
    );
    let before = BYTES.get();
    PEAK.set(before);
    let response = decode(body.as_bytes(), &request, &mut answer::frame::Layout::default()).unwrap();
    let (peak, size) = ((PEAK.get() - before) as f64, response.size() as f64);
    println!("{peak} bytes at most for columns of {size}, an answer of {}", body.len());
    assert!(peak < 1.6 * size, "{peak} bytes at most for columns of {size}");
}
