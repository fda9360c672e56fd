//! Writes against a real `feast serve`: what was written by us is read by us, bit for bit.

use std::sync::Arc;

use crate::support::feast::Feast;
use feast_remote::columns::{Element, Response, Type, is_valid};
use feast_remote::config::Config;
use feast_remote::error::{Code, Error};
use feast_remote::remote::{Remote, Written};
use feast_remote::wire::request::Request;
use feast_remote::wire::write::{
    Destination, Frame, Items, Lists, Nulls, PushTo, Texts, Values, WriteOptions,
};

const WIDE: i64 = 1 << 53;
const SECOND: i64 = 1_000_000_000;
/// 2026-01-01
const THEN: i64 = 1_767_225_600 * SECOND;

fn open(feast: &Feast) -> Remote {
    let mut config = Config::new().unwrap();
    config.set("path", &feast.url()).unwrap();
    config.set("request_timeout_ms", "60000").unwrap();
    Remote::open(&config).unwrap()
}

fn texts(values: &[&str]) -> Texts {
    let mut texts = Texts::default();
    values.iter().for_each(|text| texts.push(text));
    texts
}

fn with_nulls<T>(values: &[Option<T>]) -> Nulls {
    let nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
    nulls.contains(&true).then_some(nulls)
}

fn read(remote: &Remote, view: &str, features: &[(&str, Type)], drivers: &[i64]) -> Response {
    let mut request = Request::default();
    for (name, kind) in features {
        request.add_typed_feature(&format!("{view}:{name}"), *kind).unwrap();
    }
    request.set_entity_int64("driver_id", drivers).unwrap();
    remote.get_online_features(&request).unwrap()
}

/// Rows whose values of each type are at their ends, with nulls in every column.
struct EveryType {
    drivers: Vec<i64>,
    int32: Vec<Option<i32>>,
    int64: Vec<Option<i64>>,
    float: Vec<Option<f32>>,
    double: Vec<Option<f64>>,
    flag: Vec<Option<bool>>,
    text: Vec<Option<&'static str>>,
    time: Vec<Option<i64>>,
}

impl EveryType {
    fn new(first: i64) -> EveryType {
        EveryType {
            drivers: (first..first + 6).collect(),
            int32: vec![Some(i32::MIN), None, Some(i32::MAX), Some(0), None, Some(-1)],
            int64: vec![Some(i64::MIN), Some(WIDE + 1), None, Some(WIDE - 1), None, Some(i64::MAX)],
            float: vec![Some(0.1), Some(-0.0), Some(f32::MIN_POSITIVE), None, None, Some(f32::MAX)],
            double: vec![Some(0.1 + 0.2), None, Some(5e-324), Some(-0.0), None, Some(f64::MAX)],
            flag: vec![Some(true), Some(false), None, Some(true), None, Some(false)],
            text: vec![Some(""), None, Some("a\"\\\n\u{1f697}"), Some("null"), None, Some("1")],
            time: vec![Some(0), Some(-1), None, Some(1_767_225_600), None, Some(253_402_300_799)],
        }
    }

