//! The C boundary, and nothing else: pointers become types here, errors become status codes, and no panic
//! passes. The doc comments of the functions are the C manual; cbindgen copies them into the header.
#![allow(non_camel_case_types)] // C's names
#![allow(clippy::missing_safety_doc)] // the manual of each function says what C callers must see to

mod arrow;
mod call;
mod closable;
mod config;
mod dense;
mod dlpack;
mod error;
mod error_fields;
mod event;
mod frame;
mod frame_arrow;
mod frame_lists;
mod get_lists;
mod get_values;
mod guard;
mod json;
mod log;
mod object;
mod per_process;
mod queue;
mod remote;
mod request;
mod request_headers;
mod response;
mod response_lists;
mod search;
mod stats;
mod string;
mod timing;
mod types;
mod version;
mod write;
mod write_options;

pub use arrow::*;
pub use call::*;
pub use config::*;
pub use dense::*;
pub use dlpack::*;
pub use error::*;
pub use error_fields::*;
pub use event::*;
pub use frame::*;
pub use frame_arrow::*;
pub use frame_lists::*;
pub use get_lists::*;
pub use get_values::*;
pub use json::*;
pub use log::*;
pub use queue::*;
pub use remote::*;
pub use request::*;
pub use request_headers::*;
pub use response::*;
pub use response_lists::*;
pub use search::*;
pub use stats::*;
pub use string::*;
pub use timing::*;
pub use types::*;
pub use version::*;
pub use write::*;
pub use write_options::*;
