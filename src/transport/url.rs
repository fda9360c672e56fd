//! A URL that libcurl takes apart once, and not for each request (curl/docs/libcurl/opts/CURLOPT_CURLU.md).

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

use super::sys::{CURL, CURLOPTTYPE_OBJECTPOINT, CURLcode, CURLoption, curl_easy_setopt};
use crate::error::{Code, Error, Result};

// From curl/include/curl/urlapi.h and curl.h.
const CURLUE_OK: c_int = 0;
const CURLUE_BAD_HANDLE: c_int = 1;
const CURLUE_OUT_OF_MEMORY: c_int = 7;
const CURLUPART_URL: c_int = 0;
const CURLU_NON_SUPPORT_SCHEME: c_uint = 1 << 3;
const CURLU_GUESS_SCHEME: c_uint = 1 << 9;
const CURLOPT_CURLU: CURLoption = CURLOPTTYPE_OBJECTPOINT + 282;

unsafe extern "C" {
    fn curl_url() -> *mut c_void;
    fn curl_url_cleanup(url: *mut c_void);
    fn curl_url_set(url: *mut c_void, part: c_int, value: *const c_char, flags: c_uint) -> c_int;
    fn curl_url_strerror(code: c_int) -> *const c_char;
}

/// Text for libcurl.
pub fn c_text(text: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(text).map_err(|_| Error::config("a value contains a NUL"))
}

/// See the module.
pub struct Url(*mut c_void);

impl Url {
    /// Takes a server's URL apart.
    pub fn parse(text: &CStr) -> Result<Url> {
        Url::parse_as(text, 0)
    }

    /// Says what is wrong with a proxy's URL, as libcurl will read it (parse_proxy in curl/lib/proxy.c).
    pub fn check_proxy(text: &CStr) -> Result<()> {
        Url::parse_as(text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME).map(drop)
    }

    fn parse_as(text: &CStr, flags: c_uint) -> Result<Url> {
        // SAFETY: no arguments; `drop` copes with NULL.
        let url = Url(unsafe { curl_url() });
        // SAFETY: libcurl copies the text, and refuses a NULL handle.
        let code = unsafe { curl_url_set(url.0, CURLUPART_URL, text.as_ptr(), flags) };
        match code {
            CURLUE_OK => Ok(url),
            CURLUE_BAD_HANDLE | CURLUE_OUT_OF_MEMORY => Err(Error::new(Code::Internal, "out of memory")),
            _ => {
                // SAFETY: libcurl returns a static string for any code.
                let words = unsafe { CStr::from_ptr(curl_url_strerror(code)) }.to_string_lossy();
                Err(Error::config(format!("libcurl cannot use this URL: {words}")))
            }
        }
    }

    /// Has a handle use it.
    ///
    /// # Safety
    /// `easy` is live and runs no transfer; this value outlives it.
    pub unsafe fn set(&self, easy: *mut CURL) -> CURLcode {
        // SAFETY: promised by the caller.
        unsafe { curl_easy_setopt(easy, CURLOPT_CURLU, self.0) }
    }
}

impl Drop for Url {
    fn drop(&mut self) {
        // SAFETY: made by `parse`, freed once; libcurl ignores NULL.
        unsafe { curl_url_cleanup(self.0) };
    }
}
