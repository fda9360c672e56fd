//! Online features from a remote Feast feature server, over pooled libcurl connections, for callers of C.
//!
//! The way of a call: a C program enters at [`ffi`], which turns pointers into types and nothing else;
//! [`remote`] admits it, makes attempts under one deadline and decides on retries by the rules of [`policy`]; [`servers`] says which
//! server an attempt goes to; [`transport`] is the only user of libcurl; [`auth`] gives the token of an attempt; [`wire`] writes the request and reads the answer into [`columns`];
//! `ffi` hands them out. [`config`] is what a store is told, [`observe`] what it tells; [`process`] keeps panics and forks from doing harm. [`error`] and
//! [`timing`] are what answers of all of them are made of. A room knows only those below it: `tests/packaging/rooms.rs` lists them.
//!
//! Threads: a [`remote::Remote`] is used by any number of threads at once. A blocking call drives its own
//! connection on the caller's thread. Asynchronous calls are driven by one thread of ours a store, the driver, and come
//! back through a [queue](remote::EventQueue). Another thread, the reaper, closes idle connections.

#![deny(unsafe_code)]

#[cfg(any(
    all(feature = "vendored", feature = "system"),
    not(any(feature = "vendored", feature = "system"))
))]
compile_error!(
    "one of the features `vendored` (the default) and `system` (with --no-default-features) is needed"
);

pub mod auth;
pub mod columns;
pub mod config;
pub mod error;
#[allow(unsafe_code)]
pub mod ffi;
pub mod observe;
pub mod policy;
pub mod process;
pub mod remote;
pub mod server_name;
pub mod servers;
pub mod timing;
#[allow(unsafe_code)]
pub mod transport;
pub mod wire;
