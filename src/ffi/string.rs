//! Strings that are returned as the caller's own.

use std::ffi::c_char;
use std::ptr;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use crate::error::{Code, Error, Result};

/// Frees a string that this library returned as the caller's own.
///
/// @param string  in, may be NULL; transferred: it must not be used afterwards.
/// Thread safety: any thread, once for each string.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_string_free(string: *mut c_char) {
    guard::value((), || {
        // SAFETY: from `c_copy`, freed once as the header asks; free(NULL) does nothing.
        unsafe { libc::free(string.cast()) };
        Some(())
    });
}

/// The body of an entry point that returns text as the caller's own; the length is optional.
///
/// # Safety
/// `json`, `json_len` and `err` are NULL or writable.
pub(super) unsafe fn returned_string(
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut feast_error_t,
    make: impl FnOnce() -> Result<Vec<u8>>,
) -> feast_status_t {
    // SAFETY: promised by the caller.
    unsafe {
        guard::status(err, || {
            let mut ignored = 0;
            let json_len = if json_len.is_null() { &raw mut ignored } else { json_len };
            let length = guard::output(json_len, 0, "json_len")?;
            let out = guard::output(json, ptr::null_mut(), "json")?;
            let text = make()?;
            *out = c_copy(&text)?;
            *length = text.len();
            Ok(())
        })
    }
}

/// With malloc, because the text may contain NULs: its length cannot be found again when it is freed.
fn c_copy(text: &[u8]) -> Result<*mut c_char> {
    // SAFETY: text.len() + 1 bytes are allocated, checked, and written.
    unsafe {
        let copy = libc::malloc(text.len() + 1).cast::<u8>();
        if copy.is_null() {
            return Err(Error::new(Code::Internal, format!("no memory for {} bytes", text.len())));
        }
        ptr::copy_nonoverlapping(text.as_ptr(), copy, text.len());
        copy.add(text.len()).write(0);
        Ok(copy.cast())
    }
}
