//! Columns as the types that a program asks for, whatever type their values happened to give them: the type of a column that
//! nobody declared depends on the rows that came, and a program must not.
//!
//! A column without any value is a column of every type. A column of numbers is one of another number type if each of its
//! values is exactly a number of that type; reals become FLOAT as a declared FLOAT reads them, rounded.

use std::sync::OnceLock;

use super::dense::exact_integer;
use super::{Element, Items, Response, Type, exact_double, is_valid};
use crate::error::{Code, Error, Result};

/// Numbers in another type than the answer's, made when they are first asked for, and kept for as long as the response.
#[derive(Debug, Default)]
pub struct Conversions {
    columns: OnceLock<Box<[Converted]>>,
    /// For columns without values: as many as the longest column needs, and one more.
    zeros: OnceLock<Box<[u64]>>,
}

#[derive(Debug, Default)]
struct Converted {
    int32: OnceLock<Box<[i32]>>,
    int64: OnceLock<Box<[i64]>>,
    float: OnceLock<Box<[f32]>>,
    double: OnceLock<Box<[f64]>>,
}

/// Why a value cannot be converted: its place among the items, and what it is.
type Unfit = (usize, String);

impl Response {
    /// The number of the column with this name, or an error that names those that there are.
    pub fn column_named(&self, name: &str) -> Result<usize> {
        self.find_column(name.as_bytes()).ok_or_else(|| {
            let features = self.num_entities()..self.num_columns();
            let names = features.chain(0..self.num_entities()).map(|column| self.shown_name(column));
            let names: Vec<String> = names.take(SHOWN_NAMES).collect();
            let more = self.num_columns() - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Error::argument(format!("no column `{name}`; the answer has {}{more}", names.join(", ")))
        })
    }

