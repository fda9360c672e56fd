//! The answer to a search, brought into the order of rank.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::Search;
use crate::error::{Error, Result};
use crate::wire::answer::decode::utf8;
use crate::wire::json::write_string;
use crate::wire::request::Request;

const DISTANCE: &str = "distance";

/// A column as it came: JSON texts, one a row.
#[derive(Clone, Default)]
struct Column<'a> {
    values: Vec<&'a str>,
    statuses: Vec<&'a str>,
    event_timestamps: Vec<&'a str>,
}

/// See the module.
pub struct SearchAnswer<'a> {
    names: Vec<String>,
    columns: Vec<Column<'a>>,
    /// Names of the last columns, which come in the order of rank.
    pub join_keys: Vec<String>,
    asked: usize,
}

/// Rows in the order of rank.
pub struct Ranked<'a> {
    join_keys: Vec<String>,
    keys: Vec<Column<'a>>,
    features: Vec<(String, Column<'a>)>,
    distances: Column<'a>,
    rows: usize,
}

fn odd(what: &str) -> Error {
    Error::decode(format!("the server's answer to the search {what}"))
}

fn array<'a>(object: &HashMap<String, &'a RawValue>, key: &str) -> Result<Vec<&'a str>> {
    let Some(array) = object.get(key) else { return Ok(Vec::new()) };
    let values: Vec<&RawValue> =
        serde_json::from_str(array.get()).map_err(|_| odd(&format!("has no array of {key}")))?;
    Ok(values.into_iter().map(RawValue::get).collect())
}

impl<'a> SearchAnswer<'a> {
    /// Reads the body of an HTTP 200 that answers a request for so many features.
    pub fn read(body: &'a [u8], asked: usize) -> Result<SearchAnswer<'a>> {
        let text = utf8(body)?;
        let top: HashMap<String, &RawValue> =
            serde_json::from_str(text).map_err(|error| odd(&format!("cannot be read: {error}")))?;
        let metadata: HashMap<String, &RawValue> = top
            .get("metadata")
            .and_then(|metadata| serde_json::from_str(metadata.get()).ok())
            .ok_or_else(|| odd("has no metadata"))?;
        let names: Vec<String> = metadata
            .get("feature_names")
            .and_then(|names| serde_json::from_str(names.get()).ok())
            .ok_or_else(|| odd("has no feature_names"))?;
        let results: Vec<HashMap<String, &RawValue>> = top
            .get("results")
            .and_then(|results| serde_json::from_str(results.get()).ok())
            .ok_or_else(|| odd("has no results"))?;
        if results.len() != names.len() || names.len() < asked {
            return Err(odd(&format!("has {} columns and {} names", results.len(), names.len())));
        }
        let column = |result: &HashMap<String, &'a RawValue>| {
            Ok(Column {
                values: array(result, "values")?,
                statuses: array(result, "statuses")?,
                event_timestamps: array(result, "event_timestamps")?,
            })
        };
        let columns: Vec<Column<'a>> = results.iter().map(column).collect::<Result<_>>()?;
        let rows = columns.first().map_or(0, |column| column.values.len());
        if columns.iter().any(|column| column.values.len() != rows) {
            return Err(odd("has columns of unequal length"));
        }
        // Behind the features stand distance, text_rank if text was searched for, and the join keys.
        let join_keys =
            names[asked..].iter().filter(|name| *name != DISTANCE && *name != "text_rank").cloned().collect();
        Ok(SearchAnswer { names, columns, join_keys, asked })
    }

