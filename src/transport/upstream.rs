//! What the slots of one server have in common while they are lent and kept.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::path::Path;

static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// See the module. Used by any number of slots.
pub struct Upstream {
    number: u32,
    path: Path,
    connections: AtomicU32,
    retired: AtomicBool,
}

impl Upstream {
    /// Without connections yet; `dead_connection_timeout`: see [`Path::new`].
    pub fn new(dead_connection_timeout: Option<Duration>) -> Upstream {
        Upstream {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            path: Path::new(dead_connection_timeout),
            connections: AtomicU32::new(0),
            retired: AtomicBool::new(false),
        }
    }

    /// Different from that of every other server there is.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The network path to it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connections to it that are kept.
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// One more is kept.
    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// One of them is kept no more.
    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether it is a server no more: then its connections are closed instead of kept.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// It is a server no more.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }
}