    /// A column's values, or the items of its lists, as those of this type. `wanted` is not of nulls.
    pub fn items_as(&self, column: usize, wanted: Type) -> Result<Items<'_>> {
        let (Some(items), Some(kind)) = (self.items(column), self.column_type(column)) else {
            return Err(Error::argument(format!(
                "there is no column {column}, the response has {}",
                self.num_columns()
            )));
        };
        let other = || self.of_another_type(column, kind, wanted);
        if kind == Type::NULL || (kind != wanted && self.has_no_value(column)) {
            return self.nothing(if wanted.list { 0 } else { self.num_rows() }, wanted.element);
        }
        if kind.list != wanted.list {
            return Err(other());
        }
        match (items, wanted.element) {
            (Items::Null, element) => self.nothing(self.columns[column].values.count, element),
            (Items::Bool(_), Element::Bool)
            | (Items::Int32(_), Element::Int32)
            | (Items::Int64(_), Element::Int64 | Element::UnixTimestamp)
            | (Items::Float(_), Element::Float)
            | (Items::Double(_), Element::Double)
            | (Items::Text(..), Element::String | Element::Bytes | Element::Json) => Ok(items),
            (Items::Bool(_) | Items::Text(..), _) => Err(other()),
            // Moments and numbers are not the same thing.
            _ if kind.element == Element::UnixTimestamp => Err(other()),
            (_, element) => self.convert(column, items, element).ok_or_else(other)?.map_err(|unfit| {
                let mut error = other();
                let place = self.place_of(column, unfit.0);
                error.message = format!("{}: {place} is {}", error.message, unfit.1);
                error
            }),
        }
    }

    /// The offsets of a column's lists; a column without values has as many empty ones as there are rows.
    pub fn list_offsets_as(&self, column: usize, wanted: Type) -> Result<&[i64]> {
        self.items_as(column, wanted)?;
        match self.list_offsets(column) {
            Some(offsets) => Ok(offsets),
            None => Ok(bytemuck::cast_slice(&self.zeros()?[..self.num_rows() + 1])),
        }
    }

    /// The values of a column that nobody declared, where it has none, or integers and is wanted as reals.
    pub fn inferred_as(&self, column: usize, wanted: Element) -> Option<Items<'_>> {
        let kind = self.column_type(column)?;
        let known =
            kind.element == wanted || (kind.element, wanted) == (Element::UnixTimestamp, Element::Int64);
        let inferred = kind == Type::NULL || (kind.element, wanted) == (Element::Int64, Element::Double);
        if kind.list || !(known || inferred) {
            return None;
        }
        self.items_as(column, Type::of(wanted)).ok()
    }

    fn has_no_value(&self, column: usize) -> bool {
        self.validity(column).is_some_and(|bits| bits.iter().all(|&byte| byte == 0))
    }

    fn of_another_type(&self, column: usize, kind: Type, wanted: Type) -> Error {
        let name = self.shown_name(column);
        Error::new(Code::Type, format!("`{name}` is {}, not {}", kind.name(), wanted.name()))
    }

    fn shown_name(&self, column: usize) -> String {
        String::from_utf8_lossy(self.name(column).unwrap_or_default()).into_owned()
    }

    /// Where an item of a column stands, for people.
    fn place_of(&self, column: usize, item: usize) -> String {
        let Some(offsets) = self.list_offsets(column) else { return format!("row {item}") };
        let row = offsets.partition_point(|&offset| offset as usize <= item) - 1;
        format!("row {row}, item {}", item - offsets[row] as usize)
    }

    /// As many values of no column as are wanted: zeros and empty texts.
    fn nothing(&self, count: usize, element: Element) -> Result<Items<'_>> {
        let zeros = self.zeros()?;
        let bytes: &[u8] = bytemuck::cast_slice(zeros);
        Ok(match element {
            Element::Null => Items::Null,
            Element::Bool => Items::Bool(&bytes[..count]),
            Element::Int32 => Items::Int32(&bytemuck::cast_slice(zeros)[..count]),
            Element::Float => Items::Float(&bytemuck::cast_slice(zeros)[..count]),
            Element::Int64 | Element::UnixTimestamp => Items::Int64(&bytemuck::cast_slice(zeros)[..count]),
            Element::Double => Items::Double(&bytemuck::cast_slice(zeros)[..count]),
            Element::String | Element::Bytes | Element::Json => {
                Items::Text(&bytemuck::cast_slice(zeros)[..count + 1], &bytes[..0])
            }
        })
    }

    fn zeros(&self) -> Result<&[u64]> {
        if let Some(zeros) = self.conversions.zeros.get() {
            return Ok(zeros);
        }
        let longest = self.columns.iter().map(|column| column.values.count).max();
        let made = made(longest.unwrap_or(0).max(self.num_rows()) + 1, |_| Ok::<u64, Error>(0))??;
        Ok(self.conversions.zeros.get_or_init(|| made))
    }

    fn converted(&self, column: usize) -> &Converted {
        let make = || self.columns.iter().map(|_| Converted::default()).collect();
        &self.conversions.columns.get_or_init(make)[column]
    }

    /// `None`: no numbers are of this type.
    fn convert(
        &self,
        column: usize,
        items: Items<'_>,
        wanted: Element,
    ) -> Option<std::result::Result<Items<'_>, Unfit>> {
        let validity =
            if self.columns[column].kind.list { self.item_validity(column) } else { self.validity(column) };
        let known = self.converted(column);
        Some(match wanted {
            Element::Int32 => kept(&known.int32, items, validity, |number| {
                number.integer().and_then(|integer| i32::try_from(integer).ok())
            })
            .map(Items::Int32),
            Element::Int64 => kept(&known.int64, items, validity, Number::integer).map(Items::Int64),
            Element::Float => kept(&known.float, items, validity, Number::float).map(Items::Float),
            Element::Double => kept(&known.double, items, validity, Number::double).map(Items::Double),
            _ => return None,
        })
    }
}

/// Names that an error shows at most.
const SHOWN_NAMES: usize = 20;

/// A number of an answer.
#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Real(f64),
}

