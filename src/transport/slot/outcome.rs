//! How an attempt ended, and how far it had come.

use std::ffi::c_int;
use std::time::{Duration, Instant};

use super::{Slot, refused};
use crate::transport::error::{Phase, TransferError, TransferErrorKind};
use crate::transport::sys::*;

impl Slot {
    /// The fault of an attempt of which nothing is acknowledged, if it is time to look.
    pub(super) fn path_death(&mut self, now: Instant) -> Option<TransferError> {
        // SAFETY: libcurl is not at work on this slot.
        let sockets = unsafe { &*self.sockets }.connections();
        let silent = self.watch.look(self.http.upstream().path(), sockets, now)?;
        let message = format!("nothing was acknowledged for {silent:.1?} (dead_connection_timeout_ms)");
        Some(TransferError { kind: TransferErrorKind::Unacknowledged, message })
    }

    /// The fault of an attempt whose time is up.
    pub fn timed_out(&self) -> TransferError {
        let phase = self.phase();
        // SAFETY: libcurl is not at work on this slot.
        let sockets = unsafe { &*self.sockets }.connections();
        let unanswered = self.watch.is_unanswered(self.http.upstream().path(), sockets, Instant::now());
        let message = if unanswered { "nothing was acknowledged" } else { "" };
        TransferError { kind: TransferErrorKind::Timeout(phase), message: message.to_owned() }
    }

    /// Connections made by the attempt, and how long the last one took.
    pub(super) fn new_connection(&self) -> (u32, Option<(Duration, Option<Duration>)>) {
        // SAFETY: this thread drives the live handle.
        let opened = unsafe { getinfo_long(self.easy, CURLINFO_NUM_CONNECTS) };
        // Of an attempt that libcurl has not got it tells what was before.
        if opened <= 0 || !self.on_wire {
            return (0, None);
        }
        let tcp = self.time(CURLINFO_CONNECT_TIME_T);
        let tls = self.time(CURLINFO_APPCONNECT_TIME_T);
        let tls = (!tls.is_zero()).then(|| tls.saturating_sub(tcp));
        (u32::try_from(opened).unwrap_or(u32::MAX), (!tcp.is_zero()).then_some((self.waited + tcp, tls)))
    }

    /// When the attempt came so far, if it did, counted from when libcurl got it.
    pub(super) fn reached(&self, info: CURLINFO) -> Option<Duration> {
        Some(self.time(info)).filter(|time| self.on_wire && !time.is_zero())
    }

    pub(super) fn time(&self, info: CURLINFO) -> Duration {
        // SAFETY: this thread drives the live handle.
        Duration::from_micros(unsafe { getinfo_off_t(self.easy, info) })
    }

    pub(super) fn outcome(&mut self) -> std::result::Result<u16, TransferError> {
        let mut code = CURLE_FAILED_INIT;
        let mut left: c_int = 0;
        // SAFETY: the multi handle is live; a message is valid until the next call on the handle, and `data`
        // of a DONE message is the CURLcode of its union (curl/include/curl/multi.h).
        unsafe {
            loop {
                let message = curl_multi_info_read(self.multi, &mut left);
                if message.is_null() {
                    break;
                }
                if (*message).msg == CURLMSG_DONE {
                    code = (*message).data as usize as CURLcode;
                }
            }
        }
        // SAFETY: the transfer is done, so libcurl does not write to the receiver now.
        let receiver = unsafe { &*self.receiver };
        if code == CURLE_OK {
            // SAFETY: this thread drives the live handle.
            let status = unsafe { getinfo_long(self.easy, CURLINFO_RESPONSE_CODE) };
            return match u16::try_from(status) {
                Ok(status) if status > 0 && !receiver.is_in_header() => Ok(status),
                // libcurl takes what ends amid the header for a response without a body.
                _ => {
                    let message = "it was closed amid the header of the answer".to_owned();
                    Err(TransferError { kind: TransferErrorKind::Io, message })
                }
            };
        }
        if code == CURLE_WRITE_ERROR && receiver.too_large {
            let message = format!("the answer has more than {} bytes (max_response_bytes)", receiver.limit);
            return Err(TransferError { kind: TransferErrorKind::TooLarge, message });
        }
        if code == CURLE_WRITE_ERROR && receiver.no_memory {
            let message = format!("no memory for an answer of more than {} bytes", receiver.body.len());
            return Err(refused(message));
        }
        let words = receiver.words();
        let kind = match TransferErrorKind::of(code, self.tls) {
            // OpenSSL's words for an answer in plain HTTP.
            TransferErrorKind::Tls { .. }
                if words.contains("wrong version number") || words.contains("http request") =>
            {
                TransferErrorKind::NoTls
            }
            kind => kind,
        };
        Err(TransferError { kind, message: if words.is_empty() { describe(code) } else { words } })
    }

    /// libcurl notes the time of this only when TLS is there, too.
    fn is_tcp_connected(&self) -> bool {
        // SAFETY: libcurl is not at work on this slot.
        unsafe { &*self.sockets }.is_any_connected()
    }

    /// How far the attempt has come: libcurl notes a time for most steps taken.
    fn phase(&self) -> Phase {
        let reached = |info| self.reached(info).is_some();
        if !self.on_wire {
            Phase::NameLookup
        } else if reached(CURLINFO_STARTTRANSFER_TIME_T) {
            Phase::Receive
        } else if reached(CURLINFO_PRETRANSFER_TIME_T) {
            // SAFETY: this thread drives the live handle.
            let sent = unsafe { getinfo_off_t(self.easy, CURLINFO_SIZE_UPLOAD_T) };
            if sent < self.request.len() as u64 { Phase::Send } else { Phase::Wait }
        } else if self.tls && !self.proxied && self.is_tcp_connected() {
            Phase::Tls
        } else if reached(CURLINFO_NAMELOOKUP_TIME_T) {
            Phase::Connect
        } else {
            Phase::NameLookup
        }
    }
}
