//! The columns of lists of a `feast_frame_t`.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::frame::{change, feast_frame_t, nulls};
use super::guard;
use crate::error::{Error, Result};
use crate::wire::write::{Items, Lists, Nulls, Texts, Values};

/// Where each list ends, and how many items there are, of `n + 1` offsets.
///
/// # Safety
/// `offsets` is NULL or has `n + 1` readable values.
unsafe fn list_ends(offsets: *const i64, n: usize) -> Result<(Vec<usize>, usize)> {
    let count = n.checked_add(1).ok_or_else(|| Error::argument(format!("{n} rows cannot be in memory")))?;
    // SAFETY: promised by the caller.
    let offsets = unsafe { guard::array(offsets, count, "offsets") }?;
    if let Some(row) = (0..n).find(|&row| offsets[row] > offsets[row + 1]) {
        return Err(Error::argument(format!("offsets: row {row} ends before it begins")));
    }
    if offsets[0] != 0 {
        return Err(Error::argument(format!("offsets begin with {}, not 0", offsets[0])));
    }
    Ok((offsets[1..].iter().map(|&end| end as usize).collect(), offsets[n] as usize))
}

/// The lists of a column, one a row, from C's arrays of offsets and items.
///
/// # Safety
/// `offsets` is as for [`list_ends`], `values` has as many items as these say, `validity` is as for [`nulls`].
unsafe fn lists<T>(
    offsets: *const i64,
    values: *const T,
    validity: *const u8,
    n: usize,
    items: impl FnOnce(&[T]) -> Items,
) -> Result<(Values, Nulls)> {
    // SAFETY: promised by the caller.
    unsafe {
        let (ends, count) = list_ends(offsets, n)?;
        let items = items(guard::array(values, count, "values")?);
        Ok((Values::Lists(Lists { ends, items }), nulls(validity, n)?))
    }
}

/// Adds a column of lists of integers of 64 bits.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
///                  borrowed for the call.
/// @param values    in, offsets[n] items; copied. May be NULL if there are none.
/// @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_int64_list(
    frame: *mut feast_frame_t,
    name: *const c_char,
    offsets: *const i64,
    values: *const i64,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        let integers = |values: &[i64]| Items::Int(values.to_vec());
        change(frame, name, err, || lists(offsets, values, validity, n, integers))
    }
}

/// Adds a column of lists of numbers of 32 bits; NaN and infinities are refused.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
///                  borrowed for the call.
/// @param values    in, offsets[n] items; copied. May be NULL if there are none.
/// @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_float_list(
    frame: *mut feast_frame_t,
    name: *const c_char,
    offsets: *const i64,
    values: *const f32,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        let reals = |values: &[f32]| Items::Real(values.iter().map(|&value| value.into()).collect());
        change(frame, name, err, || lists(offsets, values, validity, n, reals))
    }
}

/// Adds a column of lists of numbers of 64 bits; NaN and infinities are refused.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
///                  borrowed for the call.
/// @param values    in, offsets[n] items; copied. May be NULL if there are none.
/// @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_double_list(
    frame: *mut feast_frame_t,
    name: *const c_char,
    offsets: *const i64,
    values: *const f64,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        let reals = |values: &[f64]| Items::Real(values.to_vec());
        change(frame, name, err, || lists(offsets, values, validity, n, reals))
    }
}

/// Adds a column of lists of strings, each NUL-terminated UTF-8.
///
/// @param frame     in; changed.
/// @param name      in, NUL-terminated UTF-8; copied.
/// @param offsets   in, n + 1 offsets, ascending from 0: row i is the list of values[offsets[i]] up to values[offsets[i + 1]];
///                  borrowed for the call.
/// @param values    in, offsets[n] items; copied. May be NULL if there are none.
/// @param validity  in, may be NULL if every row has a list; (n + 7) / 8 bytes as in feast_frame_set_int64(); borrowed for the call.
/// @param n         in, number of rows.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, a bad name, one that the frame has already, or offsets that descend.
/// Thread safety: one thread at a time on one frame.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_set_string_list(
    frame: *mut feast_frame_t,
    name: *const c_char,
    offsets: *const i64,
    values: *const *const c_char,
    validity: *const u8,
    n: usize,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        change(frame, name, err, || {
            let (ends, count) = list_ends(offsets, n)?;
            let mut texts = Texts::default();
            for (item, string) in guard::strings(values, ptr::null(), count)?.enumerate() {
                let text = string.unwrap_or(Err("the string is NULL"));
                texts.push(text.map_err(|why| Error::argument(format!("item {item}: {why}")))?);
            }
            Ok((Values::Lists(Lists { ends, items: Items::Text(texts) }), nulls(validity, n)?))
        })
    }
}
