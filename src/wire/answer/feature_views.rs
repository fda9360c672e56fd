//! `feature_view_metadata` of an answer: `[{"name": "driver_hourly_stats", "version": 2}]`, as Feast 0.67 writes it. What is 0 or
//! empty is left out there.

use std::ffi::CString;

use serde_json::Value;

use super::error::{ReadResult, refuse};
use crate::columns::FeatureViewVersion;

/// Reads it; nothing, where the answer has none.
pub fn read(text: Option<&str>) -> ReadResult<Vec<FeatureViewVersion>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let views = match serde_json::from_str(text) {
        Ok(Value::Null) => return Ok(Vec::new()),
        Ok(Value::Array(views)) => views,
        _ => return refuse("`feature_view_metadata` is not a list"),
    };
    let read: Option<Vec<FeatureViewVersion>> = views.iter().map(feature_view).collect();
    read.map_or_else(|| refuse("`feature_view_metadata` has something else than names and versions"), Ok)
}

fn feature_view(view: &Value) -> Option<FeatureViewVersion> {
    let view = view.as_object()?;
    let name = view.get("name").map_or(Some(""), Value::as_str)?;
    // Protobuf's own JSON writes 64 bits as a string.
    let version = match view.get("version") {
        None => 0,
        Some(Value::String(digits)) => digits.parse().ok()?,
        Some(version) => version.as_i64()?,
    };
    Some(FeatureViewVersion { name: CString::new(name).ok()?, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_read_and_nothing_else() {
        let read = |text| {
            read(Some(text)).map(|views| views.into_iter().map(|view| (view.name, view.version)).collect())
        };
        let expected: Vec<(CString, i64)> = vec![(c"a".to_owned(), 2), (c"b".to_owned(), 0)];
        assert_eq!(read(r#"[{"name":"a","version":"2"},{"name":"b"}]"#).ok(), Some(expected));
        assert_eq!(read("null").ok(), Some(Vec::new()));
        for odd in
            ["{}", "[1]", r#"[{"name":1}]"#, r#"[{"name":"a\u0000"}]"#, r#"[{"name":"a","version":"x"}]"#]
        {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
