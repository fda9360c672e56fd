//! Columns through the Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html), without
//! copying values: every array that is handed out keeps the whole response alive.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;

use super::error::{feast_error_t, feast_status_t};
use super::guard;
use super::response::feast_response_t;
use crate::columns::{Element, Items, Response};
use crate::error::{Error, Result};

/// `struct ArrowSchema` of the specification.
#[repr(C)]
pub struct ArrowSchema {
    pub(super) format: *const c_char,
    pub(super) name: *const c_char,
    pub(super) metadata: *const c_char,
    pub(super) flags: i64,
    pub(super) n_children: i64,
    pub(super) children: *mut *mut ArrowSchema,
    pub(super) dictionary: *mut ArrowSchema,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub(super) private_data: *mut c_void,
}

/// `struct ArrowArray` of the specification.
#[repr(C)]
pub struct ArrowArray {
    pub(super) length: i64,
    pub(super) null_count: i64,
    pub(super) offset: i64,
    pub(super) n_buffers: i64,
    pub(super) n_children: i64,
    pub(super) buffers: *mut *const c_void,
    pub(super) children: *mut *mut ArrowArray,
    pub(super) dictionary: *mut ArrowArray,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub(super) private_data: *mut c_void,
}

const ARROW_FLAG_NULLABLE: i64 = 2;

/// What an exported schema owns.
struct SchemaParts {
    format: CString,
    name: CString,
    children: Vec<*mut ArrowSchema>,
}

/// What an exported array owns.
struct ArrayParts {
    /// Keeps what the buffers point to.
    _response: Arc<Response>,
    _packed: Vec<u8>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    guard::value((), || {
        // SAFETY: the specification lets a consumer call this once, on a schema of ours that it has not moved away;
        // `private_data` was made by `into_schema`. Children that were moved away are marked as released.
        unsafe {
            let parts = Box::from_raw((*schema).private_data.cast::<SchemaParts>());
            for &child in &parts.children {
                if let Some(release) = (*child).release {
                    release(child);
                }
                drop(Box::from_raw(child));
            }
            (*schema).release = None;
        }
        Some(())
    });
}

unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    guard::value((), || {
        // SAFETY: as in `release_schema`.
        unsafe {
            let parts = Box::from_raw((*array).private_data.cast::<ArrayParts>());
            for &child in &parts.children {
                if let Some(release) = (*child).release {
                    release(child);
                }
                drop(Box::from_raw(child));
            }
            (*array).release = None;
        }
        Some(())
    });
}

/// A field of the exported struct before it gets C's shape.
struct Field {
    format: &'static str,
    name: Vec<u8>,
    nullable: bool,
    length: usize,
    nulls: bool,
    buffers: Vec<*const c_void>,
    packed: Vec<u8>,
    children: Vec<Field>,
}

impl Field {
    fn into_schema(self) -> Result<ArrowSchema> {
        let text = |bytes: Vec<u8>| {
            CString::new(bytes).map_err(|_| Error::argument("a column's name contains a NUL"))
        };
        let mut children = Vec::with_capacity(self.children.len());
        for child in self.children {
            children.push(Box::into_raw(Box::new(child.into_schema()?)));
        }
        let mut parts =
            Box::new(SchemaParts { format: text(self.format.into())?, name: text(self.name)?, children });
        Ok(ArrowSchema {
            format: parts.format.as_ptr(),
            name: parts.name.as_ptr(),
            metadata: ptr::null(),
            flags: if self.nullable { ARROW_FLAG_NULLABLE } else { 0 },
            n_children: parts.children.len() as i64,
            children: parts.children.as_mut_ptr(),
            dictionary: ptr::null_mut(),
            release: Some(release_schema),
            private_data: Box::into_raw(parts).cast(),
        })
    }

    fn into_array(self, response: &Arc<Response>) -> ArrowArray {
        let boxed = |child: Field| Box::into_raw(Box::new(child.into_array(response)));
        let mut parts = Box::new(ArrayParts {
            _response: Arc::clone(response),
            _packed: self.packed,
            buffers: self.buffers,
            children: self.children.into_iter().map(boxed).collect(),
        });
        let null_count = match (self.format, self.nulls) {
            ("n", _) => self.length as i64,
            (_, true) => -1, // not counted
            (_, false) => 0,
        };
        ArrowArray {
            length: self.length as i64,
            null_count,
            offset: 0,
            n_buffers: parts.buffers.len() as i64,
            n_children: parts.children.len() as i64,
            buffers: parts.buffers.as_mut_ptr(),
            children: parts.children.as_mut_ptr(),
            dictionary: ptr::null_mut(),
            release: Some(release_array),
            private_data: Box::into_raw(parts).cast(),
        }
    }
}

fn pointer<T>(values: &[T]) -> *const c_void {
    values.as_ptr().cast()
}

fn bitmap(validity: Option<&[u8]>) -> *const c_void {
    validity.map_or(ptr::null(), pointer)
}

