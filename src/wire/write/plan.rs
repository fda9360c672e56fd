//! Which rows go out together.
//!
//! Rows of one request have the same nulls in their columns of integers, booleans and timestamps, so that the server's data
//! frame keeps their values as they are. A request whose features are all null is answered with a 200 and not written
//! (feature_store.py, write_to_online_store): where that may be so it carries another row too, which is written a second
//! time, by its own request, afterwards.

use std::collections::HashMap;

use super::frame::{Column, Frame, Items, Values, is_number};
use super::options::{Destination, WriteOptions};
use crate::error::{Error, Result};

/// About so many bytes a request has at most, if it has more than one row.
const MOST_BYTES: usize = 4 << 20;

/// Rows of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// To be written.
    pub rows: Vec<usize>,
    /// Sent along, and not counted.
    pub companion: Option<usize>,
}

/// The requests of a write, in order.
#[derive(Debug)]
pub struct Plan {
    chunks: std::vec::IntoIter<Chunk>,
}

impl Iterator for Plan {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        self.chunks.next()
    }
}

impl Plan {
    /// Of a frame that has been [checked](Frame::check). 0 rows at most: as many as there are.
    pub fn new(
        frame: &Frame,
        destination: &Destination,
        options: &WriteOptions,
        most_rows: usize,
    ) -> Result<Plan> {
        let most_rows = if most_rows == 0 { usize::MAX } else { most_rows };
        let chunks = groups(frame).into_iter().flat_map(|group| cut(frame, group, most_rows));
        let judged = chunks.map(|rows| (Risk::of(frame, options, &rows), rows));
        let alone = |rows| Chunk { rows, companion: None };
        if destination.appends() || !destination.is_online() {
            // Another row would be there twice, and integers as text may not suit an offline store.
            let checked = judged.map(|(risk, rows)| match risk {
                Some(risk) if destination.is_online() => {
                    risk.refused_alone(rows[0]).map_or(Ok(alone(rows)), Err)
                }
                _ => Ok(alone(rows)),
            });
            return Ok(Plan { chunks: checked.collect::<Result<Vec<_>>>()?.into_iter() });
        }
        let (risky, safe): (Vec<_>, Vec<_>) = judged.partition(|(risk, _)| risk.is_some());
        let safe: Vec<Vec<usize>> = safe.into_iter().map(|(_, rows)| rows).collect();
        // Together they have what each of them lacks; in order, since of rows of the same entity the last one stays.
        let mut pooled: Vec<usize> = risky.into_iter().flat_map(|(_, rows)| rows).collect();
        pooled.sort_unstable();
        let mut companions: HashMap<Vec<usize>, Option<usize>> = HashMap::new();
        let mut chunks = Vec::new();
        for rows in cut(frame, pooled, most_rows) {
            let Some(risk) = Risk::of(frame, options, &rows) else {
                chunks.push(alone(rows));
                continue;
            };
            // Of a request that comes later and carries no other row itself.
            let companion = *companions.entry(risk.nulls.clone()).or_insert_with(|| {
                let fits =
                    |row: &&usize| risk.nulls.iter().any(|&column| !frame.columns[column].is_null(**row));
                safe.iter().flatten().find(fits).copied()
            });
            if companion.is_none()
                && let Some(refused) = risk.refused_alone(rows[0])
            {
                return Err(refused);
            }
            chunks.push(Chunk { rows, companion });
        }
        chunks.extend(safe.into_iter().map(alone));
        Ok(Plan { chunks: chunks.into_iter() })
    }

    /// Rows that are yet to be written.
    pub fn rest(self) -> impl Iterator<Item = usize> {
        self.chunks.flat_map(|chunk| chunk.rows)
    }

    /// Requests that are yet to be made.
    pub fn requests(&self) -> usize {
        self.chunks.len()
    }
}

