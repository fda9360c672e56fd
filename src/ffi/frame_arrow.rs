//! Frames from record batches, through the Arrow C data interface
//! (https://arrow.apache.org/docs/format/CDataInterface.html). Values are copied.

use std::sync::Arc;

use super::arrow::{ArrowArray, ArrowSchema};
use super::error::{feast_error_t, feast_status_t};
use super::frame::{feast_frame_t, nulls};
use super::{guard, object};
use crate::error::{Error, Result};
use crate::wire::write::{Frame, Items, Lists, Nulls, Texts, Values};

/// Makes a frame of a record batch that came through the Arrow C data interface: integers of each size, floats, booleans, UTF-8,
/// timestamps, lists of these, and nulls. A timestamp without a zone is taken as one of UTC. Other types are refused:
/// dictionaries (decode them first), bytes (Feast takes none over HTTP), dates, decimals, structs and maps
/// (feast_frame_set_json() takes those).
///
/// @param array   in and out, a struct array without nulls of its own, as pyarrow's RecordBatch exports it; on success it is
///                copied and released, else not touched.
/// @param schema  in and out, its schema; on success released, else not touched; borrowed for the call.
/// @param frame   out, set to NULL first; free with feast_frame_free().
/// @param err     out, may be NULL; untouched on success, else free with feast_error_free().
/// @return FEAST_OK; FEAST_INVALID_ARGUMENT for NULL, what was released before, a type that cannot be written, or a value of
///         it: the message names column and row.
/// Thread safety: any thread, if no other one uses array or schema.
/// Since: 0.2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn feast_frame_import_arrow(
    array: *mut ArrowArray,
    schema: *mut ArrowSchema,
    frame: *mut *mut feast_frame_t,
    err: *mut *mut feast_error_t,
) -> feast_status_t {
    // SAFETY: the header asks for what each of these needs.
    unsafe {
        guard::status(err, || {
            let out = guard::output(frame, std::ptr::null_mut(), "frame")?;
            let (found_array, found_schema) = (
                live(array, "array", |array| array.release.is_none())?,
                live(schema, "schema", |schema| schema.release.is_none())?,
            );
            let imported = record_batch(found_array, found_schema)?;
            // Copied, so that nothing of it is needed any more.
            let (release_array, release_schema) = (found_array.release, found_schema.release);
            release_array.into_iter().for_each(|release| release(array));
            release_schema.into_iter().for_each(|release| release(schema));
            *out = object::give(feast_frame_t { frame: Arc::new(imported) });
            Ok(())
        })
    }
}

/// # Safety
/// `of_c` is NULL or points to a struct of the specification.
unsafe fn live<'a, T>(of_c: *const T, name: &str, is_released: impl Fn(&T) -> bool) -> Result<&'a T> {
    if of_c.is_null() || !of_c.is_aligned() {
        return Err(Error::argument(format!("{name} is NULL")));
    }
    // SAFETY: promised by the caller.
    let of_c = unsafe { &*of_c };
    if is_released(of_c) {
        return Err(Error::argument(format!("{name} was released, or moved away, before")));
    }
    Ok(of_c)
}

/// # Safety
/// Both are live structs that the specification's producers filled.
unsafe fn record_batch(array: &ArrowArray, schema: &ArrowSchema) -> Result<Frame> {
    // SAFETY: promised by the caller.
    unsafe {
        if guard::text(schema.format, "a format of the schema")? != "+s" {
            return Err(Error::argument("not a record batch: a struct array is wanted"));
        }
        let window = Window::whole(array)?;
        if let Some(row) = window.nulls(array)?.and_then(|nulls| nulls.iter().position(|&null| null)) {
            return Err(Error::argument(format!("row {row} of the record batch is null as a whole")));
        }
        let arrays = guard::array(array.children, children(array.n_children)?, "children")?;
        let schemas = guard::array(schema.children, children(schema.n_children)?, "children")?;
        if arrays.len() != schemas.len() {
            return Err(Error::argument("array and schema have different numbers of columns"));
        }
        let mut frame = Frame::default();
        for (&array, &schema) in arrays.iter().zip(schemas) {
            if array.is_null() || schema.is_null() {
                return Err(Error::argument("a column is NULL"));
            }
            let (array, schema) = (&*array, &*schema);
            let name = guard::text(schema.name, "a name of the schema")?;
            let column = window
                .of_child(array)
                .and_then(|rows| Column { array, schema, rows }.read())
                .map_err(|error| Error::argument(format!("column `{name}`: {}", error.message)))?;
            frame.add(name, column.0, column.1)?;
        }
        Ok(frame)
    }
}

