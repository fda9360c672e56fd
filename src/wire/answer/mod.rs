//! What a server answers: the bodies of HTTP 200s into columns or a matrix, those of other statuses into errors.
//!
//! [`scanner`] reads JSON, [`frame`] an answer's outline, [`decode`] its columns; [`join`] makes one answer of those to the
//! parts of a call, [`cut`] the answers to several calls of the one to a merged request. [`to_json`] writes columns as JSON again.

pub mod cut;
pub mod decode;
mod dense;
mod error;
mod feature_views;
pub mod frame;
pub mod join;
pub mod raw_string;
mod repeats;
pub mod scanner;
pub mod server_error;
pub mod timestamp;
pub mod to_json;
mod values;