impl Number {
    fn at(items: Items<'_>, item: usize) -> Number {
        match items {
            Items::Int32(values) => Number::Integer(values[item].into()),
            Items::Int64(values) => Number::Integer(values[item]),
            Items::Float(values) => Number::Real(values[item].into()),
            Items::Double(values) => Number::Real(values[item]),
            // No numbers: they are not converted.
            Items::Null | Items::Bool(_) | Items::Text(..) => Number::Integer(0),
        }
    }

    fn integer(self) -> Option<i64> {
        match self {
            Number::Integer(integer) => Some(integer),
            Number::Real(real) => exact_integer(real),
        }
    }

    fn double(self) -> Option<f64> {
        match self {
            Number::Integer(integer) => exact_double(integer),
            Number::Real(real) => Some(real),
        }
    }

    fn float(self) -> Option<f32> {
        match self {
            Number::Integer(integer) => {
                let float = integer as f32;
                (float as i128 == i128::from(integer)).then_some(float)
            }
            Number::Real(real) => {
                let float = real as f32;
                (float.is_finite() || !real.is_finite()).then_some(float)
            }
        }
    }

    fn shown(self) -> String {
        match self {
            Number::Integer(integer) => integer.to_string(),
            Number::Real(real) => format!("{real:e}"),
        }
    }
}

/// What was converted before, or is now; a null is zero.
fn kept<'a, T: Copy + Default>(
    known: &'a OnceLock<Box<[T]>>,
    items: Items<'_>,
    validity: Option<&[u8]>,
    convert: impl Fn(Number) -> Option<T>,
) -> std::result::Result<&'a [T], Unfit> {
    if let Some(values) = known.get() {
        return Ok(values);
    }
    let count = match items {
        Items::Int32(values) => values.len(),
        Items::Int64(values) => values.len(),
        Items::Float(values) => values.len(),
        Items::Double(values) => values.len(),
        Items::Null | Items::Bool(_) | Items::Text(..) => 0,
    };
    let converted = made(count, |item| {
        if !is_valid(validity, item) {
            return Ok(T::default());
        }
        let number = Number::at(items, item);
        convert(number).ok_or_else(|| (item, number.shown()))
    });
    let values = converted.map_err(|error| (0, error.message))??;
    Ok(known.get_or_init(|| values))
}

