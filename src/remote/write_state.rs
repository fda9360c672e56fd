//! What is known of rows on their way to the server.

use crate::process::sync::{AtomicBool, Ordering};
use crate::transport::Transfer;

/// What is known of rows that an exchange writes, for whoever waits for its end.
#[derive(Debug, Default)]
pub struct WriteState {
    /// Rows are appended: sent again, they may be there twice.
    pub appends: bool,
    /// The server has taken them, and writes them later.
    pub queued: AtomicBool,
    /// They were sent, and the server's word is missing.
    pub in_doubt: AtomicBool,
    /// An attempt is under way.
    pub(super) on_wire: AtomicBool,
}

impl WriteState {
    /// Of rows that are appended, or not.
    pub fn new(appends: bool) -> WriteState {
        WriteState { appends, ..WriteState::default() }
    }

    /// Whether they may be written although nobody says so; an attempt of which nobody saw the end, because of a panic, counts.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed) || self.on_wire.load(Ordering::Relaxed)
    }

    /// An attempt has ended, in whatever way: what was written may be there although nobody says so.
    pub fn note_doubt(&self, transfer: &Transfer) {
        self.on_wire.store(false, Ordering::Relaxed);
        let unsaid = match transfer.result {
            Err(_) | Ok(502..=504) => true,
            // Of what goes to several stores a part may be done.
            Ok(500) => self.appends,
            Ok(_) => false,
        };
        if unsaid && transfer.wire_requests > 0 {
            self.in_doubt.store(true, Ordering::Relaxed);
        }
    }
}
