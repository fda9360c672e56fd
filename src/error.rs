//! The one error type: what went wrong, on whose side, and whether trying again can help.

use std::fmt;

use crate::server_name::ServerName;
use crate::timing::Timing;

/// Says who has to act, by the hundreds: 1xx the caller, 2xx this process, 3xx the network, 4xx and 500 the
/// server's answer (numbered like HTTP), 501 and up the data, 9xx this library. Numbers are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[allow(missing_docs)] // the C header documents each number
pub enum Code {
    InvalidArgument = 101,
    Config = 102,
    Closed = 103,
    Cancelled = 104,
    Overloaded = 202,
    Timeout = 301,
    Connect = 302,
    Tls = 303,
    Io = 304,
    Unauthenticated = 401,
    PermissionDenied = 403,
    NotFound = 404,
    InvalidRequest = 422,
    Throttled = 429,
    Server = 500,
    Decode = 501,
    Type = 502,
    Internal = 901,
    Panic = 902,
}

impl Code {
    /// Every code, for tables.
    pub const ALL: [Code; 19] = [
        Code::InvalidArgument,
        Code::Config,
        Code::Closed,
        Code::Cancelled,
        Code::Overloaded,
        Code::Timeout,
        Code::Connect,
        Code::Tls,
        Code::Io,
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::NotFound,
        Code::InvalidRequest,
        Code::Throttled,
        Code::Server,
        Code::Decode,
        Code::Type,
        Code::Internal,
        Code::Panic,
    ];

    /// The code of an HTTP status other than 200.
    pub fn of_http_status(status: u16) -> Code {
        match status {
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            429 => Code::Throttled,
            400..=499 => Code::InvalidRequest,
            _ => Code::Server,
        }
    }
}

/// A failed call. The message names the server and what it said, and never holds a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Whose fault, and which.
    pub code: Code,
    /// For people; one or more sentences.
    pub message: String,
    /// Status of the last HTTP answer; 0: there was none.
    pub http_status: u16,
    /// Feast's exception class, when the server named one.
    pub feast_class: Option<String>,
    /// HTTP attempts made for the call.
    pub attempts: u32,
    /// Whether the same call may succeed later without a change by the caller.
    pub retriable: bool,
    /// Of a write: what became of its rows.
    pub rows: Option<Box<RowsOfWrite>>,
    /// Where the time of the call went, if it got as far as that.
    pub timing: Option<Box<Timing>>,
    /// The server of the last attempt, if there was one.
    pub server: Option<ServerName>,
}

/// What became of the rows of a write that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsOfWrite {
    /// Rows that the server has said are written.
    pub written: u64,
    /// The others, by their numbers in the frame, in ascending order.
    pub unwritten: Vec<u64>,
    /// Those of them that may have been written all the same: they were sent, and the server's word is missing.
    pub doubtful: Vec<u64>,
}

/// What this library's fallible functions return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with no HTTP answer behind it.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        let retriable =
            matches!(code, Code::Overloaded | Code::Timeout | Code::Connect | Code::Io | Code::Throttled);
        Error {
            code,
            message: message.into(),
            http_status: 0,
            feast_class: None,
            attempts: 0,
            retriable,
            rows: None,
            timing: None,
            server: None,
        }
    }

    /// The caller passed something that cannot be used.
    pub fn argument(message: impl Into<String>) -> Error {
        Error::new(Code::InvalidArgument, message)
    }

    /// A configuration key or value cannot be used.
    pub fn config(message: impl Into<String>) -> Error {
        Error::new(Code::Config, message)
    }

    /// The server's answer cannot be read.
    pub fn decode(message: impl Into<String>) -> Error {
        Error::new(Code::Decode, message)
    }

    /// The store was closed before or during the call.
    pub fn closed() -> Error {
        Error::new(Code::Closed, "the store has been closed")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_codes_are_distinct_and_listed_in_order() {
        let numbers: Vec<i32> = Code::ALL.iter().map(|&code| code as i32).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    }

    #[test]
    fn client_statuses_without_a_number_of_their_own_are_invalid_requests() {
        assert_eq!(Code::of_http_status(400), Code::InvalidRequest);
        assert_eq!(Code::of_http_status(413), Code::InvalidRequest);
        assert_eq!(Code::of_http_status(502), Code::Server);
        assert_eq!(Code::of_http_status(302), Code::Server);
    }
}
