//! Stores as most tests need them, and calls whose answers must belong to their questions.

use feast_remote::config::Config;
use feast_remote::error::Error;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;
use serde_json::Value;

use super::server::Server;

/// A store's settings without pauses between retries, unless `keys` say otherwise.
pub fn config(url: &str, keys: &[(&str, &str)]) -> Config {
    let mut config = Config::new().unwrap();
    config.set("path", url).unwrap();
    config.set("retry_backoff_factor", "0").unwrap();
    keys.iter().for_each(|(key, value)| config.set(key, value).unwrap());
    config
}

pub fn open(server: &Server, keys: &[(&str, &str)]) -> Remote {
    Remote::open(&config(&server.url(), keys)).unwrap()
}

pub fn ask(id: i64) -> Request {
    ask_for(&[id])
}

pub fn ask_for(ids: &[i64]) -> Request {
    let mut request = Request::default();
    request.add_feature("v:a").unwrap();
    request.add_feature("v:b").unwrap();
    request.set_entity_int64("id", ids).unwrap();
    request
}

/// One call, whose answer must belong to its question.
pub fn call(remote: &Remote, id: i64) -> Result<(), Error> {
    let response = remote.get_online_features(&ask(id))?;
    assert_eq!(response.int64(0).unwrap(), [id]);
    assert_eq!(response.int64(1).unwrap(), [1000 * id]);
    assert_eq!(response.int64(2).unwrap(), [1000 * id + 1]);
    Ok(())
}

pub fn fails(remote: &Remote, id: i64) -> Error {
    call(remote, id).unwrap_err()
}

/// The store's figures.
pub fn figures(remote: &Remote) -> Value {
    serde_json::from_str(&remote.stats_json()).unwrap()
}