/// So many values, or an error where there is no memory for them.
fn made<T, E>(
    count: usize,
    value: impl Fn(usize) -> std::result::Result<T, E>,
) -> Result<std::result::Result<Box<[T]>, E>> {
    let mut values = Vec::new();
    if values.try_reserve_exact(count).is_err() {
        return Err(Error::new(Code::Internal, format!("no memory for {count} converted values")));
    }
    for item in 0..count {
        match value(item) {
            Ok(value) => values.push(value),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(values.into_boxed_slice()))
}

#[cfg(test)]
mod tests {
    use super::super::{Builder, Mixed};
    use super::*;

    /// One column of each kind that an answer gives without a declaration.
    fn answer() -> Response {
        let mut builder = Builder::new(2, 20);
        let names = ["id", "none", "whole", "real", "text", "lists", "flag", "wide"];
        builder.name_columns(names.into_iter(), 1);
        let column = |builder: &mut Builder, place, fill: &dyn Fn(&mut Builder)| {
            builder.begin_column(Type::NULL);
            fill(builder);
            builder.end_column(place);
            builder.make_statuses(place, 1, 2);
        };
        column(&mut builder, 0, &|b| {
            b.integer(1).unwrap();
            b.integer(2).unwrap();
        });
        column(&mut builder, 1, &|b| {
            b.null();
            b.null();
        });
        column(&mut builder, 2, &|b| {
            b.double(3.0).unwrap();
            b.null();
        });
        column(&mut builder, 3, &|b| {
            b.null();
            b.double(0.1).unwrap();
        });
        column(&mut builder, 4, &|b| {
            b.null();
            b.string::<Mixed>(1, |out| {
                out.push(b'x');
                Ok(())
            })
            .unwrap();
        });
        column(&mut builder, 5, &|b| {
            b.begin_list().unwrap();
            b.null_item();
            b.integer(5).unwrap();
            b.end_list();
            b.null();
        });
        column(&mut builder, 6, &|b| {
            b.bool(true).unwrap();
            b.null();
        });
        column(&mut builder, 7, &|b| {
            b.integer((1 << 53) + 1).unwrap();
            b.null();
        });
        builder.finish()
    }

    #[test]
    fn a_column_of_nulls_is_a_column_of_every_type() {
        let answer = answer();
        let of = |element| answer.items_as(1, Type::of(element)).unwrap();
        assert!(matches!(of(Element::Bool), Items::Bool([0, 0])));
        assert!(matches!(of(Element::Int32), Items::Int32([0, 0])));
        assert!(matches!(of(Element::Int64), Items::Int64([0, 0])));
        assert!(matches!(of(Element::Float), Items::Float([0.0, 0.0])));
        assert!(matches!(of(Element::Double), Items::Double([0.0, 0.0])));
        assert!(matches!(of(Element::String), Items::Text([0, 0, 0], [])));
        let lists = Type::list_of(Element::String);
        assert!(matches!(answer.items_as(1, lists).unwrap(), Items::Text([0], [])));
        assert_eq!(answer.list_offsets_as(1, lists).unwrap(), [0, 0, 0]);
        assert!(!is_valid(answer.validity(1), 0));
    }

    #[test]
    fn numbers_are_converted_exactly_and_once() {
        let answer = answer();
        let as_double = |column| answer.items_as(column, Type::of(Element::Double));
        let (Items::Double(first), Items::Double(second)) = (as_double(0).unwrap(), as_double(0).unwrap())
        else {
            panic!("doubles");
        };
        assert_eq!((first, first.as_ptr()), (&[1.0, 2.0][..], second.as_ptr()));
        assert!(matches!(answer.items_as(2, Type::of(Element::Int64)).unwrap(), Items::Int64([3, 0])));
        assert!(matches!(answer.items_as(2, Type::of(Element::Int32)).unwrap(), Items::Int32([3, 0])));
        assert!(matches!(answer.items_as(3, Type::of(Element::Float)).unwrap(), Items::Float([_, 0.1])));
        let lists = Type::list_of(Element::Double);
        assert!(matches!(answer.items_as(5, lists).unwrap(), Items::Double([0.0, 5.0])));
        assert_eq!(answer.list_offsets_as(5, lists).unwrap(), [0, 2, 2]);
    }

    #[test]
    fn what_is_of_another_type_says_so() {
        let answer = answer();
        let refused = |column, kind| {
            let error = answer.items_as(column, kind).unwrap_err();
            assert_eq!(error.code, Code::Type);
            error.message
        };
        assert_eq!(refused(4, Type::of(Element::Int64)), "`text` is STRING, not INT64");
        assert_eq!(refused(3, Type::of(Element::Int64)), "`real` is DOUBLE, not INT64: row 1 is 1e-1");
        assert_eq!(
            refused(7, Type::of(Element::Double)),
            "`wide` is INT64, not DOUBLE: row 0 is 9007199254740993"
        );
        assert_eq!(refused(6, Type::of(Element::Int64)), "`flag` is BOOL, not INT64");
        assert_eq!(refused(5, Type::of(Element::Int64)), "`lists` is INT64_LIST, not INT64");
        assert_eq!(refused(2, Type::list_of(Element::Double)), "`whole` is DOUBLE, not DOUBLE_LIST");
        assert_eq!(answer.items_as(8, Type::of(Element::Bool)).unwrap_err().code, Code::InvalidArgument);
    }

    #[test]
    fn a_name_with_a_typo_is_told_beside_those_that_there_are() {
        let error = answer().column_named("hole").unwrap_err();
        let names = "none, whole, real, text, lists, flag, wide, id";
        assert_eq!(error.message, format!("no column `hole`; the answer has {names}"));
        assert_eq!(answer().column_named("whole").unwrap(), 2);
    }
}
