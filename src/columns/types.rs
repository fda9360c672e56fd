//! The types of columns. Their numbers are those of the C header and of no other meaning.

/// What a value is, or each item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Element {
    /// There is no value.
    Null = 0,
    /// One byte a value, 0 or 1.
    Bool = 1,
    /// Integers of 32 bits.
    Int32 = 2,
    /// Integers of 64 bits.
    Int64 = 3,
    /// Numbers of 32 bits, rounded as numpy.float32 rounds them.
    Float = 4,
    /// Numbers of 64 bits, each exactly as the server wrote it.
    Double = 5,
    /// UTF-8 text.
    String = 6,
    /// Bytes, which the server sends as base64.
    Bytes = 7,
    /// Seconds since 1970 UTC.
    UnixTimestamp = 8,
    /// JSON text of whatever the server sent: maps, lists of lists, values of mixed types.
    Json = 9,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// Of its values, or of the items of its lists.
    pub element: Element,
    /// Whether each value is a list. There is no list of JSON.
    pub list: bool,
}

/// Added to an element's number for lists of it.
const LIST: i32 = 16;

impl Type {
    /// Not known, or all null.
    pub const NULL: Type = Type::of(Element::Null);
    /// Anything, as text.
    pub const JSON: Type = Type::of(Element::Json);

    /// A type of single values.
    pub const fn of(element: Element) -> Type {
        Type { element, list: false }
    }

    /// A type of lists.
    pub const fn list_of(element: Element) -> Type {
        Type { element, list: true }
    }

    /// The number that C knows the type by.
    pub const fn number(self) -> i32 {
        self.element as i32 + if self.list { LIST } else { 0 }
    }

    /// The type with this number.
    pub fn from_number(number: i32) -> Option<Type> {
        const ELEMENTS: [Element; 10] = [
            Element::Null,
            Element::Bool,
            Element::Int32,
            Element::Int64,
            Element::Float,
            Element::Double,
            Element::String,
            Element::Bytes,
            Element::UnixTimestamp,
            Element::Json,
        ];
        let list = number >= LIST;
        let element = usize::try_from(if list { number - LIST } else { number }).ok()?;
        let element = *ELEMENTS.get(element)?;
        (!(list && element == Element::Json)).then_some(Type { element, list })
    }

    /// The name in the C header, without FEAST_TYPE_.
    pub fn name(self) -> &'static str {
        match (self.element, self.list) {
            (Element::Null, false) => "NULL",
            (Element::Bool, false) => "BOOL",
            (Element::Int32, false) => "INT32",
            (Element::Int64, false) => "INT64",
            (Element::Float, false) => "FLOAT",
            (Element::Double, false) => "DOUBLE",
            (Element::String, false) => "STRING",
            (Element::Bytes, false) => "BYTES",
            (Element::UnixTimestamp, false) => "UNIX_TIMESTAMP",
            (Element::Json, _) => "JSON",
            (Element::Null, true) => "NULL_LIST",
            (Element::Bool, true) => "BOOL_LIST",
            (Element::Int32, true) => "INT32_LIST",
            (Element::Int64, true) => "INT64_LIST",
            (Element::Float, true) => "FLOAT_LIST",
            (Element::Double, true) => "DOUBLE_LIST",
            (Element::String, true) => "STRING_LIST",
            (Element::Bytes, true) => "BYTES_LIST",
            (Element::UnixTimestamp, true) => "UNIX_TIMESTAMP_LIST",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_types_are_one_to_one() {
        let mut known = 0;
        for number in -40..60 {
            if let Some(kind) = Type::from_number(number) {
                assert_eq!(kind.number(), number);
                assert!(!kind.name().is_empty());
                known += 1;
            }
        }
        assert_eq!(known, 19);
        assert_eq!(Type::from_number(16 + 9), None, "no list of JSON");
    }
}
