//! Searches of documents by a vector, and their answers.
//!
//! A feast 0.67 pairs rows wrongly in its answers (feature_store.py, `_retrieve_from_online_store_v2`): the join keys, its
//! last columns, come in the order of rank, all other columns in the order of the sorted keys, and the vector column repeats
//! the query. Join keys that are asked for as features move with these, so that rows can be brought into the order of rank,
//! whatever order a server gives them.

mod answer;

use std::time::Duration;

pub use answer::{Ranked, SearchAnswer};

use super::json::{write_double, write_integer, write_string};
use crate::error::{Error, Result};

/// What distance metrics stores know, in small letters (feast/infra/online_stores).
const METRICS: [&str; 9] =
    ["l2", "cosine", "ip", "inner_product", "l1", "hamming", "jaccard", "euclidean", "dot"];

/// A search: for which features, nearest to what.
#[derive(Clone, Debug, Default)]
pub struct Search {
    view: String,
    /// Names within the view.
    features: Vec<String>,
    query: Vec<f32>,
    top_k: usize,
    distance_metric: Option<String>,
    /// JSON.
    filters: Option<String>,
    /// Of the whole search.
    pub timeout: Option<Duration>,
}

impl Search {
    /// Asks for a feature, `view:feature`; all must be of one view.
    pub fn add_feature(&mut self, reference: &str) -> Result<()> {
        let Some((view, feature)) =
            reference.split_once(':').filter(|(view, feature)| !view.is_empty() && !feature.is_empty())
        else {
            return Err(Error::argument(format!("`{reference}` is not of the form view:feature")));
        };
        if !self.view.is_empty() && self.view != view {
            let why = format!("a search is in one feature view, and `{reference}` is not of `{}`", self.view);
            return Err(Error::argument(why));
        }
        if feature == "distance" {
            return Err(Error::argument(
                "`distance` is the answer's own column; there is no feature of that name to ask for",
            ));
        }
        if self.features.iter().any(|known| known == feature) {
            return Err(Error::argument(format!("the feature `{reference}` has been added already")));
        }
        self.view = view.to_owned();
        self.features.push(feature.to_owned());
        Ok(())
    }

    /// What documents shall be near to.
    pub fn set_query(&mut self, vector: &[f32]) -> Result<()> {
        if vector.is_empty() {
            return Err(Error::argument("the query is empty"));
        }
        if let Some(at) = vector.iter().position(|value| !value.is_finite()) {
            return Err(Error::argument(format!(
                "query, item {at}: {} cannot be written as JSON",
                vector[at]
            )));
        }
        self.query = vector.to_vec();
        Ok(())
    }

    /// How many documents, at most.
    pub fn set_top_k(&mut self, top_k: usize) -> Result<()> {
        if !(1..=1_000_000).contains(&top_k) {
            return Err(Error::argument(format!("top_k is {top_k}, not from 1 to 1000000")));
        }
        self.top_k = top_k;
        Ok(())
    }

    /// How distance is measured, where the view itself does not say it.
    pub fn set_distance_metric(&mut self, metric: &str) -> Result<()> {
        if !METRICS.iter().any(|known| known.eq_ignore_ascii_case(metric)) {
            let known = METRICS.join(", ");
            return Err(Error::argument(format!(
                "`{metric}` is no distance metric that a store knows: {known}"
            )));
        }
        self.distance_metric = Some(metric.to_owned());
        Ok(())
    }

    /// Which documents are looked at, as Feast's JSON says it.
    pub fn set_filters(&mut self, json: &str) -> Result<()> {
        let object: std::result::Result<serde_json::Map<String, serde_json::Value>, _> =
            serde_json::from_str(json);
        if let Err(error) = object {
            return Err(Error::argument(format!("filters: not a JSON object: {error}")));
        }
        self.filters = Some(json.trim().to_owned());
        Ok(())
    }

    /// Says what is missing.
    pub fn check(&self) -> Result<()> {
        if self.features.is_empty() {
            return Err(Error::argument("the search names no feature"));
        }
        if self.query.is_empty() {
            return Err(Error::argument("the search has no query vector"));
        }
        if self.top_k == 0 {
            return Err(Error::argument("the search has no top_k"));
        }
        Ok(())
    }

    /// The feature view.
    pub fn view(&self) -> &str {
        &self.view
    }

    /// The features asked for.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// The query vector.
    pub fn query(&self) -> &[f32] {
        &self.query
    }

    /// Writes the JSON body, with these join keys among the features.
    pub fn encode(&self, join_keys: &[String], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        out.extend_from_slice(b"{\"features\":");
        for (at, name) in self
            .features
            .iter()
            .chain(join_keys.iter().filter(|key| !self.features.contains(key)))
            .enumerate()
        {
            out.push(if at == 0 { b'[' } else { b',' });
            write_string(out, &format!("{}:{name}", self.view))?;
        }
        out.extend_from_slice(b"],\"query\":");
        for (at, &value) in self.query.iter().enumerate() {
            out.push(if at == 0 { b'[' } else { b',' });
            write_double(out, value.into())?;
        }
        out.extend_from_slice(b"],\"top_k\":");
        write_integer(out, self.top_k as i64);
        if let Some(metric) = &self.distance_metric {
            out.extend_from_slice(b",\"distance_metric\":");
            write_string(out, metric)?;
        }
        if let Some(filters) = &self.filters {
            out.extend_from_slice(b",\"filters\":");
            out.extend_from_slice(filters.as_bytes());
        }
        out.extend_from_slice(b",\"api_version\":2}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_what_feast_expects() {
        let mut search = Search::default();
        search.add_feature("docs:text").unwrap();
        search.set_query(&[0.5, 0.1]).unwrap();
        search.set_top_k(3).unwrap();
        let mut out = Vec::new();
        search.encode(&["doc_id".to_owned()], &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out.clone()).unwrap(),
            r#"{"features":["docs:text","docs:doc_id"],"query":[0.5,0.10000000149011612],"top_k":3,"api_version":2}"#
        );
        search.set_distance_metric("L2").unwrap();
        search.set_filters(r#" {"type":"eq","key":"text","value":"x"} "#).unwrap();
        search.encode(&[], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains(r#","distance_metric":"L2","filters":{"type":"eq","key":"text","value":"x"},"api"#),
            "{text}"
        );
    }

    #[test]
    fn what_can_be_known_to_be_wrong_is_refused() {
        let mut search = Search::default();
        for bad in ["", "text", ":text", "docs:", "docs:distance"] {
            assert!(search.add_feature(bad).is_err(), "{bad}");
        }
        assert!(search.check().unwrap_err().message.contains("no feature"));
        search.add_feature("docs:text").unwrap();
        assert!(search.add_feature("docs:text").is_err() && search.add_feature("other:text").is_err());
        assert!(search.check().unwrap_err().message.contains("no query"));
        assert!(search.set_query(&[]).is_err() && search.set_query(&[f32::NAN]).is_err());
        search.set_query(&[1.0]).unwrap();
        assert!(search.check().unwrap_err().message.contains("no top_k"));
        assert!(search.set_top_k(0).is_err());
        assert!(search.set_distance_metric("nonsense").unwrap_err().message.contains("cosine"));
        assert!(search.set_filters("[]").is_err() && search.set_filters("{").is_err());
    }
}
