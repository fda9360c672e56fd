//! Slots outside of the pool.

use std::sync::Weak;

use super::Shared;
use crate::error::{Error, Result};
use crate::process::sync::Arc;
use crate::transport::http::Http;
use crate::transport::slot::Slot;
use crate::wire::endpoint::Endpoint;

/// Makes slots outside of the pool, as long as it is there.
#[derive(Clone)]
pub struct ExtraSlots(pub(super) Weak<Shared>);

/// One of them.
pub struct ExtraSlot {
    // Dropped before the share handle that it uses.
    slot: Slot,
    _shared: Arc<Shared>,
}

impl ExtraSlots {
    /// A slot to be driven by its socket's events, for requests to this endpoint of a server.
    pub fn make(&self, http: &Arc<Http>, endpoint: Endpoint) -> Result<ExtraSlot> {
        let shared = self.0.upgrade().ok_or_else(Error::closed)?;
        let mut slot = Slot::new(http, &shared.share, &shared.names)?;
        slot.report_sockets()?;
        slot.set_endpoint(endpoint)?;
        slot.set_headers(None, None, None)?;
        Ok(ExtraSlot { slot, _shared: shared })
    }

    /// Closes the pool's connections to servers that are retired, as far as they are not in use; the others are closed after
    /// it.
    pub fn close_retired(&self) {
        if let Some(shared) = self.0.upgrade() {
            drop(shared.semaphore.take_retired());
        }
    }
}

impl ExtraSlot {
    /// The slot.
    pub fn slot(&mut self) -> &mut Slot {
        &mut self.slot
    }
}
