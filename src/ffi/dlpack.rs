//! Features as a DLPack tensor (https://dmlc.github.io/dlpack/latest/c_api.html, version 1.0).

use std::ffi::{c_char, c_void};
use std::ptr;

use super::dense::{CallersMatrix, layout};
use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::response::feast_response_t;
use crate::columns::Dense;
use crate::error::Error;

#[repr(C)]
struct DLPackVersion {
    major: u32,
    minor: u32,
}

#[repr(C)]
struct DLDevice {
    device_type: i32,
    device_id: i32,
}

#[repr(C)]
struct DLDataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct DLTensor {
    data: *mut c_void,
    device: DLDevice,
    ndim: i32,
    dtype: DLDataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

/// `struct DLManagedTensorVersioned` of dlpack.h.
#[repr(C)]
pub struct DLManagedTensorVersioned {
    version: DLPackVersion,
    manager_ctx: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut DLManagedTensorVersioned)>,
    flags: u64,
    dl_tensor: DLTensor,
}

const DL_CPU: i32 = 1;
const DL_FLOAT: u8 = 2;

/// Sixteen floats, aligned as vector instructions and GPUs' copies like it.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([f32; 16]);

/// A tensor and what it points to.
#[repr(C)]
struct Owned {
    tensor: DLManagedTensorVersioned,
    data: Vec<Line>,
    shape: [i64; 2],
    strides: [i64; 2],
}

unsafe extern "C" fn delete(tensor: *mut DLManagedTensorVersioned) {
    guard::value((), || {
        if !tensor.is_null() {
            // SAFETY: called once, on a tensor made below, which is the first field of an `Owned`.
            drop(unsafe { Box::from_raw(tensor.cast::<Owned>()) });
        }
        Some(())
    });
}

/// Makes a DLPack tensor of floats, rows by columns, on the CPU, as feast_response_copy_f32() would fill it. It is a
/// copy, aligned to 64 bytes, and stands on its own.
///
/// @param response  in; borrowed for the call.
/// @param names     in, n column names, NUL-terminated UTF-8; NULL: all features; borrowed for the call.
/// @param n         in, number of names; not used if names is NULL.
/// @param missing   in, what stands where there is no value, such as NAN or 0.
/// @param tensor    out, set to NULL first, the tensor on success; transferred: whoever gets it in the end calls
///                  tensor->deleter(tensor). Its struct is that of dlpack.h, version 1.0.
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return as feast_response_copy_f32().
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_to_dlpack(
    response: *const feast_response_t,
    names: *const *const c_char,
    n: usize,
    missing: f32,
    tensor: *mut *mut DLManagedTensorVersioned,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let out = guard::output(tensor, ptr::null_mut(), "tensor")?;
            let response = &guard::object(response, "response")?.response;
            let layout = layout(response, names, n)?;
            let (rows, columns) = (response.num_rows(), layout.width());
            let size = rows.checked_mul(columns).filter(|size| *size < isize::MAX as usize / 8);
            let lines = size.ok_or_else(|| Error::argument("the tensor cannot be in memory"))?.div_ceil(16);
            let mut data = Vec::new();
            data.try_reserve_exact(lines).map_err(|_| {
                Error::argument(format!("no memory for a tensor of {rows} rows and {columns} columns"))
            })?;
            data.resize(lines, Line([0.0; 16]));
            let mut matrix =
                CallersMatrix { out: data.as_mut_ptr().cast::<f32>(), statuses: ptr::null_mut() };
            Dense { out: &mut matrix, statuses: false, row_stride: columns, missing }
                .fill(response, &layout)?;
            let mut owned = Box::new(Owned {
                tensor: DLManagedTensorVersioned {
                    version: DLPackVersion { major: 1, minor: 0 },
                    manager_ctx: ptr::null_mut(),
                    deleter: Some(delete),
                    flags: 0,
                    dl_tensor: DLTensor {
                        data: if lines == 0 { ptr::null_mut() } else { data.as_mut_ptr().cast() },
                        device: DLDevice { device_type: DL_CPU, device_id: 0 },
                        ndim: 2,
                        dtype: DLDataType { code: DL_FLOAT, bits: 32, lanes: 1 },
                        shape: ptr::null_mut(),
                        strides: ptr::null_mut(),
                        byte_offset: 0,
                    },
                },
                data,
                shape: [rows as i64, columns as i64],
                strides: [columns as i64, 1],
            });
            owned.tensor.dl_tensor.shape = owned.shape.as_mut_ptr();
            owned.tensor.dl_tensor.strides = owned.strides.as_mut_ptr();
            *out = Box::into_raw(owned).cast();
            Ok(())
        })
    }
}
