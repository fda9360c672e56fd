//! The library beside what it must agree with: Feast's own servers, urllib3, PyYAML and serde_json, and models of its policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod audit_log;
mod cells;
mod merged;
mod properties;
mod real_feast;
mod searches;
mod urllib3;
mod writes;
mod yaml;

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    #[expect(dead_code)]
    pub mod feast;
    #[expect(dead_code)]
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    pub mod wait;
}
