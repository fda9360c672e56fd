//! What every entry point goes through: the panic guard, the NULL policy, outputs all or nothing.

use std::ffi::{CStr, c_char, c_int};
use std::time::{Duration, Instant};

use super::error::{FEAST_OK, feast_error_t, feast_status_t};
use super::object::{self, Kind};
use crate::error::{Error, Result};
use crate::process::panics::{contained, fault_point};

unsafe extern "C" {
    fn fegetround() -> c_int;
    fn fesetround(mode: c_int) -> c_int;
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// Of pthread.h, on every Linux.
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// While it lives pthread_cancel waits: glibc would unwind a thread that waits in here through frames of Rust, which ends
/// the process.
pub struct Uncancelled {
    before: c_int,
}

impl Uncancelled {
    /// From now on, on this thread.
    pub fn now() -> Uncancelled {
        let mut before = 0;
        // SAFETY: this thread's own state, which is put back.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut before) };
        Uncancelled { before }
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        // SAFETY: the state that this thread had.
        unsafe { pthread_setcancelstate(self.before, std::ptr::null_mut()) };
    }
}

/// FE_TONEAREST of fenv.h, on every Linux.
const TO_NEAREST: c_int = 0;

/// While it lives numbers are rounded to the nearest, as reading them exactly takes; then again as the host rounds.
pub struct RoundedToNearest {
    hosts: c_int,
}

impl RoundedToNearest {
    /// From now on, on this thread.
    pub fn now() -> RoundedToNearest {
        // SAFETY: this thread's own mode, which is put back.
        unsafe {
            let hosts = fegetround();
            if hosts != TO_NEAREST {
                fesetround(TO_NEAREST);
            }
            RoundedToNearest { hosts }
        }
    }
}

impl Drop for RoundedToNearest {
    fn drop(&mut self) {
        if self.hosts != TO_NEAREST {
            // SAFETY: the mode that this thread had.
            unsafe { fesetround(self.hosts) };
        }
    }
}

/// The body of an entry point that returns a status. `err` is touched only on failure.
///
/// # Safety
/// `err` is NULL or writable.
pub unsafe fn status(err: *mut *mut feast_error_t, body: impl FnOnce() -> Result<()>) -> feast_status_t {
    let _uncancelled = Uncancelled::now();
    let _rounded = RoundedToNearest::now();
    let body = || {
        fault_point();
        body()
    };
    match contained(body) {
        Ok(()) => FEAST_OK,
        Err(error) => {
            let code = error.code as feast_status_t;
            if !err.is_null() {
                // SAFETY: writable, as promised by the caller.
                unsafe { *err = feast_error_t::boxed(error) };
            }
            code
        }
    }
}

/// The body of an entry point that returns a value; `neutral` on NULL, on absence and on panic. Where it may wait or
/// write it needs an [`Uncancelled`] too.
pub fn value<T>(neutral: T, body: impl FnOnce() -> Option<T>) -> T {
    let body = || {
        fault_point();
        Ok(body())
    };
    contained(body).ok().flatten().unwrap_or(neutral)
}

/// An object of ours, borrowed for the call.
///
/// # Safety
/// `object` is NULL or came from this library and has not been freed.
pub unsafe fn object<'a, T: Kind>(object: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: as promised by the caller.
    unsafe { object::borrow(object) }.ok_or_else(|| is_unusable(object, name))
}

/// An object of ours, to be changed.
///
/// # Safety
/// As for [`object`], and no other thread uses it.
pub unsafe fn object_mut<'a, T: Kind>(object: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: as promised by the caller.
    unsafe { object::borrow_mut(object) }.ok_or_else(|| is_unusable(object, name))
}

/// An output, set to NULL or zero before anything else happens.
///
/// # Safety
/// `out` is NULL or writable.
pub unsafe fn output<'a, T>(out: *mut T, neutral: T, name: &str) -> Result<&'a mut T> {
    if out.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: not NULL, writable as promised; `write` because the caller may not have initialised it.
    unsafe {
        out.write(neutral);
        Ok(&mut *out)
    }
}

/// An output that may be NULL: set to NULL before the body runs, and to what `give` makes of its value.
///
/// # Safety
/// `out` is NULL or writable.
pub unsafe fn optional_output<T, V>(
    out: *mut *mut T,
    give: impl FnOnce(V) -> *mut T,
    body: impl FnOnce() -> Result<V>,
) -> Result<()> {
    if out.is_null() {
        return body().map(drop);
    }
    // SAFETY: not NULL, writable as promised; `write` because the caller may not have initialised it.
    unsafe {
        out.write(std::ptr::null_mut());
        out.write(give(body()?));
    }
    Ok(())
}

/// A NUL-terminated UTF-8 string.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and lives for the call.
pub unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: NUL-terminated, as promised by the caller.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    utf8(bytes, name)
}

