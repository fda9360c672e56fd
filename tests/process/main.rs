//! What concerns the whole process: its memory, threads and descriptors, its panic hook, and faults that hit whoever comes
//! next. Each test runs in a process of its own (`alone`), since another's calls would show in what it measures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod allocations;
mod alone;
#[cfg(feature = "fault-injection")]
mod fault_injection;
mod figures;
mod idle;
mod memory;
mod soak;

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    #[expect(dead_code)]
    pub mod events;
    #[cfg(feature = "fault-injection")]
    pub mod nginx;
    #[expect(dead_code)]
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    pub mod store;
    #[cfg(feature = "fault-injection")]
    #[expect(dead_code)]
    pub mod tls;
    pub mod wait;
}