fn children(count: i64) -> Result<usize> {
    usize::try_from(count).map_err(|_| Error::argument(format!("{count} children")))
}

/// More rows than anybody writes at once. Of a column of nulls they take no memory, and could be any number.
const MOST_ROWS: usize = 1 << 28;

/// The values of an array that are looked at.
#[derive(Clone, Copy)]
struct Window {
    start: usize,
    length: usize,
}

impl Window {
    fn whole(array: &ArrowArray) -> Result<Window> {
        let odd = || Error::argument(format!("an array of {} values from {}", array.length, array.offset));
        let start = usize::try_from(array.offset).map_err(|_| odd())?;
        let length = usize::try_from(array.length).map_err(|_| odd())?;
        start.checked_add(length).filter(|&end| end <= MOST_ROWS).ok_or_else(odd)?;
        Ok(Window { start, length })
    }

    /// The same values of a child of a struct, which has an offset of its own.
    fn of_child(self, child: &ArrowArray) -> Result<Window> {
        let whole = Window::whole(child)?;
        if self.start + self.length > whole.length {
            return Err(Error::argument(format!("it has {} values, the batch more", whole.length)));
        }
        Ok(Window { start: whole.start + self.start, length: self.length })
    }

    /// # Safety
    /// The array was filled as the specification says.
    unsafe fn nulls(self, array: &ArrowArray) -> Result<Nulls> {
        if array.null_count == 0 {
            return Ok(None);
        }
        // SAFETY: promised by the caller.
        unsafe {
            let bits: *const u8 = buffer(array, 0)?;
            if bits.is_null() {
                return Ok(None);
            }
            let all = nulls(bits, self.start + self.length)?;
            Ok(all.map(|all| all[self.start..].to_vec()).filter(|nulls| nulls.contains(&true)))
        }
    }
}

/// # Safety
/// The array was filled as the specification says.
unsafe fn buffer<T>(array: &ArrowArray, at: usize) -> Result<*const T> {
    // SAFETY: promised by the caller.
    let buffers = unsafe { guard::array(array.buffers, children(array.n_buffers)?, "buffers") }?;
    match buffers.get(at) {
        Some(&buffer) => Ok(buffer.cast()),
        None => Err(Error::argument(format!("it has {} buffers", buffers.len()))),
    }
}

struct Column<'a> {
    array: &'a ArrowArray,
    schema: &'a ArrowSchema,
    rows: Window,
}

