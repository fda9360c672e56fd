//! Programs that use the release library, each a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod bridges;
mod c_programs;
mod columns;
mod examples;
mod guest;
mod inference;
mod observed;
mod plugin;
mod sanitizer;
mod writes;

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    pub mod cc;
    #[expect(dead_code)]
    pub mod feast;
    pub mod installed;
    #[expect(dead_code)]
    pub mod paths;
    pub mod prometheus;
    #[expect(dead_code)]
    pub mod server;
    #[expect(dead_code)]
    pub mod tls;
    pub mod wait;
}
