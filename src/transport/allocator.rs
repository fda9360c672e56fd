//! libcurl's and OpenSSL's allocations, counted, and failing where a test wants it. Only with the feature
//! `fault-injection`.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, Ordering};

use curl_sys::{CURL_GLOBAL_DEFAULT, CURLcode};

static LEFT: AtomicI64 = AtomicI64::new(-1);
static LIVE: AtomicI64 = AtomicI64::new(0);

unsafe extern "C" {
    fn curl_global_init_mem(
        flags: std::ffi::c_long,
        malloc: extern "C" fn(usize) -> *mut c_void,
        free: extern "C" fn(*mut c_void),
        realloc: extern "C" fn(*mut c_void, usize) -> *mut c_void,
        strdup: extern "C" fn(*const c_char) -> *mut c_char,
        calloc: extern "C" fn(usize, usize) -> *mut c_void,
    ) -> CURLcode;
    fn CRYPTO_set_mem_functions(
        malloc: extern "C" fn(usize, *const c_char, c_int) -> *mut c_void,
        realloc: extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void,
        free: extern "C" fn(*mut c_void, *const c_char, c_int),
    ) -> c_int;
}

/// The `k`-th allocation from now on fails, from 0.
pub fn fail_at(k: i64) {
    LEFT.store(k, Ordering::SeqCst);
}

/// None fails from now on. Whether one has.
pub fn disarm() -> bool {
    LEFT.swap(-1, Ordering::SeqCst) < 0
}

/// Allocations that have not been freed.
pub fn live() -> i64 {
    LIVE.load(Ordering::SeqCst)
}

/// # Safety
/// Once, before any other function of OpenSSL.
pub unsafe fn start_openssl() {
    // SAFETY: promised by the caller; the functions below keep malloc's contract.
    unsafe { CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) };
}

/// In place of `curl_global_init`.
///
/// # Safety
/// Once, before any other function of libcurl.
pub unsafe fn start_libcurl() -> CURLcode {
    // SAFETY: promised by the caller; the functions below keep malloc's contract.
    unsafe { curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free, realloc, strdup, calloc) }
}

fn fails() -> bool {
    let step = |left: i64| (left >= 0).then(|| left - 1);
    LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step) == Ok(0)
}

fn counted(pointer: *mut c_void) -> *mut c_void {
    LIVE.fetch_add(i64::from(!pointer.is_null()), Ordering::SeqCst);
    pointer
}

extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    if fails() { std::ptr::null_mut() } else { counted(unsafe { libc::malloc(size) }) }
}

extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    if fails() { std::ptr::null_mut() } else { counted(unsafe { libc::calloc(count, size) }) }
}

extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
    if size == 0 && !pointer.is_null() {
        free(pointer);
        return std::ptr::null_mut();
    }
    if fails() {
        return std::ptr::null_mut();
    }
    // SAFETY: the pointer came from one of these functions, or is NULL.
    let moved = unsafe { libc::realloc(pointer, size) };
    if pointer.is_null() { counted(moved) } else { moved }
}

extern "C" fn strdup(text: *const c_char) -> *mut c_char {
    // SAFETY: libcurl passes NUL-terminated text.
    if fails() { std::ptr::null_mut() } else { counted(unsafe { libc::strdup(text) }.cast()).cast() }
}

extern "C" fn free(pointer: *mut c_void) {
    LIVE.fetch_sub(i64::from(!pointer.is_null()), Ordering::SeqCst);
    // SAFETY: the pointer came from one of these functions, or is NULL.
    unsafe { libc::free(pointer) };
}

extern "C" fn crypto_malloc(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    malloc(size)
}

extern "C" fn crypto_realloc(pointer: *mut c_void, size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    realloc(pointer, size)
}

extern "C" fn crypto_free(pointer: *mut c_void, _: *const c_char, _: c_int) {
    free(pointer);
}
