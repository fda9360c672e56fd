//! Cells of a response as JSON values, for comparing.

use feast_remote::columns::{Element, Items, Response, is_valid};
use serde_json::Value;

/// The column with this name.
pub fn column(response: &Response, name: &str) -> usize {
    response.find_column(name.as_bytes()).unwrap_or_else(|| panic!("no column {name}"))
}

/// A row of a column: a list as an array, bytes as an array of numbers, JSON as what its text says.
pub fn cell(response: &Response, column: usize, row: usize) -> Value {
    if !is_valid(response.validity(column), row) {
        return Value::Null;
    }
    let element = response.column_type(column).unwrap().element;
    let items = response.items(column).unwrap();
    let Some(offsets) = response.list_offsets(column) else {
        return item(items, element, row);
    };
    (offsets[row] as usize..offsets[row + 1] as usize)
        .map(|at| match is_valid(response.item_validity(column), at) {
            true => item(items, element, at),
            false => Value::Null,
        })
        .collect()
}

fn item(items: Items, element: Element, at: usize) -> Value {
    match items {
        Items::Null => Value::Null,
        Items::Bool(values) => Value::Bool(values[at] == 1),
        Items::Int32(values) => values[at].into(),
        Items::Int64(values) => values[at].into(),
        Items::Float(values) => f64::from(values[at]).into(),
        Items::Double(values) => values[at].into(),
        Items::Text(offsets, data) => {
            let bytes = &data[offsets[at] as usize..offsets[at + 1] as usize];
            match element {
                Element::Bytes => bytes.into(),
                Element::Json => serde_json::from_slice(bytes).unwrap(),
                _ => std::str::from_utf8(bytes).unwrap().into(),
            }
        }
    }
}
