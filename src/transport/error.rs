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
pub enum TransferErrorKind {
    /// No connection: name lookup, TCP, or `connect_timeout_ms`.
    Connect,
    /// TLS; `verification` if a certificate or our own TLS settings are to blame, which no retry mends.
    Tls {
        /// See above.
        verification: bool,
    },
    /// The server speaks something else than TLS.
    NoTls,
    /// The connection broke.
    Io,
    /// Nothing that is sent on the connection is acknowledged.
    Unacknowledged,
    /// The attempt's deadline.
    Timeout(Phase),
    /// The answer's Content-Encoding is not known, or it is broken.
    Encoding,
    /// More bytes than `max_response_bytes`.
    TooLarge,
    /// The store is closing.
    Closed,
    /// libcurl cannot use what it was given.
    Refused,
}

impl TransferErrorKind {
    /// What libcurl's code for a failed transfer means; `tls`: of a connection with TLS.
    pub fn of(code: CURLcode, tls: bool) -> TransferErrorKind {
        match code {
            CURLE_COULDNT_RESOLVE_HOST | CURLE_COULDNT_RESOLVE_PROXY | CURLE_COULDNT_CONNECT => {
                TransferErrorKind::Connect
            }
            // The connect timeout is the only one that libcurl is given.
            CURLE_OPERATION_TIMEDOUT => TransferErrorKind::Connect,
            CURLE_SSL_CONNECT_ERROR => TransferErrorKind::Tls { verification: false },
            CURLE_PEER_FAILED_VERIFICATION
            | CURLE_SSL_CERTPROBLEM
            | CURLE_SSL_CIPHER
            | CURLE_SSL_CACERT_BADFILE
            | CURLE_SSL_CRL_BADFILE
            | CURLE_SSL_ISSUER_ERROR
            | CURLE_SSL_INVALIDCERTSTATUS
            | CURLE_SSL_PINNEDPUBKEYNOTMATCH => TransferErrorKind::Tls { verification: true },
            // What libcurl 8 says of a `client_key` that cannot be used.
            CURLE_BAD_FUNCTION_ARGUMENT if tls => TransferErrorKind::Tls { verification: true },
            CURLE_BAD_CONTENT_ENCODING => TransferErrorKind::Encoding,
            CURLE_URL_MALFORMAT | CURLE_OUT_OF_MEMORY | CURLE_FAILED_INIT => TransferErrorKind::Refused,
            // Among the rest UNSUPPORTED_PROTOCOL: the server does not speak HTTP/1.
            _ => TransferErrorKind::Io,
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub struct TransferError {
    /// What to do about it.
    pub kind: TransferErrorKind,
    /// libcurl's words.
    pub message: String,
}

impl TransferError {
    /// Whether trying again may help.
    pub fn is_retried(&self) -> bool {
        match self.kind {
            TransferErrorKind::Connect
            | TransferErrorKind::Io
            | TransferErrorKind::Unacknowledged
            | TransferErrorKind::Timeout(_) => true,
            TransferErrorKind::Tls { verification } => !verification,
            TransferErrorKind::NoTls
            | TransferErrorKind::Encoding
            | TransferErrorKind::TooLarge
            | TransferErrorKind::Closed
            | TransferErrorKind::Refused => false,
        }
    }

    /// The fault as a call's error.
    pub fn into_error(self) -> Error {
        let retriable = self.is_retried();
        let words = self.message;
        let (code, message) = match self.kind {
            TransferErrorKind::Closed => return Error::closed(),
            TransferErrorKind::Connect => (Code::Connect, format!("cannot connect: {words}")),
            TransferErrorKind::NoTls | TransferErrorKind::Tls { .. } => (Code::Tls, format!("TLS: {words}")),
            TransferErrorKind::Io | TransferErrorKind::Unacknowledged => {
                (Code::Io, format!("the connection broke: {words}"))
            }
            TransferErrorKind::Timeout(phase) => {
                let words = if words.is_empty() { words } else { format!("; {words}") };
                (Code::Timeout, format!("the time was up while {}{words}", phase.describe()))
            }
            TransferErrorKind::Encoding => {
                (Code::Decode, format!("the answer's Content-Encoding cannot be undone: {words}"))
            }
            TransferErrorKind::TooLarge => (Code::Decode, words),
            TransferErrorKind::Refused => (Code::Internal, words),
        };
        Error { retriable, ..Error::new(code, message) }
    }
}
