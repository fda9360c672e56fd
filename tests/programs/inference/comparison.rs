//! The three servers of the comparison give the same scores, to the last bit.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{BUILT, Serving};
use crate::support::feast::{Feast, program};
use crate::support::paths::{root, scratch, target};
use crate::support::prometheus::Ended;
use crate::support::wait::wait_until;

/// FastAPI, Feast's SDK and XGBoost. uvicorn writes down which port it has taken.
fn python_server(feast: &str) -> Serving {
    let log = scratch().join("uvicorn.log");
    let child = Command::new(program("uvicorn"))
        .args(["inference_server:app", "--port", "0", "--app-dir"])
        .arg(root().join("examples/inference_server/comparison"))
        .envs([("FEAST_URL", feast), ("FEAST_USAGE", "False"), ("PYTHONDONTWRITEBYTECODE", "1")])
        .env("FEATURE_REPOSITORY", target().join("feast-repo"))
        .env("MODEL_FOLDER", &BUILT.model)
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let process = Ended(child);
    let said = || std::fs::read_to_string(&log).unwrap();
    wait_until("uvicorn listens", || said().contains("Press CTRL+C"));
    let said = said();
    let url = said.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    Serving { process, url: url.to_owned() }
}

fn bits(answer: &str) -> Vec<u32> {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let scores = answer["outputs"][0]["data"].as_array().unwrap();
    scores.iter().map(|score| (score.as_f64().unwrap() as f32).to_bits()).collect()
}

#[test]
fn three_servers_give_the_same_scores_to_the_last_bit() {
    let feast = Feast::serve(&[]);
    let servers = [
        python_server(&feast.url()),
        Serving::start(&BUILT, &feast.url(), None, 0),
        Serving::run(&BUILT.by_hand, &BUILT.model, &feast.url(), Path::new(""), 0),
    ];
    let every: Vec<i64> = (1001..=1020).collect();
    // 1003 has a null, 1004 a number that no float holds; 9999 and -1 do not exist.
    let questions = [
        ("INT64", json!(every)),
        ("INT64", json!([9999, 1003, -1, 1004, 1003, i64::MAX])),
        ("INT64", json!([9999])),
        ("INT64", json!([1003])),
        ("BYTES", json!(["1001", "1004"])),
    ];
    let mut all = Vec::new();
    for (datatype, drivers) in &questions {
        let answers = servers.each_ref().map(|server| {
            let json = ["-H", "Content-Type: application/json"];
            let (status, _, body) = server.infer(datatype, drivers, &json);
            assert_eq!(status, 200, "{}: {body}", server.url);
            bits(&body)
        });
        assert_eq!(answers[0].len(), drivers.as_array().unwrap().len());
        assert_eq!(answers[0], answers[1], "{drivers}");
        assert_eq!(answers[1], answers[2], "{drivers}");
        all.extend_from_slice(&answers[0]);
    }
    all.sort_unstable();
    all.dedup();
    assert!(all.len() > 10, "a model that says the same of everybody shows nothing");
}
