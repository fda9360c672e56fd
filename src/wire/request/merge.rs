//! Requests that differ only in their entities' values, as one request.

use super::entities::Setter;
use super::{Request, RequestData};
use crate::error::Result;

impl Request {
    /// What requests must have in common to go out as one, as bytes to compare; `None` if this one must go alone.
    ///
    /// The server takes a column's type from its values, so columns set in different ways, and such as may hold
    /// nulls or anything else, must not meet in one request.
    pub fn merge_key(&self) -> Option<Vec<u8>> {
        if self.unmerged || self.entities.iter().any(|column| column.setter == Setter::Json) {
            return None;
        }
        let mut key = self.question_key();
        for column in &self.entities {
            key.push(column.setter as u8);
            key.push(column.role as u8);
            key.extend_from_slice(&column.name.len().to_le_bytes());
            key.extend_from_slice(column.name.as_bytes());
        }
        self.key_of_headers(&mut key);
        Some(key)
    }

    /// What it asks for, whatever the rows, as bytes to compare.
    pub fn question_key(&self) -> Vec<u8> {
        let features: usize = self.features.iter().map(|feature| feature.json.len()).sum();
        let names: usize = self.entities.iter().map(|column| column.name.len() + 10).sum();
        let service = self.feature_service.as_deref();
        let mut key = Vec::with_capacity(features + names + service.map_or(0, str::len) + 3);
        key.push(u8::from(self.full_feature_names));
        key.push(u8::from(self.feature_view_versions));
        // Features are quoted and names counted, so that nothing can pass for the end of another thing.
        match service {
            Some(service) => {
                key.push(1);
                key.extend_from_slice(service.as_bytes());
            }
            None => self.features.iter().for_each(|feature| key.extend_from_slice(&feature.json)),
        }
        key
    }

    /// Writes the body of the request that asks for the rows of all `members`, which have the same merge key.
    pub fn encode_merged<'a>(
        members: impl Iterator<Item = &'a Request> + Clone,
        out: &mut Vec<u8>,
    ) -> Result<Option<RequestData>> {
        let Some(first) = members.clone().next() else { return Ok(None) };
        first.encode_with(out, |column, out| {
            out.push(b'[');
            for (i, member) in members.clone().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(member.entities[column].values());
            }
            out.push(b']');
        })
    }

    /// What it asks, for a message: names of features, and no values.
    pub fn words(&self) -> String {
        const SHOWN: usize = 3;
        if let Some(service) = &self.feature_service {
            return format!("the feature service `{service}`");
        }
        let names: Vec<String> =
            self.features.iter().take(SHOWN).map(|feature| format!("`{}`", feature.as_str())).collect();
        let more = match self.features.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}", names.join(", "))
    }

    /// The bytes that its values add to a body.
    pub fn entity_bytes(&self) -> usize {
        self.entities.iter().map(|column| column.json.len()).sum()
    }

    /// This request for another number of rows, without values: by which the answer to a merged request is read.
    pub fn with_rows(&self, rows: usize) -> Request {
        let mut request = self.question();
        request.entities.iter_mut().for_each(|column| column.rows = rows);
        request
    }

    /// Whether two requests with the same merge key ask for the same rows.
    pub fn has_rows_of(&self, other: &Request) -> bool {
        self.entities.iter().zip(&other.entities).all(|(ours, theirs)| ours.json == theirs.json)
    }
}

impl super::EntityColumn {
    /// Its values as JSON, without the brackets around them.
    fn values(&self) -> &[u8] {
        self.json.get(1..self.json.len() - 1).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn request(ids: &[i64]) -> Request {
        let mut request = Request::default();
        request.add_feature("v:a").unwrap();
        request.set_entity_int64("id", ids).unwrap();
        request
    }

    #[test]
    fn requests_that_differ_in_more_than_their_rows_have_different_keys() {
        let key = request(&[1]).merge_key().unwrap();
        assert_eq!(request(&[2, 3]).merge_key(), Some(key.clone()));
        type Change = fn(&mut Request);
        let changes: [(&str, Change); 10] = [
            ("a feature more", |r| r.add_feature("v:b").unwrap()),
            ("an entity more", |r| r.set_entity_int64("other", &[1]).unwrap()),
            ("full names", |r| r.set_full_feature_names(true)),
            ("doubles", |r| r.set_entity_double("id", &[1.0]).unwrap()),
            ("strings", |r| r.set_entity_string("id", [Ok("1")].into_iter()).unwrap()),
            ("booleans", |r| r.set_entity_bool("id", [true].into_iter()).unwrap()),
            ("request data", |r| r.set_int64(Role::RequestData, "id", &[1]).unwrap()),
            ("versions", |r| r.set_include_feature_view_version_metadata(true)),
            ("a header", |r| r.set_header("X-Tenant", "a").unwrap()),
            ("a service", |r| r.set_feature_service("v:a").unwrap()),
        ];
        for (what, change) in changes {
            let mut other = request(&[1]);
            change(&mut other);
            assert_ne!(other.merge_key().unwrap(), key, "{what}");
        }
        let with_header = |name: &str, value: &str| {
            let mut request = request(&[1]);
            request.set_header(name, value).unwrap();
            request.merge_key().unwrap()
        };
        assert_eq!(with_header("X-Tenant", "a"), with_header("x-tenant", "a"));
        assert_ne!(with_header("X-Tenant", "a"), with_header("X-Tenant", "b"));
        let mut traced = request(&[1]);
        traced.set_trace_context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "").unwrap();
        assert_eq!(traced.merge_key(), Some(key), "trace contexts differ from call to call");
        let mut json = request(&[1]);
        json.set_entity_json("id", "[1]").unwrap();
        assert_eq!(json.merge_key(), None, "JSON may hold nulls and mixed types");
        let mut alone = request(&[1]);
        alone.set_merge(false);
        assert_eq!(alone.merge_key(), None);
    }

    #[test]
    fn a_merged_body_asks_for_the_rows_of_all_in_order() {
        let (a, b) = (request(&[1, 2]), request(&[-3]));
        let mut body = Vec::new();
        Request::encode_merged([&a, &b].into_iter(), &mut body).unwrap();
        let mut alone = Vec::new();
        request(&[1, 2, -3]).encode(&mut alone).unwrap();
        assert_eq!(body, alone);
    }
}
