//! Any bytes as an answer: refused, or read as serde_json reads them; straight into a matrix as over columns.
#![no_main]

use feast_remote::columns::{Dense, DenseLayout, Element, Items, Matrix, Response, Type, is_valid};
use feast_remote::wire::answer::frame::Layout;
use feast_remote::wire::answer::decode::{decode, decode_into};
use feast_remote::wire::answer::to_json::to_json;
use feast_remote::wire::request::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;

const FEATURES: [&str; 4] = ["a", "b", "c", "d"];

struct Cells(Vec<f32>);

impl Matrix<f32> for Cells {
    fn put(&mut self, at: usize, value: f32) {
        self.0[at] = value;
    }
    fn put_status(&mut self, at: usize, _: u8) {
        assert!(at < self.0.len());
    }
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
                Element::Json => serde_json::from_slice(bytes).unwrap_or(Value::Null),
                _ => std::str::from_utf8(bytes).unwrap().into(),
            }
        }
    }
}

fn same(ours: &Value, sent: &Value) -> bool {
    match (ours, sent) {
        (Value::Array(ours), Value::Array(sent)) => {
            ours.len() == sent.len() && ours.iter().zip(sent).all(|(ours, sent)| same(ours, sent))
        }
        // Words for what JSON has no number for come back as null here.
        (Value::Null, Value::String(word)) => word.contains("NaN") || word.contains("Inf"),
        (Value::Number(ours), Value::Number(sent)) if ours.is_f64() || sent.is_f64() => {
            ours.as_f64().map(f64::to_bits) == sent.as_f64().map(f64::to_bits)
        }
        _ => ours == sent,
    }
}

fn compare(response: &Response, column: usize, values: &[Value]) {
    let Type { element, list } = response.column_type(column).unwrap();
    let items = response.items(column).unwrap();
    for (row, sent) in values.iter().enumerate() {
        let ours = if !is_valid(response.validity(column), row) {
            Value::Null
        } else if list {
            let offsets = response.list_offsets(column).unwrap();
            (offsets[row] as usize..offsets[row + 1] as usize)
                .map(|at| match is_valid(response.item_validity(column), at) {
                    true => item(items, element, at),
                    false => Value::Null,
                })
                .collect()
        } else {
            item(items, element, row)
        };
        // JSON text with numbers that serde_json cannot hold does not compare.
        assert!(element == Element::Json || same(&ours, sent), "row {row}: {ours} for {sent}");
    }
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (rows, kind, body) = input;
    let rows = usize::from(rows % 4) + 1;
    let mut request = Request::default();
    for (at, name) in FEATURES.iter().take(usize::from(kind % 4) + 1).enumerate() {
        let declared = Type::from_number(i32::from(kind / 4) + at as i32).filter(|kind| kind.element != Element::Null);
        request.add_typed_feature(&format!("v:{name}"), declared.unwrap_or(Type::NULL)).unwrap();
    }
    request.set_entity_int64("id", &vec![7; rows]).unwrap();
    let mut layout = Layout::default();
    let columns = decode(body, &request, &mut layout);
    let mut out = Cells(vec![0.0; rows * 8]);
    let mut dense = Dense { out: &mut out, statuses: true, row_stride: 8, missing: -1.0 };
    let straight = decode_into(body, &request, &mut layout, &mut dense);
    let mut alone = Cells(vec![0.0; rows * 8]);
    let mut dense = Dense { out: &mut alone, statuses: false, row_stride: 8, missing: -1.0 };
    let without_statuses = decode_into(body, &request, &mut layout, &mut dense);
    let bits = |cells: &Cells| cells.0.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(straight.is_ok(), without_statuses.is_ok());
    assert!(straight.is_err() || bits(&out) == bits(&alone));
    let Ok(response) = columns else { return };
    // What is no number for serde_json is told as it came.
    let json = to_json(&response).unwrap();
    if !json.windows(3).any(|word| word == b"NaN") && !json.windows(8).any(|word| word == b"Infinity") {
        serde_json::from_slice::<&RawValue>(&json).unwrap();
    }
    let entities = response.num_entities();
    if let Ok(matrix) = DenseLayout::new(&response, entities..response.num_columns())
        && matrix.width() <= 8
    {
        let mut over_columns = Cells(vec![0.0; rows * 8]);
        let mut dense = Dense { out: &mut over_columns, statuses: true, row_stride: 8, missing: -1.0 };
        if dense.fill(&response, &matrix).is_ok() {
            straight.unwrap();
            assert_eq!(bits(&out), bits(&over_columns));
        }
    }
    // serde_json knows no bare NaN.
    let Ok(tree) = serde_json::from_slice::<Value>(body) else { return };
    let names = match &tree["metadata"]["feature_names"] {
        Value::Array(names) => names.clone(),
        other => other.as_object().and_then(|o| o.values().last().cloned()).unwrap().as_array().unwrap().clone(),
    };
    for column in 0..response.num_columns() {
        let name = std::str::from_utf8(response.name(column).unwrap()).unwrap();
        if kind / 4 == 0
            && names.iter().filter(|known| *known == name).count() == 1
            && let Some(at) = names.iter().position(|known| known == name)
            && let Some(values) = tree["results"][at]["values"].as_array()
        {
            compare(&response, column, values);
        }
    }
});
