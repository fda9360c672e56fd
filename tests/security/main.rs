//! Whom a store trusts, whom it tells who it is, and that no secret comes back in an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod auth;
mod provider;
mod secrets;
mod tls;

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    #[expect(dead_code)]
    pub mod cc;
    #[expect(dead_code)]
    pub mod events;
    #[expect(dead_code)]
    pub mod feast;
    pub mod nginx;
    #[expect(dead_code)]
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    #[expect(dead_code)]
    pub mod store;
    pub mod tls;
    pub mod wait;
}
