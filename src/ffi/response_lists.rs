//! The columns of lists of a `feast_response_t`.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::response::{feast_response_t, of_another_type, read};
use crate::columns::{Element, Items, Type};

/// The items of a column of lists. Row i is the list of the items offsets[i] up to offsets[i + 1]; a null row has no
/// items. What items points to is by the column's type: uint8_t for BOOL_LIST, int32_t for INT32_LIST, float for
/// FLOAT_LIST, double for DOUBLE_LIST, int64_t for INT64_LIST and UNIX_TIMESTAMP_LIST; NULL for NULL_LIST. For lists
/// of text or bytes items are int64_t offsets into the data of feast_response_column_list_data(): item k is
/// data[items[k]] up to data[items[k + 1]].
///
/// @param response  in; borrowed for the call.
/// @param column    in, from 0.
/// @param offsets   out, set to NULL first, rows + 1 offsets, the first 0; borrowed until response is freed.
/// @param items     out, set to NULL first, offsets[rows] items (offsets into data: one more), 0 where null;
///                  borrowed until response is freed.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL or if there is no such column; FEAST_WRONG_TYPE if it is not one of
///         lists.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_list(
    response: *const feast_response_t,
    column: usize,
    offsets: *mut *const i64,
    items: *mut *const c_void,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let offsets = guard::output(offsets, ptr::null(), "offsets");
            let items = guard::output(items, ptr::null(), "items")?;
            let offsets = offsets?;
            let response = &guard::object(response, "response")?.response;
            let found = match response.column_type(column) {
                Some(Type::NULL) => {
                    Some((response.list_offsets_as(column, Type::list_of(Element::Int64))?, Items::Null))
                }
                _ => response.list_offsets(column).zip(response.items(column)),
            };
            let Some((found_offsets, found)) = found else {
                return Err(of_another_type(response, column, "a type of lists"));
            };
            *offsets = found_offsets.as_ptr();
            *items = match found {
                Items::Null => ptr::null(),
                Items::Bool(values) => values.as_ptr().cast(),
                Items::Int32(values) => values.as_ptr().cast(),
                Items::Int64(values) => values.as_ptr().cast(),
                Items::Float(values) => values.as_ptr().cast(),
                Items::Double(values) => values.as_ptr().cast(),
                Items::Text(offsets, _) => offsets.as_ptr().cast(),
            };
            Ok(())
        })
    }
}

/// The text or bytes of a column of lists of them; see feast_response_column_list().
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return UTF-8 (or any bytes for BYTES_LIST), borrowed until response is freed; NULL for a column of another type.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_list_data(
    response: *const feast_response_t,
    column: usize,
) -> *const c_char {
    // SAFETY: the header asks for NULL or a live response.
    unsafe {
        read(response, ptr::null(), |response| {
            response.list_offsets(column)?;
            match response.items(column)? {
                Items::Text(_, data) => Some(data.as_ptr().cast()),
                _ => None,
            }
        })
    }
}

/// Which items of a column of lists have a value, as Arrow's validity bitmap over all the items: bit k % 8 (from the
/// lowest) of byte k / 8 is 1 for a value and 0 for a null.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param column    in, from 0.
/// @return (items + 7) / 8 bytes, borrowed until response is freed; NULL if there are no nulls among the items, or
///         no such column of lists.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_column_list_validity(
    response: *const feast_response_t,
    column: usize,
) -> *const u8 {
    // SAFETY: the header asks for NULL or a live response.
    unsafe { read(response, ptr::null(), |response| Some(response.item_validity(column)?.as_ptr())) }
}
