//! The only user of libcurl.
//!
//! A [`Slot`](slot::Slot) is one libcurl multi handle with one easy handle and at most one kept-alive
//! connection. A blocking call borrows a slot from the [`Pool`] and drives it on its own thread. Connections
//! are never shared between slots: libcurl does not support its connection cache in two threads
//! (curl/docs/libcurl/opts/CURLSHOPT_SHARE.md). DNS answers and TLS sessions are, through [`share`]; so are the trusted certificates, through
//! [`trust`].

mod fault;
mod gate;
mod http;
mod pool;
pub mod process;
mod share;
mod slot;
mod sys;
mod trust;

pub use fault::{Fault, FaultKind};
pub use http::Http;
pub use pool::{Admitted, Pool};
pub use slot::Transfer;
pub use sys::version;
