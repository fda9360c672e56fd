//! Calls, blocking and asynchronous, against a server in this process that misbehaves on request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod async_calls;
mod calls_in_parts;
mod cancelling;
mod dead_connections;
mod deadlines;
mod http;
mod large_answers;
mod merging;
mod name_server;
mod names;
mod pool;
mod request_data;
mod request_headers;
mod retries;
mod searches;
mod servers;
mod stalled;
mod statistics;
mod timings;
mod writes;

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    pub mod events;
    pub mod network;
    #[expect(dead_code)]
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    pub mod store;
    #[expect(dead_code)]
    pub mod tls;
    pub mod wait;
}