    fn frame(&self) -> Frame {
        let mut frame = Frame::default();
        let single = Values::Single;
        let or_zero = |values: &[Option<i64>]| values.iter().map(|value| value.unwrap_or(7)).collect();
        frame.add("driver_id", single(Items::Int(self.drivers.clone())), None).unwrap();
        let wide: Vec<Option<i64>> = self.int32.iter().map(|value| value.map(i64::from)).collect();
        frame.add("int32_value", single(Items::Int(or_zero(&wide))), with_nulls(&wide)).unwrap();
        frame.add("int64_value", single(Items::Int(or_zero(&self.int64))), with_nulls(&self.int64)).unwrap();
        let floats = self.float.iter().map(|value| value.unwrap_or(7.0).into()).collect();
        frame.add("float_value", single(Items::Real(floats)), with_nulls(&self.float)).unwrap();
        let doubles = self.double.iter().map(|value| value.unwrap_or(7.0)).collect();
        frame.add("double_value", single(Items::Real(doubles)), with_nulls(&self.double)).unwrap();
        let flags = self.flag.iter().map(|value| value.unwrap_or(true)).collect();
        frame.add("bool_value", single(Items::Bool(flags)), with_nulls(&self.flag)).unwrap();
        let words: Vec<&str> = self.text.iter().map(|value| value.unwrap_or("x")).collect();
        frame.add("string_value", single(Items::Text(texts(&words))), with_nulls(&self.text)).unwrap();
        // What is beyond nanoseconds of 64 bits cannot be given.
        let times = self.time.iter().map(|time| time.unwrap_or(0).min(9_000_000_000) * SECOND).collect();
        frame.add("time_value", single(Items::Timestamp(times)), with_nulls(&self.time)).unwrap();
        let json = r#"["{\"a\": [1, null]}", null, "[]", "1", null, "\"x\""]"#;
        frame.add_json("json_value", json).unwrap();
        frame.add_json("map_value", r#"[{"k": "v"}, null, {}, {"k": "w"}, null, {"é": "ü"}]"#).unwrap();
        let lists = |items| Values::Lists(Lists { ends: vec![2, 2, 2, 2, 2, 3], items });
        // Row 0 has two items, row 2 none, row 5 one; the others are null.
        let nulls = Some(vec![false, true, false, true, true, false]);
        frame
            .add("int64_list", lists(Items::Int(vec![WIDE + 1, i64::MIN, i64::MAX])), nulls.clone())
            .unwrap();
        frame
            .add("float_list", lists(Items::Real(vec![0.5, f64::from(0.1f32), -0.0])), nulls.clone())
            .unwrap();
        frame.add("double_list", lists(Items::Real(vec![0.1, 1.0, 5e-324])), nulls.clone()).unwrap();
        frame.add("string_list", lists(Items::Text(texts(&["", "ü", "null"]))), nulls.clone()).unwrap();
        frame.add("time_list", lists(Items::Timestamp(vec![0, THEN, -SECOND])), nulls).unwrap();
        let when = self.drivers.iter().map(|driver| THEN + driver * SECOND).collect();
        frame.add("event_timestamp", single(Items::Timestamp(when)), None).unwrap();
        frame
    }

    /// That this is what the server has.
    fn is_read(&self, remote: &Remote) {
        let of = |element| Type::of(element);
        let features = [
            ("int32_value", of(Element::Int32)),
            ("int64_value", of(Element::Int64)),
            ("float_value", of(Element::Float)),
            ("double_value", of(Element::Double)),
            ("bool_value", of(Element::Bool)),
            ("string_value", of(Element::String)),
            ("time_value", of(Element::UnixTimestamp)),
            ("json_value", of(Element::String)),
            ("map_value", of(Element::Json)),
            ("int64_list", Type::list_of(Element::Int64)),
            ("float_list", Type::list_of(Element::Float)),
            ("double_list", Type::list_of(Element::Double)),
            ("string_list", Type::list_of(Element::String)),
            ("time_list", Type::list_of(Element::UnixTimestamp)),
        ];
        let response = read(remote, "written", &features, &self.drivers);
        let valid = |column: usize| {
            let validity = response.validity(column);
            (0..6).map(|row| is_valid(validity, row)).collect::<Vec<_>>()
        };
        fn said<T: Copy>(values: &[T], valid: &[bool]) -> Vec<Option<T>> {
            values.iter().zip(valid).map(|(value, valid)| valid.then_some(*value)).collect()
        }
        let text = |column: usize| {
            let (ends, text) = response.string(column).unwrap();
            let text = std::str::from_utf8(text).unwrap();
            let row = |row: usize| text[ends[row] as usize..ends[row + 1] as usize].to_owned();
            (0..6).map(|at| valid(column)[at].then(|| row(at))).collect::<Vec<_>>()
        };
        assert_eq!(said(response.int32(1).unwrap(), &valid(1)), self.int32);
        assert_eq!(said(response.int64(2).unwrap(), &valid(2)), self.int64);
        let bits = |values: &[Option<f32>]| values.iter().map(|v| v.map(f32::to_bits)).collect::<Vec<_>>();
        assert_eq!(bits(&said(response.float(3).unwrap(), &valid(3))), bits(&self.float));
        let bits = |values: &[Option<f64>]| values.iter().map(|v| v.map(f64::to_bits)).collect::<Vec<_>>();
        assert_eq!(bits(&said(response.double(4).unwrap(), &valid(4))), bits(&self.double));
        let flags: Vec<Option<bool>> = said(response.bool(5).unwrap(), &valid(5))
            .into_iter()
            .map(|flag| flag.map(|flag| flag == 1))
            .collect();
        assert_eq!(flags, self.flag);
        let words: Vec<Option<String>> = self.text.iter().map(|text| text.map(str::to_owned)).collect();
        assert_eq!(text(6), words);
        let times: Vec<Option<i64>> =
            self.time.iter().map(|time| time.map(|time| time.min(9_000_000_000))).collect();
        assert_eq!(said(response.int64(7).unwrap(), &valid(7)), times);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(text(8), [some("{\"a\": [1, null]}"), None, some("[]"), some("1"), None, some("\"x\"")]);
        assert!(text(9)[0].as_deref().is_some_and(|map| map.contains("\"v\"")), "{:?}", text(9));
        for column in 10..15 {
            assert_eq!(valid(column), [true, false, true, false, false, true], "column {column}");
            assert_eq!(response.list_offsets(column).unwrap(), [0, 2, 2, 2, 2, 2, 3], "column {column}");
        }
        let items = |column| response.items(column).unwrap();
        use feast_remote::columns::Items as Read;
        assert!(
            matches!(items(10), Read::Int64([a, b, c]) if (*a, *b, *c) == (WIDE + 1, i64::MIN, i64::MAX))
        );
        assert!(
            matches!(items(11), Read::Float(items) if items.iter().map(|i| i.to_bits()).eq([0.5f32, 0.1, -0.0].map(f32::to_bits)))
        );
        assert!(
            matches!(items(12), Read::Double(items) if items.iter().map(|i| i.to_bits()).eq([0.1f64, 1.0, 5e-324].map(f64::to_bits)))
        );
        assert!(matches!(items(13), Read::Text([0, 0, 2, 6], text) if text == "ünull".as_bytes()));
        assert!(matches!(items(14), Read::Int64([0, 1_767_225_600, -1])));
        let when: Vec<i64> = self.drivers.iter().map(|driver| THEN + driver * SECOND).collect();
        assert_eq!(response.event_timestamps(1).unwrap(), when);
    }
}

#[test]
fn what_is_written_is_read_bit_for_bit() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let rows = EveryType::new(5_000);
    let written = remote
        .write(
            Destination::FeatureView("written".to_owned()),
            &Arc::new(rows.frame()),
            WriteOptions::default(),
        )
        .unwrap();
    assert_eq!(written.rows, 6);
    rows.is_read(&remote);
    let pushed = EveryType::new(5_100);
    let source = Destination::PushSource("written_push".to_owned(), PushTo::Online);
    remote.write(source, &Arc::new(pushed.frame()), WriteOptions::default()).unwrap();
    pushed.is_read(&remote);
}

