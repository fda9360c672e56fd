//! A request as the JSON body of one HTTP request, or of several.

use std::ops::Range;

use serde_json::value::RawValue;

use super::{EntityColumn, Request, RequestData, Role};
use crate::error::{Code, Error, Result};
use crate::wire::json::write_string;

impl Request {
    /// Writes the request's JSON body, as Feast's Python server takes it, and says where request data stands in it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<Option<RequestData>> {
        self.encode_with(out, |column, out| out.extend_from_slice(&self.entities[column].json))
    }

    /// The number of requests that it goes out as, if none may have more rows than this; 0: one.
    pub fn parts(&self, most_rows: usize) -> usize {
        if most_rows == 0 { 1 } else { self.rows().div_ceil(most_rows).max(1) }
    }

    /// Writes the bodies of so many requests, all of about the same size.
    pub fn encode_parts(
        &self,
        count: usize,
        mut buffer: impl FnMut() -> Vec<u8>,
    ) -> Result<Vec<(Vec<u8>, Option<RequestData>)>> {
        if count == 1 {
            let mut body = buffer();
            let request_data = self.encode(&mut body)?;
            return Ok(vec![(body, request_data)]);
        }
        let parts: Vec<Range<usize>> = split(self.rows(), count).collect();
        let cuts: Vec<Vec<Range<usize>>> =
            self.entities.iter().map(|column| column.cut(&parts)).collect::<Result<_>>()?;
        let encode = |part: usize| {
            let mut body = buffer();
            let request_data = self.encode_with(&mut body, |column, out| {
                out.push(b'[');
                out.extend_from_slice(&self.entities[column].json[cuts[column][part].clone()]);
                out.push(b']');
            })?;
            Ok((body, request_data))
        };
        (0..parts.len()).map(encode).collect()
    }

    pub(super) fn encode_with(
        &self,
        out: &mut Vec<u8>,
        values: impl Fn(usize, &mut Vec<u8>),
    ) -> Result<Option<RequestData>> {
        out.clear();
        match &self.feature_service {
            Some(name) => {
                out.extend_from_slice(b"{\"feature_service\":");
                write_string(out, name)?;
            }
            None => {
                out.extend_from_slice(b"{\"features\":");
                for (i, reference) in self.features.iter().enumerate() {
                    out.push(if i == 0 { b'[' } else { b',' });
                    out.extend_from_slice(&reference.json);
                }
                out.push(b']');
            }
        }
        out.extend_from_slice(b",\"entities\":");
        let mut request_data = None;
        let mut separator = b'{';
        let of = |role| self.entities.iter().enumerate().filter(move |(_, column)| column.role == role);
        for (i, column) in of(Role::Entity).chain(of(Role::RequestData)) {
            if column.role == Role::RequestData && request_data.is_none() {
                request_data = Some(RequestData::at(out.len(), separator == b'{'));
            }
            out.push(separator);
            separator = b',';
            write_string(out, &column.name)?;
            out.push(b':');
            values(i, out);
        }
        out.extend_from_slice(b"},\"full_feature_names\":");
        out.extend_from_slice(if self.full_feature_names { b"true" } else { b"false" });
        if self.feature_view_versions {
            out.extend_from_slice(b",\"include_feature_view_version_metadata\":true");
        }
        out.push(b'}');
        Ok(request_data)
    }
}

/// The rows of each of so many requests that one goes out as.
pub fn split(rows: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).map(move |part| rows * part / count..rows * (part + 1) / count)
}

impl EntityColumn {
    /// Where the values of each part stand in the column's JSON.
    fn cut(&self, parts: &[Range<usize>]) -> Result<Vec<Range<usize>>> {
        let broken = || Error::new(Code::Internal, "an entity column is not a JSON array");
        // The reader that let it in: what that takes for JSON must not be refused here.
        let values: Vec<&RawValue> = serde_json::from_slice(&self.json).map_err(|_| broken())?;
        let offset = |value: &RawValue| value.get().as_ptr().addr() - self.json.as_ptr().addr();
        let cut = |part: &Range<usize>| {
            let (first, last) = (values.get(part.start)?, values.get(part.end - 1)?);
            Some(offset(first)..offset(last) + last.get().len())
        };
        parts.iter().map(cut).collect::<Option<_>>().ok_or_else(broken)
    }
}
