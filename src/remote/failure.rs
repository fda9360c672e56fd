//! What a failed attempt means: whether another one may help, and what the caller is told.

use std::time::{Duration, SystemTime};

use crate::config::without_credentials;
use crate::error::{Code, Error};
use crate::policy::outlier::Outcome;
use crate::policy::retry::{self, ApplicationErrors};
use crate::transport::{Transfer, TransferErrorKind};
use crate::wire::answer::decode::is_cut_short;
use crate::wire::answer::server_error::{self, GrpcCode};
use crate::wire::endpoint::Endpoint;

/// A failed attempt, and what its kind says about trying again.
pub struct Failure {
    pub error: Error,
    pub retried: bool,
    /// If not, another server may do better: this one could not be spoken to at all.
    pub elsewhere: bool,
    /// If so, just once, at once, and paid for apart from other retries.
    pub once: bool,
    pub timeout: bool,
    /// A connection kept from before was found dead: as if it had been closed, that costs no retry.
    pub dead_connection: bool,
    pub retry_after: Option<Duration>,
    /// It may be due to one call of several that were merged: each is to be asked for by itself.
    pub splits: bool,
}

/// What an attempt says about its server, and for how long that wants no further ones. `has_usual_time`: it had as much time
/// as attempts get.
pub fn outcome_of(transfer: &Transfer, has_usual_time: bool) -> (Outcome, Option<Duration>) {
    let asked = || retry::parse_retry_after(transfer.retry_after.as_deref()?, SystemTime::now());
    match &transfer.result {
        Ok(429) => (Outcome::Nothing, asked()),
        Ok(502..=504) => (Outcome::Failure, asked()),
        // Whoever is to blame, it was not the server that is out of service.
        Ok(500..) => (Outcome::Nothing, None),
        Ok(_) => (Outcome::Success, None),
        Err(fault) => {
            let outcome = match fault.kind {
                TransferErrorKind::Connect | TransferErrorKind::Tls { .. } | TransferErrorKind::NoTls => {
                    Outcome::Unreachable
                }
                TransferErrorKind::Io | TransferErrorKind::Unacknowledged
                    if transfer.connections_opened > 0 =>
                {
                    Outcome::Failure
                }
                TransferErrorKind::Timeout(_) if has_usual_time => Outcome::Timeout,
                _ => Outcome::Nothing,
            };
            (outcome, None)
        }
    }
}

/// Whether an attempt was answered.
pub fn is_answer(transfer: &Transfer, endpoint: Endpoint) -> bool {
    let succeeds = matches!(transfer.result, Ok(status) if endpoint.succeeds_with(status));
    succeeds && !is_incomplete(transfer, endpoint)
}

/// Only the connection's end told where its answer ends, and it is not whole.
fn is_incomplete(transfer: &Transfer, endpoint: Endpoint) -> bool {
    let is_200 = matches!(transfer.result, Ok(200));
    is_200 && endpoint.answers_columns() && transfer.ended_by_close && is_cut_short(&transfer.body)
}

/// Why an attempt brought no answer; `None` if it was answered. `merged`: it asked for several calls at once, none of which
/// must see what the server says of the others.
pub fn classify(
    transfer: &mut Transfer,
    endpoint: Endpoint,
    merged: bool,
    application_errors: ApplicationErrors,
    clean: impl Fn(String) -> String,
) -> Option<Failure> {
    if is_incomplete(transfer, endpoint) {
        return Some(cut_short(transfer));
    }
    let fault = match &transfer.result {
        Ok(status) if endpoint.succeeds_with(*status) => return None,
        Ok(status) => return Some(refused_by_server(*status, transfer, merged, application_errors, clean)),
        Err(_) => std::mem::replace(&mut transfer.result, Ok(0)).err()?,
    };
    let (kind, retried) = (fault.kind, fault.is_retried());
    let mut error = fault.into_error();
    match kind {
        TransferErrorKind::Tls { verification: true } => {
            error.message.push_str("; see the configuration keys `cert`, `client_cert` and `client_key`");
        }
        // Only of an answer is the size limited, or the encoding looked at.
        TransferErrorKind::TooLarge | TransferErrorKind::Encoding => error.http_status = 200,
        TransferErrorKind::NoTls => {
            error.message.push_str("; is this an http server, and should `path` begin with http://?");
        }
        _ => (),
    }
    let timeout = matches!(kind, TransferErrorKind::Timeout(_));
    let splits = merged && matches!(kind, TransferErrorKind::TooLarge);
    let elsewhere = matches!(kind, TransferErrorKind::Tls { .. } | TransferErrorKind::NoTls);
    let dead_connection = kind == TransferErrorKind::Unacknowledged && transfer.connections_opened == 0;
    Some(Failure {
        error,
        retried,
        elsewhere,
        once: false,
        timeout,
        dead_connection,
        retry_after: None,
        splits,
    })
}

