//! An attempt that a caller's own thread drives to its end.

use std::ffi::c_int;
use std::ptr;
use std::time::{Duration, Instant};

use super::{Slot, Transfer, refused};
use crate::policy::deadline::Deadline;
use crate::process::panics::fault_point;
use crate::process::sync::{AtomicBool, Ordering};
use crate::transport::error::{TransferError, TransferErrorKind};
use crate::transport::sys::*;

/// Longest uninterrupted poll; a bound for the conversion to a C int, not a tick anything depends on.
const LONGEST_POLL: Duration = Duration::from_secs(600);

impl Slot {
    /// One attempt, see [`begin`](Slot::begin), driven to its end by this thread. Returns by `deadline`, or soon after
    /// `closing` was set and the waker woken.
    pub fn perform(
        &mut self,
        request: Option<Vec<u8>>,
        body: Vec<u8>,
        deadline: Deadline,
        closing: &AtomicBool,
    ) -> Transfer {
        // SAFETY: libcurl is not at work on this slot.
        unsafe { &mut *self.sockets }.forget();
        let result = match self.begin(request, body, deadline, None) {
            Ok(()) => self.drive(deadline, closing),
            Err(fault) => Err(fault),
        };
        self.end(result)
    }

    fn drive(&mut self, deadline: Deadline, closing: &AtomicBool) -> std::result::Result<u16, TransferError> {
        self.wait_for_addresses(deadline, closing)?;
        loop {
            if closing.load(Ordering::Acquire) {
                return Err(TransferError { kind: TransferErrorKind::Closed, message: String::new() });
            }
            fault_point();
            let mut running: c_int = 0;
            let guard = self.prevent_fork();
            // SAFETY: the multi handle is live and driven by this thread only.
            let code = unsafe { curl_multi_perform(self.multi, &mut running) };
            drop(guard);
            if code != CURLM_OK {
                return Err(refused(format!("libcurl's multi error {code}")));
            }
            if running == 0 {
                return self.outcome();
            }
            let now = Instant::now();
            let remaining = deadline.remaining(now);
            if remaining == Some(Duration::ZERO) {
                return Err(self.timed_out());
            }
            if let Some(error) = self.path_death(now) {
                return Err(error);
            }
            let look = self.watch.next().map(|next| next.saturating_duration_since(now));
            let wait = remaining.into_iter().chain(look).min().unwrap_or(LONGEST_POLL).min(LONGEST_POLL);
            // Rounded up, or the last millisecond would be spent spinning.
            let wait_ms = wait.as_nanos().div_ceil(1_000_000) as c_int;
            // SAFETY: as above; no extra descriptors.
            let code = unsafe { curl_multi_poll(self.multi, ptr::null_mut(), 0, wait_ms, ptr::null_mut()) };
            if code != CURLM_OK {
                return Err(refused(format!("libcurl's poll failed with error {code}")));
            }
        }
    }
}
