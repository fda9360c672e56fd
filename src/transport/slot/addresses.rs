//! The addresses that an attempt's new connection is made to: asked for when it begins, told to libcurl when they are known,
//! and what came of them noted when it ends.

use std::ffi::c_long;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::{Slot, refused};
use crate::policy::deadline::Deadline;
use crate::process::sync::{Arc, AtomicBool, Ordering};
use crate::transport::error::{TransferError, TransferErrorKind};
use crate::transport::http::Host;
use crate::transport::names::{Known, NameListener, Names};
use crate::transport::sys::*;
use crate::transport::text_list::TextList;
use crate::transport::url::c_text;

/// A connection that was silent for longer may well have to be made anew by libcurl, which shall know the newest addresses then.
const HEARD_LATELY: Duration = Duration::from_secs(30);

/// libcurl's own waits before the next address is tried beside one that has not answered: the longest, and a share of the time
/// there is, so that a short one is enough for a second address.
const LONGEST_WAIT_FOR_ADDRESS: Duration = Duration::from_millis(200);
const SHARE_FOR_ADDRESS: u32 = 4;

/// A look-up that the attempt waits for.
pub(super) struct Sought {
    number: u64,
    since: Instant,
    /// By when the attempt fails for want of an address.
    until: Deadline,
    looked_again: bool,
}

/// How long an address is given until the next one is tried, in milliseconds.
fn wait_for_address(time: Duration) -> c_long {
    let wait = (time / SHARE_FOR_ADDRESS).min(LONGEST_WAIT_FOR_ADDRESS);
    c_long::try_from(wait.as_millis()).unwrap_or(1).max(1)
}

impl Slot {
    /// Puts an attempt on the wire that may take until the deadline; or else, for want of an address, it waits for one, and
    /// the listener is told when to [`step`](Slot::step).
    pub(super) fn begin_connection(
        &mut self,
        now: Instant,
        deadline: Deadline,
        listener: Option<&Arc<dyn NameListener>>,
    ) -> Result<(), TransferError> {
        (self.sought, self.waited, self.on_wire) = (None, Duration::ZERO, false);
        // SAFETY: libcurl is not at work on this slot.
        unsafe { &mut *self.sockets }.begin();
        let connects = !self.kept;
        let limit = self.http.connect_timeout();
        if connects {
            self.set_connect_timeout(limit);
            let time = deadline.remaining(now).unwrap_or(limit).min(limit);
            // SAFETY: the option takes a long; the handle is live.
            unsafe { curl_easy_setopt(self.easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, wait_for_address(time)) };
        }
        let Some(host) = &self.host else { return self.put_on_wire() };
        if !connects && now.saturating_duration_since(self.heard) < HEARD_LATELY {
            return self.put_on_wire();
        }
        match self.names.ask(&host.name, host.port, now, listener) {
            Known::Addresses(addresses) => {
                self.set_addresses(&addresses)?;
                self.put_on_wire()
            }
            Known::Sought(number) => {
                let until = Deadline::after(now, Some(limit));
                self.sought = Some(Sought { number, since: now, until, looked_again: false });
                Ok(())
            }
        }
    }

    /// The attempt waits for an address.
    pub fn awaits_address(&self) -> bool {
        self.sought.is_some()
    }

    /// When to look after that although nobody has told of an address.
    pub(super) fn address_timer(&self) -> Option<Instant> {
        let sought = self.sought.as_ref()?;
        let look = Some(Names::next_look(sought.since)).filter(|_| !sought.looked_again);
        look.into_iter().chain(sought.until.at()).min()
    }

    /// Goes on with an attempt that waited for an address. `Ok(false)`: it still does.
    pub(super) fn look_for_addresses(&mut self, now: Instant) -> Result<bool, TransferError> {
        let (Some(sought), Some(host)) = (&self.sought, &self.host) else { return Ok(true) };
        match self.names.answer(&host.name, sought.number, now) {
            Some(Ok(addresses)) => {
                self.waited = now.saturating_duration_since(sought.since);
                // The look-up had a share of it.
                self.set_connect_timeout(self.http.connect_timeout().saturating_sub(self.waited));
                self.sought = None;
                self.set_addresses(&addresses)?;
                self.put_on_wire().map(|()| true)
            }
            Some(Err(why)) => Err(unresolved(host, &why)),
            None if sought.until.passed(now) => {
                Err(unresolved(host, "the look-up takes longer than connect_timeout_ms"))
            }
            None => {
                if let Some(sought) = &mut self.sought {
                    sought.looked_again |= Names::next_look(sought.since) <= now;
                }
                Ok(false)
            }
        }
    }

