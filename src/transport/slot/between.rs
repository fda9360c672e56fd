//! What happens to a slot between two attempts: what the next request is sent with, and whether the connection that was kept may
//! be used for it.

use std::time::Duration;

use super::Slot;
use crate::config::Token;
use crate::error::Result;
use crate::process::sync::Arc;
use crate::transport::http::Http;
use crate::transport::sys::*;
use crate::wire::endpoint::Endpoint;
use crate::wire::request::RequestHeaders;

impl Slot {
    /// Sends the requests from now on to this endpoint of the server.
    pub fn set_endpoint(&mut self, endpoint: Endpoint) -> Result<()> {
        if self.endpoint != endpoint {
            // SAFETY: no transfer is running; the URL lives until another one has been set, or the handle been freed.
            self.url = Some(unsafe { self.http.set_endpoint(self.easy, endpoint) }?);
            self.endpoint = endpoint;
        }
        Ok(())
    }

    /// Sets the header lines of the requests from now on.
    pub fn set_headers(
        &mut self,
        token: Option<&Token>,
        own: Option<&Arc<RequestHeaders>>,
        content_type: Option<&str>,
    ) -> Result<()> {
        let token_text = token.map(|token| token.reveal());
        let headers = self.http.header_list(token_text, own.map(|own| &**own), content_type)?;
        // SAFETY: no transfer is running; the list lives until another one has been set, or the handle been freed.
        unsafe { curl_easy_setopt(self.easy, CURLOPT_HTTPHEADER, headers.as_ptr()) };
        self.headers = Some(headers);
        self.token = token.cloned();
        self.own_headers = own.cloned();
        Ok(())
    }

    /// Whether the header lines are set and hold this token and these headers.
    pub fn has_headers_for(&self, token: Option<&Token>, own: Option<&Arc<RequestHeaders>>) -> bool {
        fn same<T>(known: Option<&Arc<T>>, wanted: Option<&Arc<T>>) -> bool {
            match (known, wanted) {
                (Some(known), Some(wanted)) => Arc::ptr_eq(known, wanted),
                (None, None) => true,
                _ => false,
            }
        }
        self.headers.is_some() && same(self.token.as_ref(), token) && same(self.own_headers.as_ref(), own)
    }

    /// A connection was kept after the last attempt.
    pub fn is_connected(&self) -> bool {
        self.kept
    }

    /// How its server is spoken to.
    pub fn http(&self) -> &Arc<Http> {
        &self.http
    }

    /// The number of its server.
    pub fn upstream(&self) -> u32 {
        self.http.upstream().number()
    }

    /// Its server is one no more.
    pub fn is_retired(&self) -> bool {
        self.http.upstream().is_retired()
    }

    /// The kept connection is closed from the other side, or something has come on it that nobody asked for: libcurl,
    /// which looks only once a second, would take it for the next answer.
    pub fn has_unasked_input(&self) -> bool {
        // SAFETY: libcurl is not at work on this slot.
        self.kept && unsafe { &*self.sockets }.have_input()
    }

    /// The kept connection may be dead: another one to the same server was found to be, and this one was not heard of since.
    pub fn is_suspect(&self) -> bool {
        self.kept && self.http.upstream().path().is_suspect(self.heard)
    }

    /// The kept connection is older than connections may become: each a little later than another one, so that they are not
    /// all replaced at once.
    pub fn is_too_old(&self) -> bool {
        // The golden ratio spreads numbers that follow each other.
        let share = (f64::from(self.number) * 0.618_033_988_749_895).fract();
        let too_old = |max_age: Duration| self.made.elapsed() > max_age.mul_f64(1.0 + 0.4 * share);
        self.kept && self.http.max_age.is_some_and(too_old)
    }
}
