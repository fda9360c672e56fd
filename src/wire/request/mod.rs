//! What is asked: features for rows of entities. Each feature and entity column is encoded once, when it is set.

mod declared;
mod encode;
mod entities;
mod feature;
mod headers;
mod max_age;
mod merge;
mod request_data;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::columns::Type;
use crate::error::{Error, Result};
use declared::Declaration;
pub use declared::Declared;
pub use encode::split;
pub use entities::{EntityColumn, Role};
use feature::FeatureReference;
pub use headers::RequestHeaders;
pub use max_age::MaxAge;
pub use request_data::RequestData;

/// Which feature of a request a column's name means.
pub enum Named {
    /// The feature with this number.
    Feature(usize),
    /// Any of several versions.
    Several,
    /// None of them.
    None,
}

/// What decides which column of an answer is which of a request's.
#[derive(Debug, Default)]
pub struct Naming {
    features: Arc<Vec<FeatureReference>>,
    feature_service: bool,
    full_feature_names: bool,
    entities: Vec<(Arc<str>, Role)>,
}

/// A request, independent of any store; may be used any number of times, by several threads at once while
/// nobody changes it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Shared with the calls under way, which need them to read their answers.
    features: Arc<Vec<FeatureReference>>,
    feature_service: Option<String>,
    full_feature_names: bool,
    /// The versions of the feature views are asked for, too.
    feature_view_versions: bool,
    entities: Vec<EntityColumn>,
    /// Of columns by their names in the answer.
    declarations: Arc<Vec<Declaration>>,
    max_age: Option<MaxAge>,
    /// By feature view.
    view_max_ages: Vec<(String, MaxAge)>,
    /// Of a call; zero: it is over before it begins.
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// Not to be merged with other calls.
    unmerged: bool,
    /// Shared with the exchanges under way.
    headers: Option<Arc<RequestHeaders>>,
}

impl Request {
    /// Adds a feature reference, `view:feature`.
    pub fn add_feature(&mut self, reference: &str) -> Result<()> {
        self.add_typed_feature(reference, Type::NULL)
    }

    /// Adds a feature reference whose column shall have this type.
    pub fn add_typed_feature(&mut self, reference: &str, kind: Type) -> Result<()> {
        if self.features.iter().any(|known| known.as_str() == reference) {
            return Err(Error::argument(format!("the feature `{reference}` has been added already")));
        }
        let reference = FeatureReference::parse(reference, kind)?;
        Arc::make_mut(&mut self.features).push(reference);
        Ok(())
    }

