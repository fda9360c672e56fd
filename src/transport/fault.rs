//! Why an attempt brought no HTTP answer.

use super::sys::*;
use crate::error::{Code, Error};

/// Where an attempt was when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking up the server's name.
    NameLookup,
    /// Making the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for the first byte of the answer.
    Wait,
    /// Receiving the answer.
    Receive,
}

impl Phase {
    /// As in "the time was up while …".
    fn describe(self) -> &'static str {
        match self {
            Phase::NameLookup => "looking up the server's name",
            Phase::Connect => "connecting",
            Phase::Tls => "in the TLS handshake",
            Phase::Send => "sending the request",
            Phase::Wait => "waiting for the first byte of the answer",
            Phase::Receive => "receiving the answer",
        }
    }
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No connection: name lookup, TCP, or `connect_timeout_ms`.
    Connect,
    /// TLS; `verification` if a certificate or our own TLS settings are to blame, which no retry mends.
    Tls {
        /// See above.
        verification: bool,
    },
    /// The connection broke.
    Io,
    /// The attempt's deadline.
    Timeout(Phase),
    /// More bytes than `max_response_bytes`.
    TooLarge,
    /// The store is closing.
    Closed,
    /// libcurl cannot use what it was given.
    Refused,
}

impl FaultKind {
    /// What libcurl's code for a failed transfer means; `tls`: of a connection with TLS.
    pub fn of(code: CURLcode, tls: bool) -> FaultKind {
        match code {
            CURLE_COULDNT_RESOLVE_HOST | CURLE_COULDNT_RESOLVE_PROXY | CURLE_COULDNT_CONNECT => {
                FaultKind::Connect
            }
            // The connect timeout is the only one that libcurl is given.
            CURLE_OPERATION_TIMEDOUT => FaultKind::Connect,
            CURLE_SSL_CONNECT_ERROR => FaultKind::Tls { verification: false },
            CURLE_PEER_FAILED_VERIFICATION
            | CURLE_SSL_CERTPROBLEM
            | CURLE_SSL_CIPHER
            | CURLE_SSL_CACERT_BADFILE
            | CURLE_SSL_CRL_BADFILE
            | CURLE_SSL_ISSUER_ERROR
            | CURLE_SSL_INVALIDCERTSTATUS
            | CURLE_SSL_PINNEDPUBKEYNOTMATCH => FaultKind::Tls { verification: true },
            // What libcurl 8 says of a `client_key` that cannot be used.
            CURLE_BAD_FUNCTION_ARGUMENT if tls => FaultKind::Tls { verification: true },
            CURLE_URL_MALFORMAT | CURLE_OUT_OF_MEMORY | CURLE_FAILED_INIT => FaultKind::Refused,
            // Among the rest UNSUPPORTED_PROTOCOL: the server does not speak HTTP/1.
            _ => FaultKind::Io,
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub struct Fault {
    /// What to do about it.
    pub kind: FaultKind,
    /// libcurl's words.
    pub message: String,
}

impl Fault {
    /// Whether trying again may help.
    pub fn is_retried(&self) -> bool {
        match self.kind {
            FaultKind::Connect | FaultKind::Io | FaultKind::Timeout(_) => true,
            FaultKind::Tls { verification } => !verification,
            FaultKind::TooLarge | FaultKind::Closed | FaultKind::Refused => false,
        }
    }

    /// The fault as a call's error.
    pub fn into_error(self) -> Error {
        let retriable = self.is_retried();
        let words = self.message;
        let (code, message) = match self.kind {
            FaultKind::Closed => return Error::closed(),
            FaultKind::Connect => (Code::Connect, format!("cannot connect: {words}")),
            FaultKind::Tls { .. } => (Code::Tls, format!("TLS: {words}")),
            FaultKind::Io => (Code::Io, format!("the connection broke: {words}")),
            FaultKind::Timeout(phase) => {
                (Code::Timeout, format!("the time was up while {}", phase.describe()))
            }
            FaultKind::TooLarge => (Code::Decode, words),
            FaultKind::Refused => (Code::Internal, words),
        };
        Error { retriable, ..Error::new(code, message) }
    }
}