impl Column<'_> {
    /// # Safety
    /// Array and schema were filled as the specification says.
    unsafe fn read(&self) -> Result<(Values, Nulls)> {
        // SAFETY: promised by the caller.
        unsafe {
            let format = guard::text(self.schema.format, "a format of the schema")?;
            if !self.schema.dictionary.is_null() {
                return Err(Error::argument(
                    "a dictionary, which is not written as it is; decode it first (pyarrow: column.dictionary_decode())",
                ));
            }
            if format == "n" {
                return Ok((Values::Null(self.rows.length), None));
            }
            let nulls = self.rows.nulls(self.array)?;
            let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls[row]);
            let values = match format {
                "+l" => self.lists::<i32>(&is_null)?,
                "+L" => self.lists::<i64>(&is_null)?,
                _ => match format.strip_prefix("+w:") {
                    Some(width) => self.fixed_lists(width, &is_null)?,
                    None => Values::Single(self.items(format, &is_null)?),
                },
            };
            Ok((values, nulls))
        }
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn fixed<T: Copy>(&self) -> Result<&[T]> {
        if self.rows.length == 0 {
            return Ok(&[]);
        }
        // SAFETY: promised by the caller.
        let values = unsafe {
            guard::array(buffer::<T>(self.array, 1)?, self.rows.start + self.rows.length, "values")
        }?;
        Ok(&values[self.rows.start..])
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn items(&self, format: &str, is_null: &dyn Fn(usize) -> bool) -> Result<Items> {
        fn wide<T: Copy + Into<i64>>(values: &[T]) -> Items {
            Items::Int(values.iter().map(|&value| value.into()).collect())
        }
        // SAFETY: promised by the caller.
        unsafe {
            Ok(match format {
                "b" => {
                    let bits: *const u8 = buffer(self.array, 1)?;
                    if bits.is_null() && self.rows.length > 0 {
                        return Err(Error::argument("values is NULL"));
                    }
                    let all = nulls(bits, self.rows.start + self.rows.length)?;
                    let bit = |row: usize| all.as_ref().is_none_or(|zeros| !zeros[self.rows.start + row]);
                    Items::Bool((0..self.rows.length).map(bit).collect())
                }
                "c" => wide(self.fixed::<i8>()?),
                "C" => wide(self.fixed::<u8>()?),
                "s" => wide(self.fixed::<i16>()?),
                "S" => wide(self.fixed::<u16>()?),
                "i" => wide(self.fixed::<i32>()?),
                "I" => wide(self.fixed::<u32>()?),
                "l" => Items::Int(self.fixed::<i64>()?.to_vec()),
                "L" => Items::Int(self.unsigned(is_null)?),
                "f" => Items::Real(self.fixed::<f32>()?.iter().map(|&value| value.into()).collect()),
                "g" => Items::Real(self.fixed::<f64>()?.to_vec()),
                "u" => Items::Text(self.texts::<i32>(is_null)?),
                "U" => Items::Text(self.texts::<i64>(is_null)?),
                _ if format.starts_with("ts") => Items::Timestamp(self.timestamps(format, is_null)?),
                "z" | "Z" | "vz" => {
                    return Err(Error::argument("bytes, which Feast takes none of over HTTP"));
                }
                _ if format.starts_with("w:") => {
                    return Err(Error::argument("bytes, which Feast takes none of over HTTP"));
                }
                _ => {
                    return Err(Error::argument(format!(
                        "values of Arrow's format `{format}`, which are not written; cast them first"
                    )));
                }
            })
        }
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn unsigned(&self, is_null: &dyn Fn(usize) -> bool) -> Result<Vec<i64>> {
        // SAFETY: promised by the caller.
        let values = unsafe { self.fixed::<u64>() }?;
        let read = |(row, &value): (usize, &u64)| match i64::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) if is_null(row) => Ok(0),
            Err(_) => Err(Error::argument(format!("row {row}: {value} is beyond an integer of 64 bits"))),
        };
        values.iter().enumerate().map(read).collect()
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn timestamps(&self, format: &str, is_null: &dyn Fn(usize) -> bool) -> Result<Vec<i64>> {
        let factor = match format.get(..3) {
            Some("tss") => 1_000_000_000,
            Some("tsm") => 1_000_000,
            Some("tsu") => 1000,
            Some("tsn") => 1,
            _ => return Err(Error::argument(format!("values of Arrow's format `{format}`"))),
        };
        // SAFETY: promised by the caller.
        let values = unsafe { self.fixed::<i64>() }?;
        let read = |(row, &value): (usize, &i64)| match value.checked_mul(factor) {
            Some(value) => Ok(value),
            None if is_null(row) => Ok(0),
            None => Err(Error::argument(format!("row {row}: a timestamp beyond the years 1678 to 2261"))),
        };
        values.iter().enumerate().map(read).collect()
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn texts<O: Copy + TryInto<usize>>(&self, is_null: &dyn Fn(usize) -> bool) -> Result<Texts> {
        let mut texts = Texts::default();
        // SAFETY: promised by the caller.
        unsafe {
            let ends = self.offsets::<O>()?;
            let data: *const u8 = buffer(self.array, 2)?;
            let bytes = guard::array(data, *ends.last().unwrap_or(&0), "data")?;
            for (row, pair) in ends.windows(2).enumerate() {
                let text = if is_null(row) { &[] } else { &bytes[pair[0]..pair[1]] };
                let text = std::str::from_utf8(text)
                    .map_err(|_| Error::argument(format!("row {row}: not UTF-8")))?;
                texts.push(text);
            }
        }
        Ok(texts)
    }

    /// The ascending offsets of variable-length values, one more than there are.
    ///
    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn offsets<O: Copy + TryInto<usize>>(&self) -> Result<Vec<usize>> {
        if self.rows.length == 0 {
            return Ok(vec![0]);
        }
        // SAFETY: promised by the caller.
        let offsets = unsafe {
            guard::array(buffer::<O>(self.array, 1)?, self.rows.start + self.rows.length + 1, "offsets")
        }?;
        let read = |&offset: &O| offset.try_into().map_err(|_| Error::argument("a negative offset"));
        let offsets: Vec<usize> = offsets[self.rows.start..].iter().map(read).collect::<Result<_>>()?;
        match offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            Some(row) => Err(Error::argument(format!("row {row} ends before it begins"))),
            None => Ok(offsets),
        }
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn lists<O: Copy + TryInto<usize>>(&self, is_null: &dyn Fn(usize) -> bool) -> Result<Values> {
        // SAFETY: promised by the caller.
        unsafe {
            let offsets = self.offsets::<O>()?;
            self.lists_between(offsets.windows(2).map(|pair| (pair[0], pair[1])), is_null)
        }
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn fixed_lists(&self, width: &str, is_null: &dyn Fn(usize) -> bool) -> Result<Values> {
        let rows = self.rows.start..self.rows.start + self.rows.length;
        let odd = || Error::argument(format!("lists of `{width}` items"));
        let width: usize = width.parse().ok().filter(|&width| width > 0).ok_or_else(odd)?;
        rows.end.checked_mul(width).ok_or_else(odd)?;
        // SAFETY: promised by the caller.
        unsafe { self.lists_between(rows.map(|row| (row * width, (row + 1) * width)), is_null) }
    }

    /// # Safety
    /// As for [`read`](Column::read).
    unsafe fn lists_between(
        &self,
        bounds: impl Iterator<Item = (usize, usize)> + Clone,
        is_null: &dyn Fn(usize) -> bool,
    ) -> Result<Values> {
        // SAFETY: promised by the caller.
        unsafe {
            let arrays = guard::array(self.array.children, children(self.array.n_children)?, "children")?;
            let schemas = guard::array(self.schema.children, children(self.schema.n_children)?, "children")?;
            let (Some(&array), Some(&schema)) = (arrays.first(), schemas.first()) else {
                return Err(Error::argument("lists without items"));
            };
            if array.is_null() || schema.is_null() {
                return Err(Error::argument("lists whose items are NULL"));
            }
            let (array, schema) = (&*array, &*schema);
            if !schema.dictionary.is_null() {
                return Err(Error::argument(
                    "lists of a dictionary, which is not written as it is; decode it first",
                ));
            }
            let whole = Window::whole(array)?;
            let (mut ends, mut wanted, mut count) = (Vec::new(), Vec::new(), 0);
            for (row, (start, end)) in bounds.enumerate() {
                if !is_null(row) {
                    if end > whole.length {
                        return Err(Error::argument(format!("row {row} ends beyond its items")));
                    }
                    wanted.push(start..end);
                    count += end - start;
                }
                ends.push(count);
            }
            let format = guard::text(schema.format, "a format of the schema")?;
            let all = Column { array, schema, rows: whole };
            let nulls = whole.nulls(array)?;
            let null_item = |item: usize| nulls.as_ref().is_some_and(|nulls| nulls[item]);
            if let Some(at) = wanted.iter().cloned().flatten().find(|&item| null_item(item)) {
                return Err(Error::argument(format!(
                    "item {at} of its lists is null; Feast's lists have no nulls"
                )));
            }
            let items = all.items(format, &null_item)?;
            Ok(Values::Lists(Lists { ends, items: items.select(wanted.into_iter().flatten()) }))
        }
    }
}