/// Bytes as text.
pub fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|error| Error::argument(format!("{name}: not UTF-8 at byte {}", error.valid_up_to())))
}

/// An array; `(NULL, 0)` is an empty one.
///
/// # Safety
/// `values` points to `count` readable values that live for the call, or is NULL.
pub unsafe fn array<'a, T>(values: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if values.is_null() {
        return Err(is_null(name));
    }
    if count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::argument(format!("{name}: {count} values cannot be in memory")));
    }
    if !values.is_aligned() {
        return Err(Error::argument(format!("{name}: the pointer is not aligned for its type")));
    }
    // SAFETY: not NULL, aligned, in bounds as promised by the caller.
    Ok(unsafe { std::slice::from_raw_parts(values, count) })
}

/// A string of an array, or why it is none.
pub type StringOf<'a> = std::result::Result<&'a str, &'static str>;

/// An array of strings, each of a length in bytes, or NUL-terminated where `lengths` is NULL. `None` for a NULL, whose length is
/// not looked at.
///
/// # Safety
/// `values` and `lengths` are as for [`array`], and each string has as many readable bytes, or its NUL.
pub unsafe fn strings<'a>(
    values: *const *const c_char,
    lengths: *const usize,
    count: usize,
) -> Result<impl ExactSizeIterator<Item = Option<StringOf<'a>>>> {
    // SAFETY: promised by the caller.
    let (values, lengths) = unsafe {
        let values = array(values, count, "values")?;
        (values, if lengths.is_null() { None } else { Some(array(lengths, count, "lengths")?) })
    };
    Ok(values.iter().enumerate().map(move |(at, &value)| {
        if value.is_null() {
            return None;
        }
        let bytes = match lengths.map(|lengths| lengths[at]) {
            // SAFETY: promised by the caller.
            None => unsafe { CStr::from_ptr(value) }.to_bytes(),
            Some(length) if length > isize::MAX as usize => {
                return Some(Err("the length cannot be in memory"));
            }
            // SAFETY: promised by the caller.
            Some(length) => unsafe { std::slice::from_raw_parts(value.cast::<u8>(), length) },
        };
        Some(std::str::from_utf8(bytes).map_err(|_| "not UTF-8"))
    }))
}

fn is_unusable<T>(object: *const T, name: &str) -> Error {
    if object.is_null() {
        return is_null(name);
    }
    Error::argument(format!("{name}: no such object, or one that was freed"))
}

fn is_null(name: &str) -> Error {
    Error::argument(format!("{name} is NULL"))
}

/// A moment that C gives in nanoseconds of CLOCK_MONOTONIC; what is past is now, `None` if it lies beyond what can be told.
pub fn moment(monotonic_ns: i64) -> Option<Instant> {
    // In this order: the time between the two must not make the moment later.
    let (now, mut clock) = (Instant::now(), libc::timespec { tv_sec: 0, tv_nsec: 0 });
    // SAFETY: a local of the right type.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut clock) };
    let clock = i128::from(clock.tv_sec) * 1_000_000_000 + i128::from(clock.tv_nsec);
    let left = u64::try_from((i128::from(monotonic_ns) - clock).max(0)).ok()?;
    now.checked_add(Duration::from_nanos(left))
}

/// Milliseconds from C.
pub fn milliseconds(milliseconds: i64, name: &str) -> Result<Duration> {
    u64::try_from(milliseconds)
        .map(Duration::from_millis)
        .map_err(|_| Error::argument(format!("{name}: {milliseconds} is negative")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_panic_becomes_an_error_and_the_next_call_works() {
        let mut err = std::ptr::null_mut();
        // SAFETY: `err` is a local.
        let code = unsafe { status(&mut err, || panic!("row {} is odd", 3)) };
        assert_eq!(code, Code::Panic as i32);
        // SAFETY: set by the call above, freed once.
        let error = unsafe { object::take(err) }.unwrap();
        assert_eq!(error.error().message, "a bug in libfeast_remote: row 3 is odd");
        assert_eq!(value(7, || -> Option<i32> { panic!("again") }), 7);
        assert_eq!(value(7, || Some(8)), 8);
    }

    #[test]
    fn misaligned_and_impossible_arrays_are_refused() {
        let bytes = [0u8; 64];
        let odd = bytes.as_ptr().wrapping_add(usize::from(bytes.as_ptr().align_offset(8) == 0));
        // SAFETY: refused before anything is read.
        unsafe {
            assert!(array::<i64>(odd.cast(), 1, "values").is_err());
            assert!(array::<i64>(std::ptr::dangling(), usize::MAX, "values").is_err());
            assert!(array::<i64>(std::ptr::null(), 1, "values").is_err());
            assert_eq!(array::<i64>(std::ptr::null(), 0, "values").unwrap(), [0i64; 0]);
        }
    }
}
