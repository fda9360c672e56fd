//! What is handed out: the header, the binary interface, what is installed, the tarball, the documents and the licences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod abi;
mod beside;
mod building;
mod glibc;
mod header;
mod install;
mod rooms;
mod third_party;

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    #[expect(dead_code)]
    pub mod cc;
    #[expect(dead_code)]
    pub mod installed;
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    #[expect(dead_code)]
    pub mod tls;
    pub mod wait;
}
