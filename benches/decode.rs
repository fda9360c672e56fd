//! Decoding alone: an answer's bytes into columns, beside serde_json's tree, serde_json into typed structs, and sonic-rs. `cargo bench --bench decode`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use feast_remote::columns::{Dense, Matrix};
use feast_remote::wire::answer::decode::{decode, decode_into};
use feast_remote::wire::answer::frame::Layout;
use feast_remote::wire::request::Request;
use serde::Deserialize;
use serde_json::{Value, json};

/// What Feast's Python server sends for `features` features of `rows` rows, two thirds of them reals.
fn answer(rows: usize, features: usize) -> (Request, Vec<u8>) {
    let mut seed = 1u64;
    let mut random = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        seed >> 11
    };
    let column = |values: Vec<Value>, timestamp: &str| json!({"values": values, "statuses": vec!["PRESENT"; rows], "event_timestamps": vec![timestamp; rows]});
    let ids: Vec<i64> = (1000..1000 + rows as i64).collect();
    let mut request = Request::default();
    request.set_entity_int64("driver_id", &ids).unwrap();
    let mut names = vec!["driver_id".to_owned()];
    let mut results = vec![column(ids.iter().map(|id| json!(id)).collect(), "1970-01-01T00:00:00Z")];
    for feature in 0..features {
        let name = format!("feature_{feature:03}");
        request.add_feature(&format!("stats:{name}")).unwrap();
        let mut value = || match feature % 3 {
            2 => json!(random() % 1_000_000),
            _ => json!(random() as f64 / (1u64 << 53) as f64),
        };
        results.push(column((0..rows).map(|_| value()).collect(), "2026-11-23T01:00:00Z"));
        names.push(name);
    }
    let body = json!({"results": results, "metadata": {"feature_names": names}}).to_string();
    (request, body.into_bytes())
}

/// What a typed parser can read: every value a double, statuses and timestamps borrowed and not looked at.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Typed<'a> {
    #[serde(borrow)]
    results: Vec<TypedColumn<'a>>,
    #[serde(borrow)]
    metadata: TypedMetadata<'a>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct TypedColumn<'a> {
    values: Vec<Option<f64>>,
    #[serde(borrow)]
    statuses: Vec<&'a str>,
    #[serde(borrow)]
    event_timestamps: Vec<&'a str>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct TypedMetadata<'a> {
    #[serde(borrow)]
    feature_names: Vec<&'a str>,
}

struct Cells(Vec<f32>);

impl Matrix<f32> for Cells {
    fn put(&mut self, at: usize, value: f32) {
        self.0[at] = value;
    }

    fn put_status(&mut self, _: usize, _: u8) {}
}

fn benches(criterion: &mut Criterion) {
    for (case, rows, features) in [("r1", 1, 10), ("r10", 10, 20), ("r100", 100, 50), ("r1000", 1000, 200)] {
        let (request, body) = answer(rows, features);
        let mut group = criterion.benchmark_group(case);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.sample_size(20);
        let mut layout = Layout::default();
        group.bench_function("columns", |bencher| {
            bencher.iter(|| decode(black_box(&body), &request, &mut layout).unwrap());
        });
        let mut out = Cells(vec![0f32; rows * features]);
        group.bench_function("a dense matrix of floats", |bencher| {
            bencher.iter(|| {
                let mut dense =
                    Dense { out: &mut out, statuses: false, row_stride: features, missing: f32::NAN };
                decode_into(black_box(&body), &request, &mut layout, &mut dense).unwrap();
            });
        });
        group.bench_function("serde_json::Value", |bencher| {
            bencher.iter(|| serde_json::from_slice::<Value>(black_box(&body)).unwrap());
        });
        group.bench_function("serde_json, typed", |bencher| {
            bencher.iter(|| serde_json::from_slice::<Typed>(black_box(&body)).unwrap());
        });
        group.bench_function("sonic_rs::Value", |bencher| {
            bencher.iter(|| sonic_rs::from_slice::<sonic_rs::Value>(black_box(&body)).unwrap());
        });
        group.bench_function("sonic_rs, typed", |bencher| {
            bencher.iter(|| sonic_rs::from_slice::<Typed>(black_box(&body)).unwrap());
        });
        let mut buffer = Vec::new();
        group.bench_function("encode the request", |bencher| {
            bencher.iter(|| request.encode(black_box(&mut buffer)).unwrap());
        });
    }
}

/// A million keys: what a request costs that brings new ones with each call.
fn keys(criterion: &mut Criterion) {
    let ids: Vec<i64> = (0..1_000_000).map(|i| 1_000_000_000_000 + i * 7919).collect();
    let mut request = Request::default();
    let mut buffer = Vec::new();
    request.add_feature("stats:f").unwrap();
    request.set_entity_int64("driver_id", &ids).unwrap();
    request.encode(&mut buffer).unwrap();
    let mut group = criterion.benchmark_group("a million int64 keys");
    group.throughput(Throughput::Bytes(buffer.len() as u64));
    group.sample_size(20);
    group.bench_function("set and encode", |bencher| {
        bencher.iter(|| {
            request.set_entity_int64("driver_id", black_box(&ids)).unwrap();
            request.encode(&mut buffer).unwrap();
        });
    });
}

criterion_group!(decode_benches, benches, keys);
criterion_main!(decode_benches);
