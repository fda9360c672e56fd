//! `feast_write_options_t`.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::{guard, object};
use crate::error::Result;
use crate::wire::write::WriteOptions;

/// How rows are written, where it is not as usual. Opaque; free with feast_write_options_free(). May be used for any number of
/// writes, by several threads at once while nobody changes it.
pub struct feast_write_options_t {
    pub(super) options: WriteOptions,
}

/// Makes options that say what is usual.
///
/// @return options to free with feast_write_options_free().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub extern "C" fn feast_write_options_new() -> *mut feast_write_options_t {
    guard::value(ptr::null_mut(), || {
        Some(object::give(feast_write_options_t { options: WriteOptions::default() }))
    })
}

/// Frees options.
///
/// @param options  in, may be NULL; transferred: they must not be used afterwards.
/// Thread safety: any thread, once for each of them.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_free(options: *mut feast_write_options_t) {
    // SAFETY: made by `feast_write_options_new`, and freed once as the header asks.
    guard::value((), || unsafe { object::take(options) }.map(drop));
}

/// # Safety
/// As for `guard::status` and `guard::object_mut`.
unsafe fn change(
    options: *mut feast_write_options_t,
    err: *mut *mut feast_error_t,
    change: impl FnOnce(&mut WriteOptions) -> Result<()>,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe { guard::status(err, || change(&mut guard::object_mut(options, "options")?.options)) }
}

/// Names the column of event timestamps, as the data source of the feature view names it. It goes out as RFC 3339 text with Z,
/// never as numbers, which a server would take for nanoseconds, and must have no nulls. "": the frame has none.
///
/// @param options  in; changed.
/// @param name     in, NUL-terminated UTF-8; copied. "event_timestamp" is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or text that is not UTF-8.
/// Thread safety: one thread at a time on the same options.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_set_timestamp_field(
    options: *mut feast_write_options_t,
    name: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(options, err, |options| {
            options.timestamp_field = guard::text(name, "name")?.to_owned();
            Ok(())
        })
    }
}

/// Names the column that says when rows were made, if the frame has one; it goes out like event timestamps. "": none.
///
/// @param options  in; changed.
/// @param name     in, NUL-terminated UTF-8; copied. "created" is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or text that is not UTF-8.
/// Thread safety: one thread at a time on the same options.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_set_created_timestamp_column(
    options: *mut feast_write_options_t,
    name: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(options, err, |options| {
            options.created_timestamp_column = guard::text(name, "name")?.to_owned();
            Ok(())
        })
    }
}

/// Whether the server may look feature views up in its cache of the registry.
///
/// @param options  in; changed.
/// @param value    in; true is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on the same options.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_set_allow_registry_cache(
    options: *mut feast_write_options_t,
    value: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(options, err, |options| {
            options.allow_registry_cache = value;
            Ok(())
        })
    }
}

/// Whether the server applies transformations when it writes.
///
/// @param options  in; changed.
/// @param value    in; true is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on the same options.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_set_transform_on_write(
    options: *mut feast_write_options_t,
    value: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(options, err, |options| {
            options.transform_on_write = value;
            Ok(())
        })
    }
}

/// Whether a push to an offline store may be sent again although it may have been done: rows are then there twice. An online
/// store has one row an entity, so that a write to it is always sent again.
///
/// @param options  in; changed.
/// @param value    in; false is the default.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: one thread at a time on the same options.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_set_repeat_offline(
    options: *mut feast_write_options_t,
    value: bool,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(options, err, |options| {
            options.repeats_offline = value;
            Ok(())
        })
    }
}

/// Limits the time of a whole write. Without it each of its requests has the store's request_timeout_ms.
///
/// @param options     in; changed.
/// @param timeout_ms  in, milliseconds, not negative; with 0 nothing is sent.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or a negative time.
/// Thread safety: one thread at a time on the same options.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_write_options_set_timeout_ms(
    options: *mut feast_write_options_t,
    timeout_ms: i64,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(options, err, |options| {
            options.timeout = Some(guard::milliseconds(timeout_ms, "timeout_ms")?);
            Ok(())
        })
    }
}
