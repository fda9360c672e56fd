//! Features into a matrix of the caller's.

use std::ffi::c_char;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::remote::{feast_remote_t, with_remote};
use super::request::feast_request_t;
use super::response::feast_response_t;
use crate::columns::{Dense, DenseLayout, Matrix, Number, Response};
use crate::error::{Error, Result};

/// Memory of the caller's. Not a slice: between the rows there may be memory that is nobody's business.
pub(super) struct CallersMatrix<T> {
    pub out: *mut T,
    pub statuses: *mut u8,
}

impl<T> Matrix<T> for CallersMatrix<T> {
    #[inline]
    fn put(&mut self, at: usize, value: T) {
        // SAFETY: the header asks for room for every row; `at` is within a row of the matrix, see `checked`.
        unsafe { self.out.add(at).write(value) }
    }

    #[inline]
    fn put_status(&mut self, at: usize, status: u8) {
        // SAFETY: as above; only called with statuses that are not NULL.
        unsafe { self.statuses.add(at).write(status) }
    }
}

/// The matrix, if its rows can be in memory at all.
fn checked<T>(out: *mut T, statuses: *mut u8, rows: usize, row_stride: usize) -> Result<CallersMatrix<T>> {
    if out.is_null() {
        return Err(Error::argument("out is NULL"));
    }
    if !out.is_aligned() {
        return Err(Error::argument("out: the pointer is not aligned for its type"));
    }
    let bytes = rows.checked_mul(row_stride).and_then(|values| values.checked_mul(size_of::<T>()));
    if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(Error::argument(format!(
            "{rows} rows with a row_stride of {row_stride} cannot be in memory"
        )));
    }
    Ok(CallersMatrix { out, statuses })
}

/// The columns with these names, or all features.
///
/// # Safety
/// `names` is NULL or points to `n` strings or NULLs.
pub(super) unsafe fn layout(
    response: &Response,
    names: *const *const c_char,
    n: usize,
) -> Result<DenseLayout> {
    if names.is_null() {
        return DenseLayout::new(response, response.num_entities()..response.num_columns());
    }
    // SAFETY: promised by the caller.
    let names = unsafe { guard::array(names, n, "names") }?;
    let mut columns = Vec::with_capacity(names.len());
    for (i, &name) in names.iter().enumerate() {
        // SAFETY: promised by the caller.
        let name = unsafe { guard::text(name, &format!("names[{i}]")) }?;
        let column = response.find_column(name.as_bytes());
        columns.push(column.ok_or_else(|| Error::argument(format!("the response has no column `{name}`")))?);
    }
    DenseLayout::new(response, columns.into_iter())
}

/// The body of feast_response_copy_f32() and its like.
///
/// # Safety
/// What the header asks for.
#[allow(clippy::too_many_arguments)] // C's
unsafe fn copy<T: Number>(
    response: *const feast_response_t,
    names: *const *const c_char,
    n: usize,
    out: *mut T,
    row_stride: usize,
    missing: T,
    statuses: *mut u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe {
        guard::status(err, || {
            let response = &guard::object(response, "response")?.response;
            let layout = layout(response, names, n)?;
            if layout.width() == 0 {
                return Ok(());
            }
            let mut matrix = checked(out, statuses, response.num_rows(), row_stride)?;
            Dense { out: &mut matrix, statuses: !statuses.is_null(), row_stride, missing }
                .fill(response, &layout)
        })
    }
}

/// How many columns a matrix of an answer's columns takes: one for each, and for lists as many as they have items.
///
/// @param response  in, may be NULL; borrowed for the call.
/// @param names     in, n names of columns, or NULL for all features; borrowed for the call.
/// @param n         in, number of names.
/// @return columns; 0 if they make no matrix, as feast_response_copy_f32() would say.
/// Thread safety: any thread.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_matrix_width(
    response: *const feast_response_t,
    names: *const *const c_char,
    n: usize,
) -> usize {
    guard::value(0, || {
        // SAFETY: the header asks for what each of these needs.
        unsafe {
            let response = &guard::object(response, "response").ok()?.response;
            Some(layout(response, names, n).ok()?.width())
        }
    })
}