/// An answer whose end only the connection's end told, and which is not whole.
fn cut_short(transfer: &Transfer) -> Failure {
    let bytes = transfer.body.len();
    let words = format!("the connection broke: it ended after {bytes} bytes of an answer that is not whole");
    let error = Error { http_status: 200, ..Error::new(Code::Io, words) };
    Failure {
        error,
        retried: true,
        elsewhere: false,
        once: false,
        timeout: false,
        dead_connection: false,
        retry_after: None,
        splits: false,
    }
}

/// Where a redirect leads, as it may be shown: without credentials, and without a query, which may hold some.
fn shown_location(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    without_credentials(&location[..end]).chars().filter(|letter| !letter.is_control()).take(200).collect()
}

fn refused_by_server(
    status: u16,
    transfer: &Transfer,
    merged: bool,
    application_errors: ApplicationErrors,
    clean: impl Fn(String) -> String,
) -> Failure {
    let mut said = server_error::parse(&transfer.body, clean);
    // A FeastError names views and features; all else may quote values, and rows of other calls were asked for, too.
    let hidden = merged && said.feast_class.is_none();
    if hidden {
        said.message =
            "its words are not shown, because they may be about another call of this merged request"
                .to_owned();
    }
    let transient = said.grpc_code == Some(GrpcCode::Unavailable);
    let splits = hidden && !transient && matches!(status, 400 | 413 | 422 | 500);
    let retry_after = transfer.retry_after.as_deref();
    let status_is_retried = retry::status_is_retried(status, retry_after.is_some());
    let (retried, once) = match application_errors {
        // A FeastError is the answer to the question asked; asking again brings the same one.
        _ if said.feast_class.is_some() => (false, false),
        ApplicationErrors::Always => (status_is_retried, false),
        _ if status != 500 || !said.by_application || transient => (status_is_retried, false),
        // The Go server says whose fault it is.
        _ if said.grpc_code.is_some() => (false, false),
        ApplicationErrors::Never => (false, false),
        ApplicationErrors::Once => (true, true),
    };
    let class = said.feast_class.as_deref().map(|class| format!("{class}: ")).unwrap_or_default();
    let advice = match status {
        300..=399 => &match &transfer.location {
            Some(location) => format!(
                "; redirects are not followed (Location: {}), set `path` to the server itself",
                shown_location(location)
            ),
            None => "; redirects are not followed, set `path` to the server itself".to_owned(),
        },
        407 => "; a proxy wants other credentials, see the configuration key `proxy`",
        401 => "; see the configuration keys that begin with `auth.`",
        404 if said.feast_class.is_none() => "; is `path` the URL of a Feast feature server?",
        _ => "",
    };
    let code = match said.grpc_code.filter(|_| status == 500) {
        Some(GrpcCode::InvalidArgument) => Code::InvalidRequest,
        Some(GrpcCode::NotFound) => Code::NotFound,
        Some(GrpcCode::PermissionDenied) => Code::PermissionDenied,
        Some(GrpcCode::Unauthenticated) => Code::Unauthenticated,
        Some(GrpcCode::ResourceExhausted) => Code::Throttled,
        Some(GrpcCode::Unavailable) | None => Code::of_http_status(status),
    };
    let mut error = Error::new(code, format!("HTTP {status}: {class}{}{advice}", said.message));
    error.http_status = status;
    error.feast_class = said.feast_class;
    error.retriable = retried && !once;
    let retry_after = retry_after.and_then(|value| retry::parse_retry_after(value, SystemTime::now()));
    Failure {
        error,
        retried,
        elsewhere: false,
        once,
        timeout: false,
        dead_connection: false,
        retry_after,
        splits,
    }
}