    /// Documents that were found.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    fn column_from(&self, name: &str, range: std::ops::Range<usize>) -> Option<&Column<'a>> {
        range.into_iter().find(|&at| self.names[at] == name).map(|at| &self.columns[at])
    }

    /// Its rows in the order of rank: that of the join keys behind the features. The join keys were asked for as features, too.
    pub fn rank(&self, search: &Search) -> Result<Ranked<'a>> {
        let behind = || self.asked..self.names.len();
        let missing = |name: &str| odd(&format!("has no column `{name}`"));
        let mut ranked = Vec::new();
        let mut moving = Vec::new();
        for key in &self.join_keys {
            ranked.push(self.column_from(key, behind()).ok_or_else(|| missing(key))?);
            moving.push(self.column_from(key, 0..self.asked).ok_or_else(|| missing(key))?);
        }
        let distances = self.column_from(DISTANCE, behind()).ok_or_else(|| missing(DISTANCE))?;
        let key_of = |columns: &[&Column<'a>], row: usize| {
            columns.iter().map(|column| column.values[row]).collect::<Vec<&str>>()
        };
        let mut rows_of: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
        for row in (0..self.rows()).rev() {
            rows_of.entry(key_of(&moving, row)).or_default().push(row);
        }
        let mut order = Vec::new();
        for rank in 0..self.rows() {
            let row = rows_of.get_mut(&key_of(&ranked, rank)).and_then(Vec::pop);
            order.push(row.ok_or_else(|| odd("has a key that none of its rows has"))?);
        }
        let sorted = |column: &Column<'a>| {
            let pick = |values: &Vec<&'a str>| match values.len() == order.len() {
                true => order.iter().map(|&row| values[row]).collect(),
                false => Vec::new(),
            };
            Column {
                values: pick(&column.values),
                statuses: pick(&column.statuses),
                event_timestamps: pick(&column.event_timestamps),
            }
        };
        let features = search
            .features()
            .iter()
            .filter(|name| !self.join_keys.contains(name))
            .map(|name| {
                let column = self.column_from(name, 0..self.asked).ok_or_else(|| missing(name))?;
                Ok((name.clone(), sorted(column)))
            })
            .collect::<Result<_>>()?;
        Ok(Ranked {
            join_keys: self.join_keys.clone(),
            keys: ranked.into_iter().cloned().collect(),
            features,
            distances: sorted(distances),
            rows: self.rows(),
        })
    }
}

impl<'a> Ranked<'a> {
    /// The features whose values all repeat the query: vectors, of which the server has not sent its own.
    pub fn repeated(&self, query: &[f32]) -> Vec<String> {
        let repeats = |value: &&str| {
            serde_json::from_str::<Vec<f64>>(value).is_ok_and(|items| {
                items.len() == query.len()
                    && items.iter().zip(query).all(|(item, wanted)| *item as f32 == *wanted)
            })
        };
        let repeated = self.features.iter().filter(|(_, column)| column.values.iter().all(repeats));
        repeated.map(|(name, _)| name.clone()).collect()
    }

    /// Asks for features of the documents that were found.
    pub fn request_for(&self, view: &str, features: &[String]) -> Result<Request> {
        let mut request = Request::default();
        features.iter().try_for_each(|name| request.add_feature(&format!("{view}:{name}")))?;
        for (name, column) in self.join_keys.iter().zip(&self.keys) {
            request.set_entity_json(name, &format!("[{}]", column.values.join(",")))?;
        }
        Ok(request)
    }

    /// Replaces features by what answers [`request_for`](Ranked::request_for).
    pub fn replace(&mut self, features: &[String], body: &'a [u8]) -> Result<()> {
        let answer = SearchAnswer::read(body, 0)?;
        if answer.rows() != self.rows {
            return Err(odd("and that for the vectors have different numbers of rows"));
        }
        for wanted in features {
            let found = answer.column_from(wanted, 0..answer.names.len());
            let found = found.ok_or_else(|| odd(&format!("has no column `{wanted}`")))?.clone();
            if let Some((_, column)) = self.features.iter_mut().find(|(name, _)| name == wanted) {
                *column = found;
            }
        }
        Ok(())
    }

