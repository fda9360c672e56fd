//! Columns of lists by name, as the type that is asked for.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::get_values::{named, odd_items, tell_validity};
use super::guard;
use super::response::feast_response_t;
use crate::columns::{Element, FixedWidth, Items, Type};
use crate::error::Result;

/// # Safety
/// `offsets` and `items` are NULL or writable, the others are as for [`named`].
unsafe fn give_lists<T: FixedWidth>(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    items: *mut *const T,
    validity: *mut *const u8,
) -> Result<()> {
    // SAFETY: promised by the caller.
    unsafe {
        let offsets = guard::output(offsets, ptr::null(), "offsets");
        let items = guard::output(items, ptr::null(), "items");
        let (response, column) = named(response, name, validity)?;
        let (offsets, items) = (offsets?, items?);
        let lists = Type::list_of(T::ELEMENT);
        *items = T::slice(response.items_as(column, lists)?).ok_or_else(odd_items)?.as_ptr();
        *offsets = response.list_offsets_as(column, lists)?.as_ptr();
        tell_validity(response, column, validity);
        Ok(())
    }
}

/// The lists of the column with this name, of booleans,
/// converted as by feast_response_get_bool(). Row i is the list of the
/// items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
/// feast_response_column_list_validity(). A column without any value is all empty lists.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
/// @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_get_bool().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_bool_list(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    items: *mut *const u8,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_lists(response, name, offsets, items, validity)) }
}

/// The lists of the column with this name, of integers of 32 bits,
/// converted as by feast_response_get_int32(). Row i is the list of the
/// items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
/// feast_response_column_list_validity(). A column without any value is all empty lists.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
/// @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_get_int32().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_int32_list(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    items: *mut *const i32,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_lists(response, name, offsets, items, validity)) }
}

/// The lists of the column with this name, of integers of 64 bits,
/// converted as by feast_response_get_int64(). Row i is the list of the
/// items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
/// feast_response_column_list_validity(). A column without any value is all empty lists.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
/// @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_get_int64().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_int64_list(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    items: *mut *const i64,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_lists(response, name, offsets, items, validity)) }
}

/// The lists of the column with this name, of numbers of 32 bits,
/// converted as by feast_response_get_float(). Row i is the list of the
/// items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
/// feast_response_column_list_validity(). A column without any value is all empty lists.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
/// @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_get_float().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_float_list(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    items: *mut *const f32,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_lists(response, name, offsets, items, validity)) }
}

/// The lists of the column with this name, of numbers of 64 bits,
/// converted as by feast_response_get_double(). Row i is the list of the
/// items offsets[i] up to offsets[i + 1]; a null row has none. Nulls among the items are 0, and told by
/// feast_response_column_list_validity(). A column without any value is all empty lists.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets into items; borrowed until response is freed.
/// @param items     out, set to NULL first, offsets[rows] items; borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_get_double().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_double_list(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    items: *mut *const f64,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe { guard::status(err, || give_lists(response, name, offsets, items, validity)) }
}

/// The lists of text or bytes of the column with this name. Row i is the list of the texts offsets[i] up to offsets[i + 1], and
/// text k is data[ends[k]] up to data[ends[k + 1]]. A column without any value is all empty lists.
///
/// @param response  in; borrowed for the call.
/// @param name      in, the column's name, NUL-terminated UTF-8; borrowed for the call.
/// @param offsets   out, set to NULL first, rows + 1 offsets; borrowed until response is freed.
/// @param ends      out, set to NULL first, offsets[rows] + 1 offsets into data; borrowed until response is freed.
/// @param data      out, set to NULL first, UTF-8 (or any bytes for BYTES_LIST); borrowed until response is freed.
/// @param validity  out, may be NULL, set to NULL first: which rows have a list, as feast_response_column_validity();
///                  NULL if all do; borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_get_string().
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_get_string_list(
    response: *const feast_response_t,
    name: *const c_char,
    offsets: *mut *const i64,
    ends: *mut *const i64,
    data: *mut *const c_char,
    validity: *mut *const u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let offsets = guard::output(offsets, ptr::null(), "offsets");
            let ends = guard::output(ends, ptr::null(), "ends");
            let data = guard::output(data, ptr::null(), "data");
            let (response, column) = named(response, name, validity)?;
            let (offsets, ends, data) = (offsets?, ends?, data?);
            let lists = Type::list_of(Element::String);
            let Items::Text(found, text) = response.items_as(column, lists)? else {
                return Err(odd_items());
            };
            *offsets = response.list_offsets_as(column, lists)?.as_ptr();
            *ends = found.as_ptr();
            *data = text.as_ptr().cast();
            tell_validity(response, column, validity);
            Ok(())
        })
    }
}
