//! The types of columns, as C knows them.

use super::error::feast_status_t;

/// The type of a column: one of the FEAST_TYPE_ numbers. A type of lists is FEAST_TYPE_NULL_LIST plus the type of
/// the items. More may be added.
pub type feast_type_t = i32;

/// There is no such column.
pub const FEAST_TYPE_INVALID: feast_type_t = -1;
/// Every value is null.
pub const FEAST_TYPE_NULL: feast_type_t = 0;
/// Booleans.
pub const FEAST_TYPE_BOOL: feast_type_t = 1;
/// Integers of 32 bits. Only where declared.
pub const FEAST_TYPE_INT32: feast_type_t = 2;
/// Integers of 64 bits.
pub const FEAST_TYPE_INT64: feast_type_t = 3;
/// Numbers of 32 bits, rounded as numpy.float32 rounds them. Only where declared.
pub const FEAST_TYPE_FLOAT: feast_type_t = 4;
/// Numbers of 64 bits.
pub const FEAST_TYPE_DOUBLE: feast_type_t = 5;
/// UTF-8 text. Also for UUIDs and decimals, as the server writes them.
pub const FEAST_TYPE_STRING: feast_type_t = 6;
/// Bytes. Only where declared: the server sends them as base64 text, which is undone.
pub const FEAST_TYPE_BYTES: feast_type_t = 7;
/// Seconds since 1970-01-01 UTC. Only where declared: the servers send integers, or RFC 3339 text, which is read.
pub const FEAST_TYPE_UNIX_TIMESTAMP: feast_type_t = 8;
/// JSON text, as the server wrote it: it may hold Python's bare NaN and Infinity, and of a feature of Feast's type Json, which
/// servers send as a string, it is that string in quotes. Declared as STRING such a feature gives the document.
pub const FEAST_TYPE_JSON: feast_type_t = 9;
/// Lists that have no items but nulls.
pub const FEAST_TYPE_NULL_LIST: feast_type_t = 16;
/// Lists of booleans.
pub const FEAST_TYPE_BOOL_LIST: feast_type_t = 17;
/// Lists of integers of 32 bits. Only where declared.
pub const FEAST_TYPE_INT32_LIST: feast_type_t = 18;
/// Lists of integers of 64 bits.
pub const FEAST_TYPE_INT64_LIST: feast_type_t = 19;
/// Lists of numbers of 32 bits. Only where declared.
pub const FEAST_TYPE_FLOAT_LIST: feast_type_t = 20;
/// Lists of numbers of 64 bits.
pub const FEAST_TYPE_DOUBLE_LIST: feast_type_t = 21;
/// Lists of UTF-8 text.
pub const FEAST_TYPE_STRING_LIST: feast_type_t = 22;
/// Lists of bytes. Only where declared.
pub const FEAST_TYPE_BYTES_LIST: feast_type_t = 23;
/// Lists of seconds since 1970-01-01 UTC. Only where declared.
pub const FEAST_TYPE_UNIX_TIMESTAMP_LIST: feast_type_t = 24;

/// The status FEAST_TYPE by a name that does not look like a type's.
pub const FEAST_WRONG_TYPE: feast_status_t = 502;