    /// Asks for a feature service instead of single features.
    pub fn set_feature_service(&mut self, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::argument("the name of the feature service is empty"));
        }
        self.feature_service = Some(name.to_owned());
        Ok(())
    }

    /// Asks for names like `view__feature` in the answer.
    pub fn set_full_feature_names(&mut self, full: bool) {
        self.full_feature_names = full;
    }

    /// Asks for the versions of the feature views, too.
    pub fn set_include_feature_view_version_metadata(&mut self, include: bool) {
        self.feature_view_versions = include;
    }

    /// Whether the versions of the feature views are asked for.
    pub fn includes_feature_view_version_metadata(&self) -> bool {
        self.feature_view_versions
    }

    /// Overrides the store's `request_timeout_ms`, which `None` takes again. After zero a call ends before anything is sent.
    pub fn set_timeout(&mut self, timeout: impl Into<Option<Duration>>) {
        self.timeout = timeout.into();
    }

    /// Calls end by then, and by their timeout if that is earlier; the store's `request_timeout_ms` does not count.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Whether its calls may go out in one request with others, where the store merges; they may unless told otherwise.
    pub fn set_merge(&mut self, merge: bool) {
        self.unmerged = !merge;
    }

    /// The features asked for; `None` with a feature service.
    pub fn features(&self) -> Option<&[FeatureReference]> {
        self.feature_service.is_none().then_some(&**self.features)
    }

    /// How a message about a feature's values begins.
    pub fn feature_words(&self, feature: usize) -> String {
        match self.features.get(feature) {
            Some(feature) => format!("feature `{}`, ", feature.as_str()),
            None => format!("feature number {feature} of the service, "),
        }
    }

    /// The feature that a column of an answer is named after, searched from number `from` on.
    pub fn find_feature(&self, name: &str, from: usize) -> Named {
        let count = self.features.len();
        let mut order = (from..count).chain(0..from.min(count));
        if let Some(found) = order.find(|&i| self.features[i].is_named(name, self.full_feature_names)) {
            return Named::Feature(found);
        }
        if !self.full_feature_names {
            return Named::None;
        }
        let mut fitting = (0..count).filter(|&i| self.features[i].is_named_without_version(name));
        let first = fitting.next();
        match (first, fitting.next()) {
            (Some(_), Some(_)) => Named::Several,
            (Some(feature), None) => Named::Feature(feature),
            (None, _) => Named::None,
        }
    }

    /// The entity columns in the order in which they were first set.
    pub fn entities(&self) -> &[EntityColumn] {
        &self.entities
    }

    /// What decides which column of an answer is which of this request's.
    pub fn naming(&self) -> Naming {
        Naming {
            features: Arc::clone(&self.features),
            feature_service: self.feature_service.is_some(),
            full_feature_names: self.full_feature_names,
            entities: self.entities.iter().map(|column| (Arc::clone(&column.name), column.role)).collect(),
        }
    }

    /// Whether the columns of this request's answers are named in the same way.
    pub fn is_named_by(&self, naming: &Naming) -> bool {
        self.features == naming.features
            && self.feature_service.is_some() == naming.feature_service
            && self.full_feature_names == naming.full_feature_names
            && self
                .entities
                .iter()
                .map(|column| (&column.name, column.role))
                .eq(naming.entities.iter().map(|(name, role)| (name, *role)))
    }

    /// Whether names like `view__feature` were asked for.
    pub fn full_feature_names(&self) -> bool {
        self.full_feature_names
    }

    /// This request's own time limit.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The moment by which its calls have to end.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Rows asked for, once [`check`](Request::check) has passed.
    pub fn rows(&self) -> usize {
        self.entities.first().map_or(0, |column| column.rows)
    }

    /// As much of it as reading the answer needs: all but the entities' values. Costs little, whatever its size.
    pub fn question(&self) -> Request {
        let without_values = |column: &EntityColumn| EntityColumn {
            name: Arc::clone(&column.name),
            rows: column.rows,
            role: column.role,
            setter: column.setter,
            json: Vec::new(),
        };
        Request {
            features: Arc::clone(&self.features),
            feature_service: self.feature_service.clone(),
            full_feature_names: self.full_feature_names,
            feature_view_versions: self.feature_view_versions,
            entities: self.entities.iter().map(without_values).collect(),
            declarations: Arc::clone(&self.declarations),
            max_age: self.max_age,
            view_max_ages: self.view_max_ages.clone(),
            timeout: self.timeout,
            deadline: self.deadline,
            unmerged: self.unmerged,
            headers: self.headers.clone(),
        }
    }

    /// Says what is missing or contradictory before anything goes over the wire.
    pub fn check(&self) -> Result<()> {
        match (self.features.is_empty(), &self.feature_service) {
            (true, None) => {
                return Err(Error::argument("the request names no feature and no feature service"));
            }
            (false, Some(_)) => {
                return Err(Error::argument(
                    "the request names features and a feature service; a request takes one or the other",
                ));
            }
            _ => (),
        }
        let Some(first) = self.entities.first() else {
            return Err(Error::argument("the request has no entities"));
        };
        if let Some(other) = self.entities.iter().find(|column| column.rows != first.rows) {
            return Err(Error::argument(format!(
                "entity columns must have equal lengths: `{}` has {} rows, `{}` has {}",
                first.name, first.rows, other.name, other.rows
            )));
        }
        if first.rows == 0 {
            return Err(Error::argument("the request has no rows: its entity columns are empty"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json::write_double;

    fn encoded(request: &Request) -> String {
        let mut out = b"left over".to_vec();
        request.encode(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_body_is_what_feast_expects() {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.add_feature("w:\"b\"").unwrap();
        request.set_entity_int64("id", &[i64::MIN, -1, i64::MAX]).unwrap();
        request.set_entity_double("d", &[1.0, -0.0, 1e300]).unwrap();
        request.set_entity_bool("b", [true, false, true].into_iter()).unwrap();
        request.set_entity_string("s", ["a\"\n", "", "ü"].into_iter().map(Ok)).unwrap();
        request.set_entity_json("j", " [null, [1], {}] ").unwrap();
        request.check().unwrap();
        assert_eq!(
            encoded(&request),
            "{\"features\":[\"v:a\",\"w:\\\"b\\\"\"],\"entities\":{\
             \"id\":[-9223372036854775808,-1,9223372036854775807],\"d\":[1.0,-0.0,1.0e300],\
             \"b\":[true,false,true],\"s\":[\"a\\\"\\n\",\"\",\"ü\"],\"j\":[null, [1], {}]},\
             \"full_feature_names\":false}"
        );
    }

    #[test]
    fn what_may_be_sent_whole_may_be_sent_in_parts() {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let values = [r#""\ud800""#, &deep, r#" {"],[": "\"]"} "#, "null", "1e999"];
        request.set_entity_json("j", &format!("[{}]", values.join(" , "))).unwrap();
        request.set_entity_string("s", ["],[", "\"", "", ",", "ü"].into_iter().map(Ok)).unwrap();
        let parts = request.encode_parts(3, Vec::new).unwrap();
        let entities = |part: &[u8]| {
            let text = String::from_utf8(part.to_vec()).unwrap();
            let start = text.find("\"entities\":").unwrap() + 11;
            text[start..text.rfind(",\"full").unwrap()].to_owned()
        };
        assert_eq!(entities(&parts[0].0), r#"{"j":["\ud800"],"s":["],["]}"#);
        assert_eq!(entities(&parts[1].0), format!(r#"{{"j":[{deep} ,  {{"],[": "\"]"}}],"s":["\"",""]}}"#));
        assert_eq!(entities(&parts[2].0), r#"{"j":[null , 1e999],"s":[",","ü"]}"#);
        assert_eq!(request.parts(0), 1);
        assert_eq!([1, 2, 4, 5, 6].map(|most| request.parts(most)), [5, 3, 2, 1, 1]);
    }

    #[test]
    fn every_double_has_a_point_and_reads_back_bit_for_bit() {
        for value in [1e21, 1e16, 5e-324, 1.7976931348623157e308, 0.1, -3.0, 123456789.0] {
            let mut out = Vec::new();
            write_double(&mut out, value).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains('.'), "{text}");
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
        }
    }

    #[test]
    fn setting_an_entity_again_replaces_it_in_place() {
        let mut request = Request::default();
        request.set_feature_service("s").unwrap();
        request.set_entity_int64("a", &[1, 2]).unwrap();
        request.set_entity_int64("b", &[3, 4]).unwrap();
        request.set_entity_string("a", ["x", "y"].into_iter().map(Ok)).unwrap();
        assert_eq!(
            encoded(&request),
            r#"{"feature_service":"s","entities":{"a":["x","y"],"b":[3,4]},"full_feature_names":false}"#
        );
    }

    #[test]
    fn a_request_that_cannot_be_answered_is_refused_before_it_is_sent() {
        let refused = |request: &Request| request.check().unwrap_err().message;
        let mut request = Request::default();
        assert!(refused(&request).contains("names no feature"));
        request.add_feature("v:f").unwrap();
        assert!(refused(&request).contains("no entities"));
        request.set_entity_int64("a", &[]).unwrap();
        assert!(refused(&request).contains("no rows"));
        request.set_entity_int64("a", &[1]).unwrap();
        request.set_entity_json("b", "[1,2]").unwrap();
        assert!(refused(&request).contains("`a` has 1 rows, `b` has 2"));
        request.set_entity_json("b", "[1]").unwrap();
        request.check().unwrap();
        request.set_feature_service("s").unwrap();
        assert!(refused(&request).contains("one or the other"));
    }

    #[test]
    fn bad_arguments_are_refused_where_they_are_given() {
        let mut request = Request::default();
        for bad in ["", "feature", ":feature", "view:"] {
            assert!(request.add_feature(bad).unwrap_err().message.contains("view:feature"), "{bad}");
        }
        request.add_feature("v:f").unwrap();
        assert!(request.add_feature("v:f").is_err());
        assert!(request.set_entity_double("d", &[1.0, f64::NAN]).unwrap_err().message.contains("row 1"));
        for bad in ["", "{}", "[1", "[1] 2", "1"] {
            assert!(request.set_entity_json("j", bad).unwrap_err().message.contains("JSON array"), "{bad}");
        }
        for bad in [r#"["a\u0000"]"#, r#"[{"\\\u0000":1}]"#] {
            assert!(request.set_entity_json("j", bad).unwrap_err().message.contains("a NUL"), "{bad}");
        }
        Request::default().set_entity_json("j", r#"["\\u0000"]"#).unwrap();
        assert!(request.set_entity_int64("", &[1]).is_err());
        assert!(request.entities().is_empty(), "a refused column leaves no trace");
    }
}
