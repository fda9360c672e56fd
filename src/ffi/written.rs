//! `feast_write_t`: what came of a write.

use super::{guard, object};
use crate::remote::Written;

/// A write that is done. Opaque; free with feast_write_free(). Immutable, so any thread may read it.
pub struct feast_write_t {
    written: Written,
}

impl feast_write_t {
    pub(super) fn boxed(written: Written) -> *mut feast_write_t {
        object::give(feast_write_t { written })
    }
}

/// The rows that were written.
///
/// @param written  in, may be NULL; borrowed for the call.
/// @return rows; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_rows_written(written: *const feast_write_t) -> u64 {
    // SAFETY: the header asks for NULL or a live object.
    guard::value(0, || Some(unsafe { object::borrow(written) }?.written.rows))
}

/// The requests that they went out in.
///
/// @param written  in, may be NULL; borrowed for the call.
/// @return requests; 0 for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_requests(written: *const feast_write_t) -> u64 {
    // SAFETY: the header asks for NULL or a live object.
    guard::value(0, || Some(unsafe { object::borrow(written) }?.written.requests))
}

/// Whether the server has only taken some of the rows (HTTP 202), and writes them later: those for an offline store.
///
/// @param written  in, may be NULL; borrowed for the call.
/// @return whether; false for NULL.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_is_queued(written: *const feast_write_t) -> bool {
    // SAFETY: the header asks for NULL or a live object.
    guard::value(false, || Some(unsafe { object::borrow(written) }?.written.queued))
}

/// Frees what a write came to.
///
/// @param written  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each of them.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_free(written: *mut feast_write_t) {
    // SAFETY: made by `boxed`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(written) }.map(drop));
}