impl Column {
    /// About so many bytes a row takes.
    fn size(&self, row: usize) -> usize {
        match &self.values {
            Values::Single(Items::Text(texts)) | Values::Json(texts) => texts.get(row).len() + 3,
            Values::Lists(lists) => {
                let items = lists.items_of(row);
                match &lists.items {
                    Items::Text(texts) => items.map(|item| texts.get(item).len() + 3).sum::<usize>() + 3,
                    _ => 20 * items.len() + 3,
                }
            }
            _ => 20,
        }
    }
}

/// Rows with the same nulls in the columns that mind them, in the order of their first rows.
fn groups(frame: &Frame) -> Vec<Vec<usize>> {
    let minding: Vec<&Column> =
        frame.columns.iter().filter(|column| column.nulls.is_some() && column.minds_nulls()).collect();
    if minding.is_empty() {
        return vec![(0..frame.rows()).collect()];
    }
    let mut places: HashMap<Vec<bool>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for row in 0..frame.rows() {
        let nulls: Vec<bool> = minding.iter().map(|column| column.is_null(row)).collect();
        let place = *places.entry(nulls).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    groups
}

/// Rows that go out in one request each time, of so many rows and bytes at most.
fn cut(frame: &Frame, rows: Vec<usize>, most_rows: usize) -> Vec<Vec<usize>> {
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let size = frame.columns.iter().map(|column| column.size(row)).sum::<usize>();
        if chunk.len() == most_rows || (!chunk.is_empty() && bytes + size > MOST_BYTES) {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
        chunk.push(row);
        bytes += size;
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

/// Why the features of some rows may all be null.
struct Risk {
    /// The columns that are null in all of them.
    nulls: Vec<usize>,
    /// How many others there are, each of which may be a join key.
    filled: usize,
}

impl Risk {
    fn of(frame: &Frame, options: &WriteOptions, rows: &[usize]) -> Option<Risk> {
        let values = (0..frame.columns.len()).filter(|&at| !options.names_moments(&frame.columns[at].name));
        let (nulls, filled): (Vec<usize>, Vec<usize>) =
            values.partition(|&at| rows.iter().all(|&row| frame.columns[at].is_null(row)));
        let may_be_join_key = |&at: &usize| frame.columns[at].may_be_join_key(rows);
        (!nulls.is_empty() && filled.iter().all(may_be_join_key))
            .then_some(Risk { nulls, filled: filled.len() })
    }

    /// The error of rows that certainly have no feature, and go out by themselves.
    fn refused_alone(&self, first: usize) -> Option<Error> {
        let why = "every feature is null, and there is no row with one to send along: a server would say 200 and write nothing";
        (self.filled < 2).then(|| Error::argument(format!("row {first}: {why}")))
    }
}

impl Column {
    /// What is neither an integer nor text is no join key, so it is a feature.
    fn may_be_join_key(&self, rows: &[usize]) -> bool {
        match &self.values {
            Values::Single(items) => matches!(items, Items::Int(_) | Items::Text(_)),
            Values::Json(texts) => rows.iter().all(|&row| {
                self.is_null(row) || is_number(texts.get(row)) || texts.get(row).starts_with('"')
            }),
            Values::Lists(_) | Values::Null(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Texts;
    use super::super::options::PushTo;
    use super::*;

    fn view() -> Destination {
        Destination::FeatureView("v".to_owned())
    }

    fn nulls(rows: &[usize], count: usize) -> Option<Vec<bool>> {
        Some((0..count).map(|row| rows.contains(&row)).collect())
    }

    fn ints(count: usize) -> Values {
        Values::Single(Items::Int((0..count as i64).collect()))
    }

    fn planned(frame: &Frame, destination: &Destination, most: usize) -> Vec<(Vec<usize>, Option<usize>)> {
        let plan = Plan::new(frame, destination, &WriteOptions::default(), most).unwrap();
        plan.map(|chunk| (chunk.rows, chunk.companion)).collect()
    }

    #[test]
    fn rows_go_out_in_chunks_and_nulls_beside_integers_apart() {
        let mut frame = Frame::default();
        frame.add("id", ints(5), None).unwrap();
        frame.add("real", Values::Single(Items::Real(vec![0.0; 5])), nulls(&[0], 5)).unwrap();
        assert_eq!(planned(&frame, &view(), 2), [(vec![0, 1], None), (vec![2, 3], None), (vec![4], None)]);
        frame.add("trips", ints(5), nulls(&[1, 3], 5)).unwrap();
        frame.add("flag", Values::Single(Items::Bool(vec![true; 5])), nulls(&[4], 5)).unwrap();
        assert_eq!(planned(&frame, &view(), 9), [(vec![0, 2], None), (vec![1, 3], None), (vec![4], None)]);
        frame.add_json("json", r#"[1, 2, 3, null, 5]"#).unwrap();
        assert_eq!(planned(&frame, &view(), 0).len(), 4, "numbers in JSON are numbers");
        let mut texts = Frame::default();
        texts.add_json("json", r#"["1", {}, null, [2]]"#).unwrap();
        assert_eq!(planned(&texts, &view(), 0), [(vec![0, 1, 2, 3], None)]);
    }

    #[test]
    fn a_request_of_nulls_alone_carries_a_row_that_the_server_does_not_pass_over() {
        let mut frame = Frame::default();
        frame.add("id", ints(3), None).unwrap();
        frame.add("trips", ints(3), nulls(&[1], 3)).unwrap();
        // First, so that the row that goes along is written by its own request afterwards.
        assert_eq!(planned(&frame, &view(), 0), [(vec![1], Some(0)), (vec![0, 2], None)]);
        let push = |to| Destination::PushSource("p".to_owned(), to);
        assert_eq!(planned(&frame, &push(PushTo::Offline), 0), [(vec![0, 2], None), (vec![1], None)]);
        let both = Plan::new(&frame, &push(PushTo::OnlineAndOffline), &WriteOptions::default(), 0);
        assert!(both.unwrap_err().message.starts_with("row 1: every feature is null"));
    }

    /// Found by a reviewer: rows that went along for each other overwrote a newer one.
    #[test]
    fn rows_that_lack_what_the_others_have_go_out_together_in_order() {
        let mut frame = Frame::default();
        frame.add("id", ints(4), None).unwrap();
        frame.add("a", ints(4), nulls(&[1], 4)).unwrap();
        frame.add("b", ints(4), nulls(&[0, 2], 4)).unwrap();
        assert_eq!(planned(&frame, &view(), 0), [(vec![0, 1, 2], None), (vec![3], None)]);
        // A key by JSON is a key, too.
        let mut json = Frame::default();
        json.add_json("id", r#"[1, "2"]"#).unwrap();
        json.add("trips", ints(2), nulls(&[1], 2)).unwrap();
        assert_eq!(planned(&json, &view(), 0), [(vec![1], Some(0)), (vec![0], None)]);
    }

    #[test]
    fn what_may_be_a_feature_is_sent_without_another_row_if_there_is_none() {
        let mut frame = Frame::default();
        frame.add("id", ints(1), None).unwrap();
        frame.add("trips", ints(1), nulls(&[0], 1)).unwrap();
        assert!(Plan::new(&frame, &view(), &WriteOptions::default(), 0).is_err());
        let mut texts = Texts::default();
        texts.push("a");
        // It may be a join key or a feature.
        frame.add("city", Values::Single(Items::Text(texts)), None).unwrap();
        assert_eq!(planned(&frame, &view(), 0), [(vec![0], None)]);
    }

    #[test]
    fn large_rows_make_small_chunks() {
        let mut texts = Texts::default();
        (0..4).for_each(|_| texts.push(&"x".repeat(MOST_BYTES / 2 - 10)));
        let mut frame = Frame::default();
        frame.add("text", Values::Single(Items::Text(texts)), None).unwrap();
        assert_eq!(planned(&frame, &view(), 0), [(vec![0, 1], None), (vec![2, 3], None)]);
        let rest: Vec<usize> = Plan::new(&frame, &view(), &WriteOptions::default(), 1)
            .unwrap()
            .skip(1)
            .flat_map(|chunk| chunk.rows)
            .collect();
        assert_eq!(rest, [1, 2, 3]);
    }
}
