//! What libcurl's callbacks write to during an attempt: the answer, and what it took.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::sys::*;

/// Of the body of a refusal about so much is kept.
const ERROR_KEPT: usize = 64 << 10;

/// See the module. Nobody else touches it while libcurl is at work on the transfer.
pub struct Receiver {
    easy: *mut CURL,
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// No answer may be longer.
    pub limit: usize,
    /// It was.
    pub too_large: bool,
    /// There was no memory for more of the body.
    pub no_memory: bool,
    /// The Retry-After header of the last response, the first if there are several.
    pub retry_after: Option<String>,
    /// The Location header of the last response.
    pub location: Option<String>,
    /// The last response's header says how its body ends; else it ends with the connection.
    pub has_length: bool,
    /// Between a status line and the end of the header.
    in_header: bool,
    /// Requests begun on a connection.
    pub wire_requests: u32,
    error: [c_char; CURL_ERROR_SIZE],
}

impl Receiver {
    /// For the attempts of this handle.
    pub fn new(easy: *mut CURL, limit: usize) -> Receiver {
        Receiver {
            easy,
            body: Vec::new(),
            limit,
            too_large: false,
            no_memory: false,
            retry_after: None,
            location: None,
            has_length: false,
            in_header: false,
            wire_requests: 0,
            error: [0; CURL_ERROR_SIZE],
        }
    }

    /// Has libcurl write to `receiver` from now on.
    ///
    /// # Safety
    /// `easy` is live, and `receiver` until it is freed.
    pub unsafe fn install(receiver: *mut Receiver, easy: *mut CURL) -> CURLcode {
        type OnData = extern "C" fn(*mut c_char, usize, usize, *mut c_void) -> usize;
        type OnRequest = extern "C" fn(*mut c_void, *mut c_char, *mut c_char, c_int, c_int) -> c_int;
        let data = receiver.cast::<c_void>();
        // SAFETY: each option is given the type that its manual page names.
        unsafe {
            let codes = [
                curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body as OnData),
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, data),
                curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header as OnData),
                curl_easy_setopt(easy, CURLOPT_HEADERDATA, data),
                curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request as OnRequest),
                curl_easy_setopt(easy, CURLOPT_PREREQDATA, data),
                curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, &raw mut (*receiver).error),
            ];
            codes.into_iter().find(|&code| code != CURLE_OK).unwrap_or(CURLE_OK)
        }
    }

    /// Forgets the last attempt, and receives into `body`.
    pub fn begin(&mut self, mut body: Vec<u8>) {
        body.clear();
        self.body = body;
        self.too_large = false;
        self.no_memory = false;
        self.retry_after = None;
        self.location = None;
        self.has_length = false;
        self.in_header = false;
        self.wire_requests = 0;
        self.error[0] = 0;
    }

    /// libcurl's words for what went wrong, empty if it found none.
    pub fn words(&self) -> String {
        // SAFETY: libcurl writes a NUL-terminated text, and `begin` put a NUL at the beginning.
        unsafe { CStr::from_ptr(self.error.as_ptr()) }.to_string_lossy().trim().to_owned()
    }

    /// The last response's header has not ended.
    pub fn is_in_header(&self) -> bool {
        self.in_header
    }

    /// One line of a response's header or of what came before or after it: informational responses and a proxy's,
    /// each with a status line of its own, and trailers, which have none.
    fn header_line(&mut self, line: &[u8]) {
        if line.starts_with(b"HTTP/") && self.body.is_empty() {
            self.in_header = true;
            self.retry_after = None;
            self.location = None;
            self.has_length = false;
        } else if line.starts_with(b"\r") || line.starts_with(b"\n") {
            self.in_header = false;
        } else if self.in_header
            && let Some(colon) = line.iter().position(|&byte| byte == b':')
        {
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            let text = || Some(String::from_utf8_lossy(value).trim().to_owned());
            match name.len() {
                8 if self.location.is_none() && name.eq_ignore_ascii_case(b"location") => {
                    self.location = text();
                }
                11 if self.retry_after.is_none() && name.eq_ignore_ascii_case(b"retry-after") => {
                    self.retry_after = text();
                }
                14 => self.has_length |= name.eq_ignore_ascii_case(b"content-length"),
                17 => self.has_length |= name.eq_ignore_ascii_case(b"transfer-encoding"),
                _ => (),
            }
        }
    }
}

extern "C" fn on_body(data: *mut c_char, size: usize, count: usize, receiver: *mut c_void) -> usize {
    // SAFETY: libcurl passes the WRITEDATA pointer.
    let receiver = unsafe { &mut *receiver.cast::<Receiver>() };
    let length = size * count;
    // SAFETY: libcurl calls this for the live handle, and getinfo is allowed in callbacks.
    let status = || unsafe { getinfo_long(receiver.easy, CURLINFO_RESPONSE_CODE) };
    if receiver.body.len() > ERROR_KEPT && status() != 200 {
        // An error's first words are enough; its status is what counts.
        return length;
    }
    if length > receiver.limit - receiver.body.len() {
        if status() != 200 {
            return length;
        }
        receiver.too_large = true;
        return 0;
    }
    // No panic and no abort when memory is short: libcurl turns a short count into an error.
    if receiver.body.try_reserve(length).is_err() {
        receiver.no_memory = true;
        return 0;
    }
    // SAFETY: libcurl promises `length` readable bytes.
    receiver.body.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) });
    length
}

extern "C" fn on_header(data: *mut c_char, size: usize, count: usize, receiver: *mut c_void) -> usize {
    let length = size * count;
    // SAFETY: libcurl passes the HEADERDATA pointer, and promises `length` readable bytes.
    unsafe {
        let line = std::slice::from_raw_parts(data.cast::<u8>(), length);
        (*receiver.cast::<Receiver>()).header_line(line);
    }
    length
}

extern "C" fn on_request(
    receiver: *mut c_void,
    _to: *mut c_char,
    _from: *mut c_char,
    _to_port: c_int,
    _from_port: c_int,
) -> c_int {
    // SAFETY: libcurl passes the PREREQDATA pointer.
    unsafe { &mut *receiver.cast::<Receiver>() }.wire_requests += 1;
    CURL_PREREQFUNC_OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_that_of_the_last_response_and_of_no_trailer() {
        let retry_after = |lines: &[&str]| {
            let mut receiver = Receiver::new(std::ptr::null_mut(), 0);
            lines.iter().for_each(|line| receiver.header_line(line.as_bytes()));
            receiver.retry_after
        };
        let seconds = |text: &str| Some(text.to_owned());
        assert_eq!(retry_after(&["HTTP/1.1 503 Busy\r\n", "retry-AFTER:  7 \r\n", "\r\n"]), seconds("7"));
        assert_eq!(retry_after(&["HTTP/1.1 503\r\n", "Retry-After:\r\n", "\r\n"]), seconds(""));
        assert_eq!(retry_after(&["HTTP/1.1 503\r\n", "Retry-After: 1\n", "Retry-After: 2\n"]), seconds("1"));
        assert_eq!(retry_after(&["HTTP/1.1 503\r\n", "X-Retry-After: 1\r\n", "Retry-Afte: 1\r\n"]), None);
        let informed =
            ["HTTP/1.1 103 Early\r\n", "Retry-After: 9\r\n", "\r\n", "HTTP/1.1 503 Busy\r\n", "\r\n"];
        assert_eq!(retry_after(&informed), None);
        let trailer = ["HTTP/1.1 503 Busy\r\n", "\r\n", "Retry-After: 9\r\n"];
        assert_eq!(retry_after(&trailer), None);
    }
}
