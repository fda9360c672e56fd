//! Lists of lines that libcurl reads.

use std::ffi::{CStr, c_char};

use zeroize::Zeroize;

use super::sys::{curl_slist, curl_slist_append, curl_slist_free_all};
use crate::error::{Code, Error, Result};

/// A list that libcurl reads; overwritten when freed, since a token may stand in it.
pub struct TextList(*mut curl_slist);

impl TextList {
    /// Of no lines.
    pub fn empty() -> TextList {
        TextList(std::ptr::null_mut())
    }

    /// A list of one line.
    pub fn of(line: &CStr) -> Result<TextList> {
        let mut list = TextList::empty();
        list.push(line)?;
        Ok(list)
    }

    /// Adds a line.
    pub fn push(&mut self, line: &CStr) -> Result<()> {
        // SAFETY: the list is this value's own; libcurl copies the line.
        let longer = unsafe { curl_slist_append(self.0, line.as_ptr()) };
        if longer.is_null() {
            return Err(Error::new(Code::Internal, "out of memory"));
        }
        self.0 = longer;
        Ok(())
    }

    /// For libcurl; borrowed.
    pub fn as_ptr(&self) -> *mut curl_slist {
        self.0
    }
}

impl Drop for TextList {
    fn drop(&mut self) {
        let mut node = self.0;
        // SAFETY: the nodes of a list of ours, each with a NUL-terminated string of its own; freed once.
        unsafe {
            while !node.is_null() {
                let data: *mut c_char = (*node).data;
                std::slice::from_raw_parts_mut(data.cast::<u8>(), libc::strlen(data)).zeroize();
                node = (*node).next;
            }
            curl_slist_free_all(self.0);
        }
    }
}
