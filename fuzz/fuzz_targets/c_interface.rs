//! A script of calls on the C interface: each byte chooses one, the bytes behind it are its arguments.
#![no_main]

use std::ffi::CString;
use std::ptr;

use feast_remote::ffi::*;
use libfuzzer_sys::fuzz_target;

struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// A string, or sometimes NULL.
    fn text(&mut self) -> Option<CString> {
        let length = usize::from(self.byte().unwrap_or(0));
        if length == 255 {
            return None;
        }
        let (text, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        CString::new(text.iter().copied().filter(|&byte| byte != 0).collect::<Vec<_>>()).ok()
    }

    fn numbers(&mut self) -> Vec<i64> {
        let count = self.byte().unwrap_or(0) % 9;
        (0..count).map(|_| i64::from(self.byte().unwrap_or(0)) << (self.byte().unwrap_or(0) % 56)).collect()
    }
}

fn pointer(text: &Option<CString>) -> *const std::ffi::c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script(bytes);
    // SAFETY: as the header asks: objects are live or NULL, arrays have the length given.
    unsafe {
        let config = feast_config_new();
        let mut request = feast_request_new();
        let mut remote: *mut feast_remote_t = ptr::null_mut();
        while let Some(call) = script.byte() {
            let mut err = ptr::null_mut();
            let err_out = if call & 0x80 == 0 { &raw mut err } else { ptr::null_mut() };
            let code = match call & 0x7f {
                0 => feast_request_add_feature(request, pointer(&script.text()), err_out),
                1 => {
                    let kind = i32::from(script.byte().unwrap_or(0) as i8);
                    feast_request_add_typed_feature(request, pointer(&script.text()), kind, err_out)
                }
                2 => feast_request_set_feature_service(request, pointer(&script.text()), err_out),
                3 => {
                    let (name, values) = (script.text(), script.numbers());
                    feast_request_set_entity_int64(request, pointer(&name), values.as_ptr(), values.len(), err_out)
                }
                4 => {
                    let name = script.text();
                    let values: Vec<f64> = script.numbers().into_iter().map(|bits| f64::from_bits(bits as u64)).collect();
                    feast_request_set_entity_double(request, pointer(&name), values.as_ptr(), values.len(), err_out)
                }
                5 => {
                    let (name, one, two) = (script.text(), script.text(), script.text());
                    let texts = [pointer(&one), pointer(&two)];
                    feast_request_set_entity_string(request, pointer(&name), texts.as_ptr(), ptr::null(), 2, err_out)
                }
                6 => {
                    let (name, json) = (script.text(), script.text());
                    feast_request_set_entity_json(request, pointer(&name), pointer(&json), err_out)
                }
                7 => {
                    let (key, value) = (script.text(), script.text());
                    feast_config_set(config, pointer(&key), pointer(&value), err_out)
                }
                8 => {
                    let copy = feast_request_clone(request);
                    feast_request_free(request);
                    request = copy;
                    0
                }
                9 => feast_request_set_timeout_ms(request, script.numbers().first().copied().unwrap_or(-1), err_out),
                // No host is looked up: the store is opened and nothing is asked of it.
                10 if remote.is_null() => feast_remote_open(config, &mut remote, err_out),
                11 => {
                    feast_close(remote);
                    0
                }
                12 => {
                    let (mut json, mut length) = (ptr::null_mut(), 0);
                    let code = feast_stats_json(remote, &mut json, &mut length, err_out);
                    feast_string_free(json);
                    code
                }
                _ => break,
            };
            assert!(code == 0 || err_out.is_null() || !err.is_null(), "a failure without an error");
            if !err.is_null() {
                assert_eq!(feast_error_code(err), code);
                assert!(!feast_error_message(err).is_null());
                feast_error_free(err);
            }
        }
        feast_close(remote);
        feast_request_free(request);
        feast_config_free(config);
    }
});
