//! The only user of libcurl.
//!
//! A [`Slot`] is one libcurl multi handle with one easy handle and at most one kept-alive connection. A blocking call
//! borrows a slot from the [`Pool`] and drives it on its own thread; the driver borrows as many as it has calls on the
//! wire, and waits for all of them with a [`Poller`]. Connections are never shared between slots: libcurl does not
//! support its connection cache in two threads (curl/docs/libcurl/opts/CURLSHOPT_SHARE.md). DNS answers and TLS
//! sessions are, through [`share`]; so are the trusted certificates, through [`trust`]. Names are looked up by [`names`], for
//! all slots.

#[cfg(feature = "fault-injection")]
pub mod allocator;
mod error;
mod event_fd;
mod fork;
mod http;
mod names;
mod no_proxy;
mod path;
mod poller;
mod pool;
mod proxies;
mod receiver;
mod semaphore;
mod share;
mod slot;
mod sockets;
mod sys;
mod text_list;
mod trust;
mod upstream;
mod url;
mod worker;

pub use error::{TransferError, TransferErrorKind};
pub use event_fd::EventFd;
pub use fork::watch as watch_forks;
pub use http::Http;
pub use names::{Lookup, NameListener, Names, lookup};
pub use poller::{Poller, Ready};
pub use pool::{
    Acquire, ExtraSlot, ExtraSlots, OwnedPermit, PendingAcquire, Permit, Pool, RequestHead, Shared, Target,
};
pub use semaphore::Listener;
pub use slot::{Slot, Transfer};
pub use sys::version;
pub use worker::Worker;
