//! `feast_frame_t`: rows to be written.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use super::error::{feast_error_t, feast_status_t};
use super::{guard, object};
use crate::error::{Error, Result};
use crate::wire::write::{Frame, Items, Nulls, Texts, Values};

/// Rows to be written to a feature server: columns of equal length, each with a name: the join keys, the features, and the
/// event timestamps. Opaque; free with feast_frame_free(). May be used for any number of writes, by several threads at once
/// while nobody changes it.
pub struct feast_frame_t {
    pub(super) frame: Arc<Frame>,
}

/// Makes an empty frame.
///
/// @return a frame to free with feast_frame_free().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub extern "C" fn feast_frame_new() -> *mut feast_frame_t {
    guard::value(ptr::null_mut(), || Some(object::give(feast_frame_t { frame: Arc::default() })))
}

/// Frees a frame. Writes under way are not touched.
///
/// @param frame  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_free(frame: *mut feast_frame_t) {
    // SAFETY: made by `feast_frame_new` or imported, and freed once as the header asks.
    guard::value((), || unsafe { object::take(frame) }.map(drop));
}

/// The number of rows: those of the first column.
///
/// @param frame  in, may be NULL; borrowed for the call.
/// @return rows; 0 for NULL.
/// Thread safety: any thread, if no other one changes frame meanwhile.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_num_rows(frame: *const feast_frame_t) -> usize {
    // SAFETY: the header asks for NULL or a live frame.
    guard::value(0, || Some(unsafe { object::borrow(frame) }?.frame.rows()))
}

/// Adds a column to a frame.
///
/// # Safety
/// As for `guard::status`, `guard::object_mut` and `guard::text`.
pub(super) unsafe fn change(
    frame: *mut feast_frame_t,
    name: *const c_char,
    err: *mut *mut feast_error_t,
    column: impl FnOnce() -> Result<(Values, Nulls)>,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe {
        guard::status(err, || {
            let frame = &mut guard::object_mut(frame, "frame")?.frame;
            let name = guard::text(name, "name")?;
            let (values, nulls) = column()?;
            // A write that is under way keeps what it was given.
            Arc::make_mut(frame).add(name, values, nulls)
        })
    }
}

/// The rows without a value, from Arrow's bitmap of those that have one.
///
/// # Safety
/// `validity` is NULL or has `(n + 7) / 8` readable bytes.
pub(super) unsafe fn nulls(validity: *const u8, n: usize) -> Result<Nulls> {
    if validity.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    let bits = unsafe { guard::array(validity, n.div_ceil(8), "validity") }?;
    let nulls: Vec<bool> = (0..n).map(|row| bits[row / 8] >> (row % 8) & 1 == 0).collect();
    Ok(nulls.contains(&true).then_some(nulls))
}

/// The values of a column, one a row, from C's array of them.
///
/// # Safety
/// `values` is as for `guard::array`, `validity` as for [`nulls`].
unsafe fn single<T>(
    values: *const T,
    validity: *const u8,
    n: usize,
    items: impl FnOnce(&[T]) -> Items,
) -> Result<(Values, Nulls)> {
    // SAFETY: promised by the caller.
    unsafe { Ok((Values::Single(items(guard::array(values, n, "values")?)), nulls(validity, n)?)) }
}

/// Adds a column of integers of 32 bits.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param values    in, n values, one a row; copied. May be NULL if n is 0.
/// @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
///                  for a value and 0 for a null; borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_int32(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const i32,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        let integers = |values: &[i32]| Items::Int(values.iter().map(|&value| value.into()).collect());
        change(frame, name, err, || single(values, validity, n, integers))
    }
}

/// Adds a column of integers of 64 bits.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param values    in, n values, one a row; copied. May be NULL if n is 0.
/// @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
///                  for a value and 0 for a null; borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_int64(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const i64,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(frame, name, err, || single(values, validity, n, |values| Items::Int(values.to_vec()))) }
}

/// Adds a column of numbers of 32 bits. NaN and infinities, which JSON cannot
/// write, are refused; a missing value is a null.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param values    in, n values, one a row; copied. May be NULL if n is 0.
/// @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
///                  for a value and 0 for a null; borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_float(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const f32,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        let reals = |values: &[f32]| Items::Real(values.iter().map(|&value| value.into()).collect());
        change(frame, name, err, || single(values, validity, n, reals))
    }
}

/// Adds a column of numbers of 64 bits. NaN and infinities, which JSON cannot
/// write, are refused; a missing value is a null.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param values    in, n values, one a row; copied. May be NULL if n is 0.
/// @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
///                  for a value and 0 for a null; borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_double(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const f64,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { change(frame, name, err, || single(values, validity, n, |values| Items::Real(values.to_vec()))) }
}

/// Adds a column of booleans.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param values    in, n values, one a row; copied. May be NULL if n is 0.
/// @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
///                  for a value and 0 for a null; borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_bool(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const bool,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        // Read as bytes: a C program may have put another number than 0 and 1 there.
        let booleans = |bytes: &[u8]| Items::Bool(bytes.iter().map(|&byte| byte != 0).collect());
        change(frame, name, err, || single(values.cast(), validity, n, booleans))
    }
}

/// Adds a column of moments in nanoseconds since 1970-01-01 UTC.
/// Event timestamps go out as RFC 3339 text, to the microsecond; values of features as whole seconds, since Feast's timestamps
/// have no more: a write refuses what has a fraction beyond that.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param values    in, n values, one a row; copied. May be NULL if n is 0.
/// @param validity  in, may be NULL if every row has a value; (n + 7) / 8 bytes: bit i % 8 (from the lowest) of byte i / 8 is 1
///                  for a value and 0 for a null; borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, or one that the frame has already.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_timestamp_ns(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const i64,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(frame, name, err, || single(values, validity, n, |values| Items::Timestamp(values.to_vec())))
    }
}

/// Adds a column of strings.
///
/// @param frame    in; changed.
/// @param name     in, NUL-terminated UTF-8; copied.
/// @param values   in, n strings of UTF-8, one a row, NULL for a null; copied. May be NULL if n is 0.
/// @param lengths  in, n lengths in bytes, or NULL if the strings are NUL-terminated; borrowed for the call.
/// @param n        in, number of rows.
/// @param err      out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or a string that is not
///         UTF-8.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_string(
    frame: *mut feast_frame_t,
    name: *const c_char,
    values: *const *const c_char,
    lengths: *const usize,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(frame, name, err, || {
            let mut texts = Texts::default();
            let mut nulls = Vec::new();
            for (row, string) in guard::strings(values, lengths, n)?.enumerate() {
                nulls.push(string.is_none());
                let text = string.unwrap_or(Ok(""));
                texts.push(text.map_err(|why| Error::argument(format!("row {row}: {why}")))?);
            }
            Ok((Values::Single(Items::Text(texts)), nulls.contains(&true).then_some(nulls)))
        })
    }
}

/// Adds a column by a JSON array of anything, one element a row: maps, lists of lists, nulls.
///
/// @param frame       in; changed.
/// @param name        in, NUL-terminated UTF-8; copied.
/// @param json_array  in, NUL-terminated UTF-8; copied. Python's NaN and Infinity are no JSON.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or what is no JSON array.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_json(
    frame: *mut feast_frame_t,
    name: *const c_char,
    json_array: *const c_char,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let frame = &mut guard::object_mut(frame, "frame")?.frame;
            let name = guard::text(name, "name")?;
            Arc::make_mut(frame).add_json(name, guard::text(json_array, "json_array")?)
        })
    }
}