    /// The same as the answer to a request for features of these entities: join keys, features, distance.
    pub fn into_answer(self, view: &str) -> Result<(Request, Vec<u8>)> {
        let names: Vec<String> = self.features.iter().map(|(name, _)| name.clone()).collect();
        let mut request = self.request_for(view, &names)?;
        request.add_typed_feature(
            &format!("{view}:{DISTANCE}"),
            crate::columns::Type::of(crate::columns::Element::Double),
        )?;
        let mut body = b"{\"metadata\":{\"feature_names\":".to_vec();
        let all = self.join_keys.iter().chain(&names).map(String::as_str).chain([DISTANCE]);
        for (at, name) in all.enumerate() {
            body.push(if at == 0 { b'[' } else { b',' });
            write_string(&mut body, name)?;
        }
        body.extend_from_slice(b"]},\"results\":");
        let columns =
            self.keys.iter().chain(self.features.iter().map(|(_, column)| column)).chain([&self.distances]);
        for (at, column) in columns.enumerate() {
            body.push(if at == 0 { b'[' } else { b',' });
            body.extend_from_slice(format!("{{\"values\":[{}]", column.values.join(",")).as_bytes());
            for (key, values) in
                [("statuses", &column.statuses), ("event_timestamps", &column.event_timestamps)]
            {
                if !values.is_empty() {
                    body.extend_from_slice(format!(",\"{key}\":[{}]", values.join(",")).as_bytes());
                }
            }
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
        Ok((request, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search() -> Search {
        let mut search = Search::default();
        search.add_feature("docs:text").unwrap();
        search.add_feature("docs:embedding").unwrap();
        search.set_query(&[0.5, 0.1]).unwrap();
        search.set_top_k(3).unwrap();
        search
    }

    /// As a feast 0.67 answers: all but the last column in the order of the sorted keys.
    const SHUFFLED: &str = r#"{"results":[
        {"values":["one","three","ten"],"statuses":["PRESENT","PRESENT","PRESENT"]},
        {"values":[[0.5,0.10000000149011612],[0.5,0.10000000149011612],[0.5,0.10000000149011612]]},
        {"values":[1,3,10]},{"values":[0.5,0.02,0.01]},{"values":[10,3,1]}],
        "metadata":{"feature_names":["text","embedding","doc_id","distance","doc_id"]}}"#;

    #[test]
    fn rows_come_in_the_order_of_rank_whatever_order_the_server_gives() {
        let in_order = SHUFFLED
            .replace(r#"["one","three","ten"]"#, r#"["ten","three","one"]"#)
            .replace("[1,3,10]", "[10,3,1]")
            .replace("[0.5,0.02,0.01]", "[0.01,0.02,0.5]");
        for text in [SHUFFLED, &in_order] {
            let answer = SearchAnswer::read(text.as_bytes(), 3).unwrap();
            assert_eq!((answer.rows(), &answer.join_keys[..]), (3, &["doc_id".to_owned()][..]));
            let ranked = answer.rank(&search()).unwrap();
            assert_eq!(ranked.features[0].1.values, [r#""ten""#, r#""three""#, r#""one""#]);
            assert_eq!(ranked.distances.values, ["0.01", "0.02", "0.5"]);
            assert_eq!(ranked.repeated(search().query()), ["embedding"]);
            let (request, body) = ranked.into_answer("docs").unwrap();
            assert_eq!((request.rows(), request.features().unwrap().len()), (3, 3));
            let text = String::from_utf8(body).unwrap();
            assert!(
                text.starts_with(r#"{"metadata":{"feature_names":["doc_id","text","embedding","distance"]}"#),
                "{text}"
            );
        }
    }

    #[test]
    fn odd_answers_are_refused() {
        let refused = |text: &str, asked| match SearchAnswer::read(text.as_bytes(), asked) {
            Err(error) => error.message,
            Ok(answer) => answer.rank(&search()).err().unwrap().message,
        };
        assert!(refused("[]", 1).contains("cannot be read"));
        assert!(refused("{}", 1).contains("no metadata"));
        assert!(refused(&SHUFFLED.replace("[10,3,1]", "[10,3]"), 3).contains("unequal length"));
        assert!(
            refused(&SHUFFLED.replace("[10,3,1]", "[10,3,2]"), 3).contains("a key that none of its rows has")
        );
        assert!(
            refused(&SHUFFLED.replace("\"distance\"", "\"nearness\""), 3).contains("no column `nearness`")
        );
    }
}
