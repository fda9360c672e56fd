//! Searches against a real `feast serve` with Milvus Lite.

use std::sync::Arc;

use crate::support::feast::{Feast, Version};
use feast_remote::columns::{Items as Read, Response};
use feast_remote::config::Config;
use feast_remote::error::Error;
use feast_remote::remote::Remote;
use feast_remote::wire::search::Search;
use feast_remote::wire::write::{Destination, Frame, Items, Lists, PushTo, Texts, Values, WriteOptions};

/// Not in the order of distance from the origin, nor of the keys.
const DOCUMENTS: [(i64, [f32; 3], &str); 5] = [
    (10, [0.0, 0.0, 0.1], "ten"),
    (3, [0.1, 0.1, 0.0], "three"),
    (1, [0.5, 0.5, 0.0], "one"),
    (7, [0.9, 0.9, 0.9], "seven"),
    (5, [2.0, 2.0, 2.0], "five"),
];

fn write_documents(remote: &Remote) {
    let mut frame = Frame::default();
    let mut texts = Texts::default();
    DOCUMENTS.iter().for_each(|document| texts.push(document.2));
    let vectors = DOCUMENTS.iter().flat_map(|document| document.1.map(f64::from)).collect();
    let lists = Lists { ends: (1..=5).map(|row| 3 * row).collect(), items: Items::Real(vectors) };
    let keys: Vec<i64> = DOCUMENTS.iter().map(|document| document.0).collect();
    frame.add("year", Values::Single(Items::Int(keys.iter().map(|key| 2000 + key).collect())), None).unwrap();
    frame.add("doc_id", Values::Single(Items::Int(keys)), None).unwrap();
    frame.add("embedding", Values::Lists(lists), None).unwrap();
    frame.add("text", Values::Single(Items::Text(texts)), None).unwrap();
    frame.add("event_timestamp", Values::Single(Items::Timestamp(vec![0; 5])), None).unwrap();
    let source = Destination::PushSource("docs_push".to_owned(), PushTo::Online);
    remote.write(source, &Arc::new(frame), WriteOptions::default()).unwrap();
}

fn search(features: &[&str], query: &[f32], top_k: usize) -> Search {
    let mut search = Search::default();
    features.iter().for_each(|name| search.add_feature(&format!("docs:{name}")).unwrap());
    search.set_query(query).unwrap();
    search.set_top_k(top_k).unwrap();
    search.set_distance_metric("L2").unwrap();
    search
}

fn texts(response: &Response, column: usize) -> Vec<&str> {
    let (ends, text) = response.string(column).unwrap();
    ends.windows(2)
        .map(|ends| std::str::from_utf8(&text[ends[0] as usize..ends[1] as usize]).unwrap())
        .collect()
}

#[test]
fn documents_come_nearest_first_and_each_row_is_one_document() {
    let feast = Feast::serve_as(Version::Documents, &[], &[], &[]);
    let mut config = Config::new().unwrap();
    config.set("path", &feast.url()).unwrap();
    config.set("request_timeout_ms", "60000").unwrap();
    let remote = Remote::open(&config).unwrap();
    write_documents(&remote);

    let found =
        remote.retrieve_online_documents(&search(&["text", "year", "embedding"], &[0.0; 3], 4)).unwrap();
    assert_eq!(found.int64(0).unwrap(), [10, 3, 1, 7]);
    assert_eq!(texts(&found, 1), ["ten", "three", "one", "seven"]);
    assert_eq!(found.int64(2).unwrap(), [2010, 2003, 2001, 2007]);
    let Some(Read::Double(vectors)) = found.items(3) else { panic!("{:?}", found.items(3)) };
    let expected: Vec<f64> = DOCUMENTS[..4].iter().flat_map(|document| document.1.map(f64::from)).collect();
    assert_eq!(vectors, expected, "the documents' own vectors, not the query");
    let distances = found.double(4).unwrap();
    for (distance, document) in distances.iter().zip(&DOCUMENTS) {
        let exact: f32 = document.1.iter().map(|item| item * item).sum();
        assert!((distance - f64::from(exact)).abs() < 1e-6, "{distances:?}");
    }

    let mut filtered = search(&["text"], &[0.0; 3], 5);
    filtered.set_filters(r#"{"type": "in", "key": "text", "value": ["five", "three"]}"#).unwrap();
    let found = remote.retrieve_online_documents(&filtered).unwrap();
    assert_eq!((found.int64(0).unwrap(), texts(&found, 1)), (&[3, 5][..], vec!["three", "five"]));
    filtered.set_filters(r#"{"type": "eq", "key": "text", "value": "nobody wrote this"}"#).unwrap();
    assert_eq!(remote.retrieve_online_documents(&filtered).unwrap().num_rows(), 0);

    let fails = |search: &Search| -> Error { remote.retrieve_online_documents(search).unwrap_err() };
    let short = fails(&search(&["text"], &[0.0; 2], 5));
    assert_eq!(short.http_status, 500, "a vector of the wrong length is the server's error: {short}");
    assert_eq!(fails(&search(&["nosuch"], &[0.0; 3], 5)).http_status, 500);
}