    /// Waits for the addresses of an attempt that this thread drives.
    pub(super) fn wait_for_addresses(
        &mut self,
        deadline: Deadline,
        closing: &AtomicBool,
    ) -> Result<(), TransferError> {
        while !self.look_for_addresses(Instant::now())? {
            let (Some(sought), Some(host)) = (&self.sought, &self.host) else { return Ok(()) };
            self.names.wait(&host.name, sought.number, deadline.min(sought.until));
            if closing.load(Ordering::Acquire) {
                return Err(TransferError { kind: TransferErrorKind::Closed, message: String::new() });
            }
            if deadline.passed(Instant::now()) {
                return Err(self.timed_out());
            }
        }
        Ok(())
    }

    fn set_connect_timeout(&self, timeout: Duration) {
        // 0 would be libcurl's own.
        let milliseconds = c_long::try_from(timeout.as_millis()).unwrap_or(c_long::MAX).max(1);
        // SAFETY: the option takes a long; the handle is live.
        unsafe { curl_easy_setopt(self.easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds) };
    }

    fn set_addresses(&mut self, addresses: &[IpAddr]) -> Result<(), TransferError> {
        let Some(Host { name, port, .. }) = &self.host else { return Ok(()) };
        let shown = addresses.iter().map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        let entry = format!("{name}:{port}:{}", shown.collect::<Vec<_>>().join(","));
        let list = c_text(entry).and_then(|entry| TextList::of(&entry));
        let list = list.map_err(|error| refused(error.message))?;
        // SAFETY: no transfer is running; the list lives until another one has been set, or the handle been freed.
        let code = unsafe { curl_easy_setopt(self.easy, CURLOPT_RESOLVE, list.as_ptr()) };
        self.addresses = Some(list);
        if code == CURLE_OK { Ok(()) } else { Err(refused(describe(code))) }
    }

    fn put_on_wire(&mut self) -> Result<(), TransferError> {
        // SAFETY: both handles are live, and no transfer is running.
        self.on_wire = unsafe { curl_multi_add_handle(self.multi, self.easy) } == CURLM_OK;
        if self.on_wire { Ok(()) } else { Err(refused("libcurl refused the transfer")) }
    }

    /// Notes which addresses have answered. The attempt has ended, and its connection is there still, if it is kept.
    pub(super) fn note_addresses(&self, result: &Result<u16, TransferError>) {
        let Some(host) = self.host.as_ref().filter(|_| self.on_wire) else { return };
        // SAFETY: libcurl is not at work on this slot.
        let sockets = unsafe { &*self.sockets };
        let given_up = matches!(result, Err(TransferError { kind: TransferErrorKind::Closed, .. }));
        if sockets.tried().is_empty() || given_up {
            return;
        }
        let now = Instant::now();
        // Of a failed attempt libcurl may tell the address of a connection that it had before.
        let told = || {
            // SAFETY: this thread drives the live handle.
            result.is_ok().then(|| unsafe { primary_ip(self.easy) }).flatten()
        };
        let connected = sockets.peer().or_else(told);
        for &address in sockets.tried() {
            self.names.note(address, connected == Some(address), now);
            // Those after it were not given the time.
            if connected == Some(address) {
                return;
            }
        }
        if connected.is_none() && result.is_err() {
            self.names.doubt(&host.name, host.port, now);
        }
    }
}

fn unresolved(host: &Host, why: &str) -> TransferError {
    let what = if host.is_proxy { "proxy" } else { "host" };
    let message = format!("could not resolve {what} {}: {why}", host.name);
    TransferError { kind: TransferErrorKind::Connect, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_address_has_time_within_a_short_deadline() {
        let milliseconds = |time| wait_for_address(Duration::from_millis(time));
        assert_eq!([150, 800, 10_000, 3].map(milliseconds), [37, 200, 200, 1]);
    }
}