/// The values of a column, or the items of its lists.
fn values(
    element: Element,
    items: Items,
    validity: Option<&[u8]>,
    name: &[u8],
    nullable: bool,
    length: usize,
) -> Field {
    let format = match element {
        Element::Null => "n",
        Element::Bool => "b",
        Element::Int32 => "i",
        Element::Int64 => "l",
        Element::Float => "f",
        Element::Double => "g",
        Element::UnixTimestamp => "tss:UTC",
        Element::String | Element::Json => "U",
        Element::Bytes => "Z",
    };
    let mut packed = Vec::new();
    let buffers = match items {
        Items::Null => Vec::new(),
        Items::Bool(values) => {
            // Arrow has eight to the byte.
            packed = values
                .chunks(8)
                .map(|eight| (0..).zip(eight).fold(0, |byte, (i, value)| byte | value << i))
                .collect();
            vec![bitmap(validity), pointer(&packed)]
        }
        Items::Int32(values) => vec![bitmap(validity), pointer(values)],
        Items::Int64(values) => vec![bitmap(validity), pointer(values)],
        Items::Float(values) => vec![bitmap(validity), pointer(values)],
        Items::Double(values) => vec![bitmap(validity), pointer(values)],
        Items::Text(offsets, data) => vec![bitmap(validity), pointer(offsets), pointer(data)],
    };
    Field {
        format,
        name: name.to_vec(),
        nullable,
        length,
        nulls: validity.is_some(),
        buffers,
        packed,
        children: Vec::new(),
    }
}

fn column(response: &Response, column: usize) -> Option<Field> {
    let (kind, items, name) =
        (response.column_type(column)?, response.items(column)?, response.name(column)?);
    let (rows, validity) = (response.num_rows(), response.validity(column));
    // An entity without nulls never has one: the request would have to ask for it.
    let nullable = column >= response.num_entities() || validity.is_some();
    let Some(offsets) = response.list_offsets(column) else {
        return Some(values(kind.element, items, validity, name, nullable, rows));
    };
    let count = *offsets.last()? as usize;
    Some(Field {
        format: "+L",
        name: name.to_vec(),
        nullable,
        length: rows,
        nulls: validity.is_some(),
        buffers: vec![bitmap(validity), pointer(offsets)],
        packed: Vec::new(),
        children: vec![values(kind.element, items, response.item_validity(column), b"item", true, count)],
    })
}

/// A feature's statuses or event timestamps as a column of their own.
fn beside(
    response: &Response,
    column: usize,
    suffix: &[u8],
    format: &'static str,
    data: *const c_void,
) -> Field {
    Field {
        format,
        name: [response.name(column).unwrap_or_default(), suffix].concat(),
        nullable: false,
        length: response.num_rows(),
        nulls: false,
        buffers: vec![ptr::null(), data],
        packed: Vec::new(),
        children: Vec::new(),
    }
}

fn table(response: &Response, everything: bool) -> Field {
    let mut children = Vec::new();
    for at in 0..response.num_columns() {
        children.extend(column(response, at));
        if !everything || at < response.num_entities() {
            continue;
        }
        if let Some(statuses) = response.statuses(at) {
            children.push(beside(response, at, b"__status", "C", pointer(statuses)));
        }
        if let Some(timestamps) = response.event_timestamps(at) {
            children.push(beside(response, at, b"__ts", "tsn:UTC", pointer(timestamps)));
        }
    }
    Field {
        format: "+s",
        name: Vec::new(),
        nullable: false,
        length: response.num_rows(),
        nulls: false,
        buffers: vec![ptr::null()],
        packed: Vec::new(),
        children,
    }
}

/// The body of the two functions below.
///
/// # Safety
/// What the header asks for.
unsafe fn export(
    response: *const feast_response_t,
    everything: bool,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: promised by the caller; the zeroed structs are what the specification calls released.
    unsafe {
        guard::status(err, || {
            let array = guard::output(array, std::mem::zeroed(), "array");
            let schema = guard::output(schema, std::mem::zeroed(), "schema")?;
            let array = array?;
            let response = &guard::object(response, "response")?.response;
            *schema = table(response, everything).into_schema()?;
            *array = table(response, everything).into_array(response);
            Ok(())
        })
    }
}

/// Hands over all columns through the Arrow C data interface: a struct array with a child for each column, in the
/// order of the response. Values are not copied (booleans are, to Arrow's bits); what is handed over lives until it
/// is released, also after feast_response_free(). Types: null, bool, int32, int64, float, double, large_utf8 for
/// STRING and JSON, large_binary, timestamp[s, UTC], and large_list of these. Children may be moved out and released
/// one by one, in any order and on any thread.
///
/// @param response  in; borrowed for the call.
/// @param array     out, zeroed first; transferred: the caller calls array->release(array).
/// @param schema    out, zeroed first; transferred: the caller calls schema->release(schema).
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_export_arrow(
    response: *const feast_response_t,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what this needs.
    unsafe { export(response, false, array, schema, err) }
}

/// As feast_response_export_arrow(), with two more columns behind each feature: NAME__status, its FEAST_STATUS_
/// numbers as uint8, and NAME__ts, its event timestamps as timestamp[ns, UTC], if the server sent some.
///
/// @param response  in; borrowed for the call.
/// @param array     out, zeroed first; transferred: the caller calls array->release(array).
/// @param schema    out, zeroed first; transferred: the caller calls schema->release(schema).
/// @param err       out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL.
/// Thread safety: any thread.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_response_export_arrow_full(
    response: *const feast_response_t,
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what this needs.
    unsafe { export(response, true, array, schema, err) }
}
