//! Which of Feast's servers a store asks: as configured, or as its answers tell.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::config::ServerKind;
use crate::transport::Transfer;
use crate::wire::server_kind::{told_by_answer, told_by_error};

const UNKNOWN: u8 = 0;
const PYTHON: u8 = 1;
const GO: u8 = 2;

/// See the module. Used by any number of threads.
pub struct KnownServerKind {
    configured: Option<ServerKind>,
    told: AtomicU8,
}

impl KnownServerKind {
    /// Nothing has been told yet.
    pub fn new(configured: Option<ServerKind>) -> KnownServerKind {
        KnownServerKind { configured, told: AtomicU8::new(UNKNOWN) }
    }

    /// As far as is known; most are Python's.
    pub fn get(&self) -> ServerKind {
        self.configured.unwrap_or(match self.told.load(Ordering::Relaxed) {
            GO => ServerKind::Go,
            _ => ServerKind::Python,
        })
    }

    /// Takes note of what an answer tells, and says it. A good one is looked at only while nothing is known, an error also where
    /// the request had data that the other server takes elsewhere.
    pub fn learn(&self, transfer: &Transfer, has_request_data: bool) -> Option<ServerKind> {
        let is_known = self.told.load(Ordering::Relaxed) != UNKNOWN;
        if self.configured.is_some() || is_known && !has_request_data {
            return None;
        }
        let told = match transfer.result {
            Ok(200) if !is_known => told_by_answer(&transfer.body),
            Ok(status @ 400..) => told_by_error(status, &transfer.body),
            _ => None,
        };
        match told? {
            ServerKind::Python => self.told.store(PYTHON, Ordering::Relaxed),
            ServerKind::Go => self.told.store(GO, Ordering::Relaxed),
        }
        told
    }
}