/// Rows of a view with one feature.
fn numbers(first: i64, values: &[Option<i64>]) -> Frame {
    let mut frame = Frame::default();
    let ids = (first..first + values.len() as i64).collect();
    frame.add("driver_id", Values::Single(Items::Int(ids)), None).unwrap();
    let integers = values.iter().map(|value| value.unwrap_or(0)).collect();
    frame.add("number", Values::Single(Items::Int(integers)), with_nulls(values)).unwrap();
    frame.add("event_timestamp", Values::Single(Items::Timestamp(vec![THEN; values.len()])), None).unwrap();
    frame
}

fn write_numbers(remote: &Remote, frame: Frame) -> Result<Written, Error> {
    let view = Destination::FeatureView("written_number".to_owned());
    remote.write(view, &Arc::new(frame), WriteOptions::default())
}

fn read_numbers(remote: &Remote, drivers: &[i64]) -> Vec<Option<i64>> {
    let response = read(remote, "written_number", &[("number", Type::of(Element::Int64))], drivers);
    let validity = response.validity(1);
    let values = response.int64(1).unwrap();
    values.iter().enumerate().map(|(row, value)| is_valid(validity, row).then_some(*value)).collect()
}

#[test]
fn a_null_that_is_a_rows_only_feature_is_written() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    write_numbers(&remote, numbers(6_000, &[Some(1), Some(2), Some(3)])).unwrap();
    let values = [Some(WIDE + 1), None, Some(i64::MIN)];
    assert_eq!(write_numbers(&remote, numbers(6_000, &values)).unwrap().rows, 3);
    assert_eq!(read_numbers(&remote, &[6_000, 6_001, 6_002]), values);
    let alone = write_numbers(&remote, numbers(6_001, &[None])).unwrap_err();
    assert!(alone.message.contains("every feature is null"), "{alone}");
}

