//! The figures of a store.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::remote::{feast_remote_t, with_remote};
use super::string::returned_string;
use crate::error::Error;
use crate::observe::prometheus;
use crate::observe::statistics::Snapshot;

/// The store's figures so far, as one JSON object: calls, attempts, retries by cause, connections, latencies.
/// STATISTICS.md lists the fields with their units; more may be added.
///
/// @param remote    in; borrowed for the call.
/// @param json      out, set to NULL first, on success NUL-terminated UTF-8; free with feast_string_free().
/// @param json_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CLOSED; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread, concurrently, on the same store.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_stats_json(
    remote: *mut feast_remote_t,
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        returned_string(json, json_len, err, || {
            with_remote(remote, |remote| Ok(remote.stats_json().into_bytes()))
        })
    }
}

/// The figures of several stores in Prometheus' text format, as a host serves it under /metrics: counters, gauges and histograms
/// whose names begin with feast_remote_, in seconds where they are times, with the label store. docs/observability.md lists
/// them. All stores in one text, since Prometheus wants each family once.
///
/// @param stores    in, n open stores; borrowed for the call.
/// @param names     in, n values of the label store, NUL-terminated UTF-8, each different; NULL, or a NULL among them, for the
///                  server's URL; borrowed for the call.
/// @param n         in, at least 1.
/// @param text      out, set to NULL first, on success NUL-terminated UTF-8; free with feast_string_free().
/// @param text_len  out, may be NULL, set to 0 first; bytes of the text without the NUL.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_CLOSED; FEAST_INVALID_ARGUMENT for NULL, no stores, or two of the same name.
/// Thread safety: any thread, concurrently, on the same stores.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_stats_prometheus(
    stores: *const *const feast_remote_t,
    names: *const *const c_char,
    n: usize,
    text: *mut *mut c_char,
    text_len: *mut usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        returned_string(text, text_len, err, || {
            let stores = guard::array(stores, n, "stores")?;
            let names = if names.is_null() { &[] } else { guard::array(names, n, "names")? };
            if stores.is_empty() {
                return Err(Error::argument("there are no stores"));
            }
            let mut figures: Vec<(String, Snapshot)> = Vec::new();
            for (at, &store) in stores.iter().enumerate() {
                let named = names.get(at).filter(|name| !name.is_null());
                let named = named.map(|&name| guard::text(name, "names")).transpose()?;
                let figure = with_remote(store.cast_mut(), |remote| {
                    Ok((named.unwrap_or(remote.server()).to_owned(), remote.snapshot()))
                })?;
                if figures.iter().any(|(known, _)| *known == figure.0) {
                    let why = format!("two stores are named `{}`; give each a name of its own", figure.0);
                    return Err(Error::argument(why));
                }
                figures.push(figure);
            }
            Ok(prometheus::text(&figures).into_bytes())
        })
    }
}
