//! Searches: whatever order a server gives its columns, keys, features and distances of a row belong together.

use crate::support::server::{Seen, Server, Step, say};
use crate::support::store::{figures, open};
use feast_remote::columns::{Items, Response};
use feast_remote::error::Code;
use feast_remote::remote::Remote;
use feast_remote::wire::search::Search;
use serde_json::{Value, json};

/// Documents by rank: key, text, year, vector, distance.
const DOCUMENTS: [(i64, &str, i64, [f64; 2], f64); 3] = [
    (10, "ten", 2010, [0.0, 0.125], 0.015625),
    (3, "three", 2003, [0.25, 0.0], 0.0625),
    (1, "one", 2001, [0.5, 0.5], 0.5),
];

/// Answers as Feast 0.67 does, its rows sorted by key but for the last column, or as a server would that is right.
fn answer(seen: &Seen, shuffled: bool) -> Vec<Step> {
    let question: Value = serde_json::from_slice(&seen.body).unwrap();
    let features: Vec<&str> = question["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().strip_prefix("docs:").unwrap())
        .collect();
    if seen.target.starts_with("POST /get-online-features") {
        assert_eq!(features, ["embedding"]);
        let keys = question["entities"]["doc_id"].as_array().unwrap();
        let vector = |key: &Value| DOCUMENTS.iter().find(|document| *key == document.0).unwrap().3;
        let vectors: Vec<_> = keys.iter().map(vector).collect();
        let answer = json!({"metadata": {"feature_names": ["doc_id", "embedding"]}, "results": [{"values": keys}, {"values": vectors}]});
        return say(200, answer.to_string());
    }
    let found = question["top_k"].as_u64().unwrap() as usize;
    let mut rows = DOCUMENTS[..found.min(3)].to_vec();
    let keys: Vec<i64> = rows.iter().map(|row| row.0).collect();
    if shuffled {
        rows.sort_by_key(|row| row.0);
    }
    let column = |name: &str| -> Vec<Value> {
        rows.iter()
            .map(|row| match name {
                "doc_id" => json!(row.0),
                "text" => json!(row.1),
                "year" => json!(row.2),
                "embedding" => question["query"].clone(),
                _ => json!(row.4),
            })
            .collect()
    };
    let mut names = [&features[..], &["distance"]].concat();
    let mut results: Vec<Value> = names.iter().map(|name| json!({"values": column(name)})).collect();
    names.push("doc_id");
    results.push(json!({"values": keys}));
    say(200, json!({"metadata": {"feature_names": names}, "results": results}).to_string())
}

fn search(features: &[&str], top_k: usize) -> Search {
    let mut search = Search::default();
    features.iter().for_each(|name| search.add_feature(&format!("docs:{name}")).unwrap());
    search.set_query(&[0.0, 0.0]).unwrap();
    search.set_top_k(top_k).unwrap();
    search
}

fn names(response: &Response) -> Vec<String> {
    (0..response.num_columns())
        .map(|at| String::from_utf8(response.name(at).unwrap().to_vec()).unwrap())
        .collect()
}

fn is_right(remote: &Remote) {
    let response = remote.retrieve_online_documents(&search(&["text", "year"], 3)).unwrap();
    assert_eq!(names(&response), ["doc_id", "text", "year", "distance"]);
    assert_eq!(response.int64(0).unwrap(), [10, 3, 1]);
    assert_eq!(response.string(1).unwrap().1, b"tenthreeone");
    assert_eq!(response.int64(2).unwrap(), [2010, 2003, 2001]);
    assert_eq!(response.double(3).unwrap(), [0.015625, 0.0625, 0.5]);
}

#[test]
fn keys_features_and_distances_belong_together_whatever_the_order_of_the_server() {
    for shuffled in [true, false] {
        let server = Server::start(move |seen| answer(seen, shuffled));
        let remote = open(&server, &[]);
        is_right(&remote);
        assert_eq!(server.requests(), 2, "the first one tells the join keys");
        is_right(&remote);
        assert_eq!((server.requests(), figures(&remote)["calls"].as_u64()), (3, Some(2)));
    }
}

#[test]
fn a_vector_that_is_asked_for_is_the_documents_own() {
    let server = Server::start(|seen| answer(seen, true));
    let remote = open(&server, &[]);
    let response = remote.retrieve_online_documents(&search(&["embedding", "text"], 2)).unwrap();
    assert_eq!(names(&response), ["doc_id", "embedding", "text", "distance"]);
    assert!(
        matches!(response.items(1), Some(Items::Double([0.0, 0.125, 0.25, 0.0]))),
        "{:?}",
        response.items(1)
    );
    assert_eq!(response.string(2).unwrap().1, b"tenthree");
    assert_eq!(server.requests(), 3);
}

#[test]
fn a_search_that_finds_nothing_has_no_rows() {
    let server = Server::start(|_| {
        let column = json!({"values": [], "statuses": [], "event_timestamps": []});
        say(
            200,
            json!({"metadata": {"feature_names": ["text", "distance"]}, "results": [column, column]})
                .to_string(),
        )
    });
    let response = open(&server, &[]).retrieve_online_documents(&search(&["text"], 5)).unwrap();
    assert_eq!((response.num_rows(), names(&response)), (0, vec!["text".to_owned(), "distance".to_owned()]));
    assert_eq!(server.requests(), 1);
}

#[test]
fn an_older_server_is_asked_by_the_older_name_of_the_endpoint() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "POST /search" => say(404, r#"{"detail":"Not Found"}"#),
        _ => answer(seen, true),
    });
    let remote = open(&server, &[]);
    is_right(&remote);
    is_right(&remote);
    let asked: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(asked, [&["POST /search"][..], &["POST /retrieve-online-documents"; 3][..]].concat());
}

#[test]
fn what_the_server_says_of_a_search_is_told() {
    let server = Server::start(|_| say(500, r#""operands could not be broadcast together""#));
    let error = open(&server, &[]).retrieve_online_documents(&search(&["text"], 5)).unwrap_err();
    assert_eq!(error.code, Code::Server);
    assert!(error.message.contains("operands could not be broadcast"), "{error}");
    let server = Server::start(|_| say(404, ""));
    let error = open(&server, &[]).retrieve_online_documents(&search(&["text"], 5)).unwrap_err();
    assert_eq!((error.code, server.requests()), (Code::NotFound, 2), "{error}");
    let no_keys =
        r#"{"results":[{"values":[1]},{"values":[1]}],"metadata":{"feature_names":["text","distance"]}}"#;
    for odd in ["{}", "null", r#"{"results":[],"metadata":{"feature_names":["a"]}}"#, no_keys] {
        let server = Server::start(move |_| say(200, odd));
        let error = open(&server, &[]).retrieve_online_documents(&search(&["text"], 5)).unwrap_err();
        assert_eq!((error.code, error.http_status), (Code::Decode, 200), "{error}");
    }
    let nothing = open(&server, &[]).retrieve_online_documents(&Search::default()).unwrap_err();
    assert_eq!(nothing.code, Code::InvalidArgument);
}