/// Copies numbers into a row-major matrix of floats: row i of column j is out[i * row_stride + j]. The columns stand
/// in the order of names; one of lists takes as many as its lists have items, which must be the same number in
/// every row (a null takes missing for each). Booleans become 0 and 1; every number is rounded to the nearest float,
/// as numpy's astype(float32) does: for other integers than small ones use feast_response_copy_i64().
///
/// @param response    in; borrowed for the call.
/// @param names       in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
/// @param n           in, number of names; not used if names is NULL.
/// @param out         out, borrowed for the call; room for (rows - 1) * row_stride + columns floats; the gaps
///                    between rows are not touched.
/// @param row_stride  in, floats from one row to the next, at least the number of columns.
/// @param missing     in, what stands where there is no value, such as NAN or 0.
/// @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each float, at the
///                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
///                    there, out tells (missing), and why not, this.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, an unknown name or too small a stride; FEAST_WRONG_TYPE for a column
///         that holds no numbers, or lists of several lengths. Then what out holds is not specified.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_copy_f32(
    response: *const feast_response_t,
    names: *const *const c_char,
    n: usize,
    out: *mut f32,
    row_stride: usize,
    missing: f32,
    statuses: *mut u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what this needs.
    unsafe { copy(response, names, n, out, row_stride, missing, statuses, err) }
}

/// As feast_response_copy_f32(), with doubles. An INT64 that is not exactly a double is refused.
///
/// @param response    in; borrowed for the call.
/// @param names       in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
/// @param n           in, number of names; not used if names is NULL.
/// @param out         out, borrowed for the call; room for (rows - 1) * row_stride + columns doubles.
/// @param row_stride  in, doubles from one row to the next, at least the number of columns.
/// @param missing     in, what stands where there is no value.
/// @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each double, at the
///                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
///                    there, out tells (missing), and why not, this.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_copy_f32(); FEAST_WRONG_TYPE also for an integer that a double cannot hold.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_copy_f64(
    response: *const feast_response_t,
    names: *const *const c_char,
    n: usize,
    out: *mut f64,
    row_stride: usize,
    missing: f64,
    statuses: *mut u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what this needs.
    unsafe { copy(response, names, n, out, row_stride, missing, statuses, err) }
}

/// As feast_response_copy_f32(), with integers of 64 bits. A real number with a fraction, or beyond them, is refused.
///
/// @param response    in; borrowed for the call.
/// @param names       in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
/// @param n           in, number of names; not used if names is NULL.
/// @param out         out, borrowed for the call; room for (rows - 1) * row_stride + columns integers.
/// @param row_stride  in, integers from one row to the next, at least the number of columns.
/// @param missing     in, what stands where there is no value.
/// @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each integer, at the
///                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
///                    there, out tells (missing), and why not, this.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_copy_f32(); FEAST_WRONG_TYPE also for a number that is no integer of 64 bits.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_copy_i64(
    response: *const feast_response_t,
    names: *const *const c_char,
    n: usize,
    out: *mut i64,
    row_stride: usize,
    missing: i64,
    statuses: *mut u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what this needs.
    unsafe { copy(response, names, n, out, row_stride, missing, statuses, err) }
}

/// Fetches online features straight into a row-major matrix of floats: feast_get_online_features() and
/// feast_response_copy_f32() of all features in one, without a response in between. The features stand in the order
/// in which they were added (for a feature service, in the server's order). Unlike there, a feature whose values are
/// both booleans and numbers is accepted, or numbers and integers that are not exactly doubles, or nothing but the
/// words for NaN and infinity.
///
/// A list takes as many columns as it has items, and the server says how many that are: declare features that are lists
/// (FEAST_TYPE_FLOAT_LIST), so that a column of nulls is an error and not one column.
///
/// @param remote      in; borrowed for the call.
/// @param request     in; borrowed for the call, not changed.
/// @param out         out, borrowed for the call; room for rows * row_stride floats, where rows is the length of the
///                    request's entity columns. Only as many columns as the features take are written.
/// @param row_stride  in, floats from one row to the next, at least the number of columns.
/// @param missing     in, what stands where there is no value, such as NAN or 0.
/// @param statuses    out, may be NULL, borrowed for the call; a FEAST_FIELD_STATUS_ number for each float, at the
///                    same places as in out. Feast says PRESENT of a null that was written, too: whether a value is
///                    there, out tells (missing), and why not, this.
/// @param err         out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_get_online_features() and feast_response_copy_f32(). On an error what out holds is not specified.
/// Thread safety: any thread, as feast_get_online_features(); out and statuses are the caller's alone.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_get_online_features_into_f32(
    remote: *mut feast_remote_t,
    request: *const feast_request_t,
    out: *mut f32,
    row_stride: usize,
    missing: f32,
    statuses: *mut u8,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let request = &guard::object(request, "request")?.request;
            let mut matrix = checked(out, statuses, request.rows(), row_stride)?;
            let mut dense = Dense { out: &mut matrix, statuses: !statuses.is_null(), row_stride, missing };
            with_remote(remote, |remote| remote.get_online_features_into(request, &mut dense))
        })
    }
}
