//! The protocol of Feast's feature servers: requests into JSON bytes, JSON bytes into columns or errors.
//!
//! Follows `sdk/python/feast/feature_server.py` (the Python server) and
//! `go/internal/feast/server/http_server.go` (the Go server) of Feast 0.67.

pub mod answer;
pub mod decode;
mod dense;
mod feature;
pub mod parts;
pub mod raw_string;
mod repeats;
pub mod request;
pub mod scanner;
pub mod server_error;
pub mod timestamp;
mod values;

use crate::columns::Mixed;
use scanner::Fault;

/// Why an answer cannot be read.
pub enum Refusal {
    /// The text is not the JSON expected.
    Fault(Fault),
    /// It is, and does not answer the request.
    Answer(String),
    /// A value does not fit the type declared for its column; the text says which value.
    Value(String),
    /// As [`Value`](Refusal::Value), before it is known which; the value begins at `at`.
    Unfit {
        /// Offset in the text.
        at: usize,
        /// As in "VALUE … ".
        why: &'static str,
    },
    /// Not a refusal: the column does not have the type that it seemed to have, and must be read again.
    Mixed,
    /// Not a refusal: the answer must be read into columns first.
    NotDense,
}

/// The outcome of reading a part of an answer.
pub type Read<T> = Result<T, Refusal>;

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

impl From<Mixed> for Refusal {
    fn from(_: Mixed) -> Refusal {
        Refusal::Mixed
    }
}

fn refuse<T>(why: impl Into<String>) -> Read<T> {
    Err(Refusal::Answer(why.into()))
}
