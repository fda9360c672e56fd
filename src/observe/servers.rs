//! What a store tells of each of its servers.

use serde_json::{Value, json};

use crate::policy::outlier::State;

/// What is known of one server at one moment.
#[derive(Clone, Debug)]
pub struct ServerFigures {
    /// Its URL as it may be shown.
    pub url: String,
    /// Empty if its name is for all of its addresses.
    pub address: String,
    /// Whether it is given requests.
    pub state: State,
    /// Requests under way.
    pub outstanding: u64,
    /// Attempts that have ended.
    pub attempts: u64,
    /// Those of them that count against it.
    pub failures: u64,
    /// Times that it was set aside.
    pub times_set_aside: u64,
    /// Connections kept to it.
    pub connections: u64,
}

/// The fields of one server, for people.
pub const FIELDS: [(&str, &str, &str); 8] = [
    ("url", "text", "Its URL, as in `path`."),
    (
        "address",
        "text",
        "Its address, if each one is a server of its own (`resolve`: `each_address`); else empty.",
    ),
    (
        "state",
        "text",
        "`available`; `set_aside`, after failures in a row: it is given requests only where no server is available; or \
         `recovering`: it has said that it is well, and is given one request at a time until one was answered.",
    ),
    ("outstanding", "gauge", "Attempts under way at it now."),
    ("attempts", "counter", "Attempts at it that have ended."),
    (
        "failures",
        "counter",
        "Those of them that count against it: no connection could be made, a new one broke, HTTP 502, 503 or 504, or all the \
         time passed that attempts get.",
    ),
    ("times_set_aside", "counter", "Times that it was set aside."),
    ("connections", "gauge", "Connections kept to it now."),
];

/// The word for a state.
pub fn word(state: State) -> &'static str {
    match state {
        State::Available => "available",
        State::SetAside => "set_aside",
        State::Recovering => "recovering",
    }
}

impl ServerFigures {
    /// As JSON, with the fields of [`FIELDS`].
    pub fn to_json(&self) -> Value {
        json!({
            "url": self.url,
            "address": self.address,
            "state": word(self.state),
            "outstanding": self.outstanding,
            "attempts": self.attempts,
            "failures": self.failures,
            "times_set_aside": self.times_set_aside,
            "connections": self.connections,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_that_are_documented() {
        let figures = ServerFigures {
            url: String::new(),
            address: String::new(),
            state: State::Available,
            outstanding: 0,
            attempts: 0,
            failures: 0,
            times_set_aside: 0,
            connections: 0,
        };
        let json = figures.to_json();
        let mut written: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut documented: Vec<&str> = FIELDS.iter().map(|field| field.0).collect();
        written.sort_unstable();
        documented.sort_unstable();
        assert_eq!(written, documented);
    }
}