#[test]
fn many_rows_are_all_there_and_an_older_one_overwrites_a_newer_one() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let values: Vec<Option<i64>> = (0..3_500).map(|value| Some(value * value)).collect();
    let written = write_numbers(&remote, numbers(10_000, &values)).unwrap();
    assert_eq!((written.rows, written.requests), (3_500, 4));
    let drivers: Vec<i64> = (10_000..13_500).collect();
    assert_eq!(read_numbers(&remote, &drivers), values);
    let mut older = Frame::default();
    older.add("driver_id", Values::Single(Items::Int(vec![10_001])), None).unwrap();
    older.add("number", Values::Single(Items::Int(vec![-1])), None).unwrap();
    older.add("event_timestamp", Values::Single(Items::Timestamp(vec![0])), None).unwrap();
    write_numbers(&remote, older).unwrap();
    assert_eq!(read_numbers(&remote, &[10_001]), [Some(-1)]);
}

#[test]
fn the_columns_of_timestamps_may_have_other_names() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let mut frame = Frame::default();
    frame.add("driver_id", Values::Single(Items::Int(vec![7_000])), None).unwrap();
    frame.add("number", Values::Single(Items::Int(vec![5])), None).unwrap();
    frame.add("happened", Values::Single(Items::Timestamp(vec![THEN])), None).unwrap();
    frame.add("noted", Values::Single(Items::Text(texts(&["2026-01-02T00:00:00+01:00"]))), None).unwrap();
    let frame = Arc::new(frame);
    let view = || Destination::FeatureView("written_at".to_owned());
    let unnamed = remote.write(view(), &frame, WriteOptions::default()).unwrap_err();
    assert!(unnamed.message.contains("no column `event_timestamp`"), "{unnamed}");
    let options = WriteOptions {
        timestamp_field: "happened".to_owned(),
        created_timestamp_column: "noted".to_owned(),
        ..WriteOptions::default()
    };
    remote.write(view(), &frame, options).unwrap();
    let response = read(&remote, "written_at", &[("number", Type::of(Element::Int64))], &[7_000]);
    assert_eq!((response.int64(1).unwrap(), response.event_timestamps(1).unwrap()), (&[5][..], &[THEN][..]));
}

#[test]
fn what_only_the_server_knows_comes_back_as_its_error() {
    let feast = Feast::serve(&[]);
    let remote = open(&feast);
    let frame = Arc::new(numbers(8_000, &[Some(1)]));
    let fails = |destination| remote.write(destination, &frame, WriteOptions::default()).unwrap_err();
    let source = fails(Destination::PushSource("nosuch".to_owned(), PushTo::Online));
    assert_eq!(source.feast_class.as_deref(), Some("PushSourceNotFoundException"), "{source}");
    let view = fails(Destination::FeatureView("nosuch".to_owned()));
    assert_eq!(view.code, Code::NotFound, "{view}");
    let column = fails(Destination::FeatureView("written".to_owned()));
    assert_eq!((column.code, column.rows.unwrap().unwritten), (Code::Server, vec![0]));
    remote.check_health().unwrap();
}
