//! The frame of an answer: `{"results": […], "metadata": {"feature_names": […]}}`, and which of its columns is
//! which of the request's.
//!
//! Names come behind the results in some servers' answers and before them in others', and are needed first: a
//! column's place and declared type hang on its name. So the metadata is looked up ahead, and what was found is
//! checked when the reader gets there.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memrchr_iter;

use super::error::{ReadError, ReadResult, refuse};
use super::scanner::Scanner;
use crate::wire::request::{Named, Naming, Request, Role};

/// More columns than any answer has; a bound on what one can make this process store.
const MOST_COLUMNS: usize = 100_000;
/// Bytes of a longer name than any feature has.
const LONGEST_NAME: usize = 4096;

/// The longest metadata that is kept for the next answer.
const KEPT_METADATA: usize = 64 * 1024;

/// Where each column of an answer goes. Kept from call to call for its buffers, and because the next answer to the same
/// request has the same columns.
#[derive(Debug, Default)]
pub struct Layout {
    /// The metadata that it was made from, and of what request; empty if it is not to be used again.
    metadata: Vec<u8>,
    naming: Naming,
    /// Where the metadata begins and ends in the text at hand.
    start: usize,
    end: usize,
    /// The value of `feature_view_metadata` within the metadata, if it is there.
    feature_views: Option<Range<usize>>,
    /// Names within the metadata, quotes excluded, in the server's order.
    names: Vec<Range<usize>>,
    /// The name's escapes undone, where it has some.
    unescaped: Vec<(usize, String)>,
    /// For each of the server's columns its place in the response.
    places: Vec<usize>,
    /// The inverse of `places`.
    order: Vec<usize>,
    /// Entities; they come first in the response.
    entities: usize,
    /// For finding places: the server's column of each entity and each feature of the request.
    found: Vec<Option<usize>>,
}

/// What is made of an answer's columns.
pub trait Columns<'a> {
    /// Called before the first column, and again if the text turns out to have been misread so far.
    fn begin(&mut self, text: &'a str, layout: &Layout, request: &Request) -> ReadResult<()>;
    /// Reads one element of `results`, the column number `place` of the response.
    fn column(&mut self, scanner: &mut Scanner<'a>, place: usize) -> ReadResult<()>;
}

impl Layout {
    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.places.len()
    }

    /// The number of entities; they have the first places.
    pub fn entities(&self) -> usize {
        self.entities
    }

    /// The answer's metadata as it stands in the text.
    pub fn metadata_in<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Which versions of which feature views the answer is from, as it stands in the text.
    pub fn feature_views_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let Range { start, end } = self.feature_views.clone()?;
        text.get(self.start + start..self.start + end)
    }

    /// The names in their places.
    pub fn names_in_order<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> + Clone {
        self.order.iter().map(move |&column| self.name(text, column))
    }

    /// The name of one of the server's columns.
    fn name<'a>(&'a self, text: &'a str, column: usize) -> &'a str {
        match self.unescaped.binary_search_by_key(&column, |(at, _)| *at) {
            Ok(at) => &self.unescaped[at].1,
            Err(_) => {
                let Range { start, end } = self.names[column];
                text.get(self.start + start..self.start + end).unwrap_or_default()
            }
        }
    }

    /// Whether it was made from an answer to such a request.
    pub fn is_of(&self, request: &Request) -> bool {
        !self.metadata.is_empty() && request.is_named_by(&self.naming)
    }

    /// Makes this the layout of an answer with its metadata at `start`; returns where that ends.
    fn make(&mut self, text: &str, start: usize, request: &Request) -> ReadResult<usize> {
        let metadata = text.as_bytes().get(start..).unwrap_or_default();
        if self.is_of(request) && metadata.starts_with(&self.metadata) {
            (self.start, self.end) = (start, start + self.metadata.len());
            return Ok(self.end);
        }
        self.metadata.clear();
        self.start = start;
        let end = read_metadata(text, self)?;
        self.end = end;
        arrange(text, request, self)?;
        if end - start <= KEPT_METADATA {
            self.metadata.extend_from_slice(&metadata[..end - start]);
            self.naming = request.naming();
        }
        Ok(end)
    }
}

/// Reads `text` as the answer to `request`.
pub fn read<'a>(
    text: &'a str,
    request: &Request,
    layout: &mut Layout,
    columns: &mut impl Columns<'a>,
) -> ReadResult<()> {
    if let Some(guess) = guess_metadata(text)
        && let Ok(end) = layout.make(text, guess, request)
        && let Some(outcome) = read_results(text, request, layout, guess..end, columns)
    {
        return outcome;
    }
    // Unusual text: find the metadata by reading all that comes before it.
    let place = find_metadata(text)?;
    let end = layout.make(text, place, request)?;
    match read_results(text, request, layout, place..end, columns) {
        Some(outcome) => outcome,
        None => refuse("`metadata` stands in it twice"),
    }
}

/// Where the value of `metadata` probably begins: behind the first key, or behind its last mention.
fn guess_metadata(text: &str) -> Option<usize> {
    const KEY: &str = "\"metadata\"";
    let mut scanner = Scanner::new(text);
    if !(scanner.literal("{") && scanner.literal(KEY)) {
        // Names have few colons, so few steps back lead there.
        let colon = memrchr_iter(b':', text.as_bytes())
            .take(1000)
            .find(|&colon| text.as_bytes()[..colon].trim_ascii_end().ends_with(KEY.as_bytes()))?;
        scanner = Scanner::new(text);
        scanner.skip(colon);
    }
    scanner.literal(":").then(|| {
        scanner.peek();
        scanner.at()
    })
}

fn find_metadata(text: &str) -> ReadResult<usize> {
    let mut found = None;
    let mut results = false;
    let mut scanner = Scanner::new(text);
    scanner.object(|scanner, key| {
        scanner.peek();
        if key.is("metadata") && found.replace(scanner.at()).is_some() {
            return refuse("`metadata` stands in it twice");
        }
        results |= key.is("results");
        scanner.value()?;
        Ok(())
    })?;
    nothing_after(&mut scanner)?;
    match found {
        _ if !results => refuse("it has no `results`"),
        Some(place) => Ok(place),
        None => refuse("it has no `metadata.feature_names`"),
    }
}

fn nothing_after(scanner: &mut Scanner) -> ReadResult<()> {
    if scanner.at_end() { Ok(()) } else { Ok(scanner.syntax_error("text after the end of the answer")?) }
}

/// `{"feature_names": […]}`, or as protobuf's own JSON writes a list: `{"feature_names": {"val": […]}}`. Returns
/// where it ends.
fn read_metadata(text: &str, layout: &mut Layout) -> ReadResult<usize> {
    layout.names.clear();
    layout.unescaped.clear();
    layout.feature_views = None;
    let mut scanner = Scanner::new(text);
    scanner.skip(layout.start);
    let mut named = false;
    scanner.object(|scanner, key| {
        if key.is("feature_view_metadata") {
            scanner.peek();
            let start = scanner.at();
            scanner.value()?;
            layout.feature_views = Some(start - layout.start..scanner.at() - layout.start);
            return Ok(());
        }
        if !key.is("feature_names") {
            scanner.value()?;
            return Ok(());
        }
        if std::mem::replace(&mut named, true) {
            return refuse("`feature_names` stands in it twice");
        }
        if scanner.peek() == b'{' {
            scanner.object(|scanner, _| read_names(scanner, layout))
        } else {
            read_names(scanner, layout)
        }
    })?;
    if !named {
        return refuse("it has no `metadata.feature_names`");
    }
    Ok(scanner.at())
}

fn read_names(scanner: &mut Scanner, layout: &mut Layout) -> ReadResult<()> {
    scanner.array(|scanner| {
        let column = layout.names.len();
        if column >= MOST_COLUMNS {
            return refuse(format!("it has more than {MOST_COLUMNS} columns"));
        }
        let raw = scanner.string()?;
        if raw.raw.len() > LONGEST_NAME {
            return refuse(format!("a column's name has more than {LONGEST_NAME} bytes"));
        }
        let name = raw.text().map_err(|why| ReadError::Answer(why.to_owned()))?;
        let end = scanner.at() - 1 - layout.start;
        layout.names.push(end - raw.raw.len()..end);
        // Without an escape a string has no control characters.
        if let Cow::Owned(name) = name {
            if name.contains('\0') {
                return refuse("a column's name contains a NUL");
            }
            layout.unescaped.push((column, name));
        }
        Ok(())
    })
}

/// Reads the columns; `None` if the metadata is not at `metadata`, where it was read.
fn read_results<'a>(
    text: &'a str,
    request: &Request,
    layout: &Layout,
    metadata: Range<usize>,
    columns: &mut impl Columns<'a>,
) -> Option<ReadResult<()>> {
    let mut results = false;
    let mut confirmed = false;
    let mut misled = false;
    let mut scanner = Scanner::new(text);
    let mut read = || -> ReadResult<()> {
        columns.begin(text, layout, request)?;
        scanner.object(|scanner, key| {
            if key.is("results") {
                if std::mem::replace(&mut results, true) {
                    return refuse("`results` stands in it twice");
                }
                let mut count = 0;
                scanner.array(|scanner| {
                    let Some(&place) = layout.places.get(count) else {
                        return refuse(format!("it names {count} columns and holds more"));
                    };
                    count += 1;
                    columns.column(scanner, place).map_err(|error| match error {
                        ReadError::Answer(why) => {
                            ReadError::Answer(format!("column `{}`: {why}", layout.name(text, count - 1)))
                        }
                        error => error,
                    })
                })?;
                if count != layout.columns() {
                    return refuse(format!("it names {} columns and holds {count}", layout.columns()));
                }
            } else if key.is("metadata") {
                scanner.peek();
                if confirmed || scanner.at() != metadata.start {
                    misled = true;
                    return refuse("`metadata` stands in it twice");
                }
                confirmed = true;
                scanner.skip(metadata.len());
            } else {
                scanner.value()?;
            }
            Ok(())
        })?;
        nothing_after(&mut scanner)
    };
    let outcome = read();
    if misled || (outcome.is_ok() && !confirmed) {
        return None;
    }
    if outcome.is_err() && !confirmed && find_metadata(text).is_ok_and(|place| place != metadata.start) {
        // The failure may come from a wrong idea of the columns.
        return None;
    }
    Some(match outcome {
        Ok(()) if !results => refuse("it has no `results`"),
        outcome => outcome,
    })
}

/// The places of the server's columns: entities as in the request, then the features as asked, or as the server
/// has them for a feature service.
fn arrange(text: &str, request: &Request, layout: &mut Layout) -> ReadResult<()> {
    let entities = request.entities().len();
    let asked = request.features();
    let mut found = std::mem::take(&mut layout.found);
    found.clear();
    found.resize(entities + asked.map_or(0, <[_]>::len), None);
    layout.order.clear();
    let outcome = assign(text, request, layout, &mut found);
    if outcome.is_ok() {
        layout.entities = found[..entities].iter().flatten().count();
        // Features of a feature service were put into `order` by the way; the others come before them.
        let served = layout.order.len();
        layout.order.extend(found.iter().flatten());
        layout.order.rotate_left(served);
        layout.places.clear();
        layout.places.resize(layout.order.len(), 0);
        for (place, &column) in layout.order.iter().enumerate() {
            layout.places[column] = place;
        }
    }
    layout.found = found;
    outcome
}

/// Finds the server's column of each entity and feature; those of a feature service go into the layout's order.
fn assign(text: &str, request: &Request, layout: &mut Layout, found: &mut [Option<usize>]) -> ReadResult<()> {
    let (entities, features) = found.split_at_mut(request.entities().len());
    // Servers often keep the order, so the search begins behind the feature found last.
    let mut next = 0;
    let mut unknown = Vec::new();
    for column in 0..layout.names.len() {
        let name = layout.name(text, column);
        let named =
            |role| request.entities().iter().position(|known| known.role() == role && *known.name == *name);
        if let Some(entity) = named(Role::Entity).filter(|&entity| entities[entity].is_none()) {
            entities[entity] = Some(column);
            continue;
        }
        if request.features().is_none() {
            layout.order.push(column);
            continue;
        }
        match request.find_feature(name, next) {
            Named::Feature(feature) if features[feature].is_none() => {
                features[feature] = Some(column);
                next = feature + 1;
            }
            Named::Feature(_) => return refuse(format!("column `{name}` stands in it twice")),
            // Servers do not repeat request data; a feature that is named like it comes first.
            Named::None => match named(Role::RequestData).filter(|&data| entities[data].is_none()) {
                Some(data) => entities[data] = Some(column),
                None => unknown.push(column),
            },
            Named::Several => {
                return refuse(format!("column `{name}` may be any of several versions that were asked for"));
            }
        }
    }
    // An entity may be asked for by its own name; the server answers with its join key, in the order of the request and before
    // the features.
    let first_feature = features.iter().flatten().copied().min().unwrap_or(usize::MAX);
    let missing = (0..entities.len())
        .filter(|&entity| entities[entity].is_none() && request.entities()[entity].role() == Role::Entity);
    let named_otherwise: Vec<(usize, usize)> =
        missing.zip(unknown.iter().copied().take_while(|&column| column < first_feature)).collect();
    if let Some(&column) = unknown.get(named_otherwise.len()) {
        return refuse(format!("column `{}` was not asked for", layout.name(text, column)));
    }
    for (entity, column) in named_otherwise {
        entities[entity] = Some(column);
    }
    if let (Some(asked), Some(missing)) = (request.features(), features.iter().position(Option::is_none)) {
        return refuse(format!("feature `{}` is missing", asked[missing].as_str()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::*;

    fn answer(names: &[&str]) -> String {
        let results: Vec<String> = (0..names.len()).map(|at| format!(r#"{{"values":[{at}]}}"#)).collect();
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!(
            r#"{{"results":[{}],"metadata":{{"feature_names":[{}]}}}}"#,
            results.join(","),
            names.join(",")
        )
    }

    /// Each column's name and value.
    fn read_with(layout: &mut Layout, names: &[&str], request: &Request) -> Vec<(String, i64)> {
        let response = decode(answer(names).as_bytes(), request, layout).unwrap();
        let name = |column| String::from_utf8(response.name(column).unwrap().to_vec()).unwrap();
        (0..response.num_columns()).map(|column| (name(column), response.int64(column).unwrap()[0])).collect()
    }

    #[test]
    fn a_layout_kept_from_another_answer_or_request_misleads_nobody() {
        let mut request = Request::default();
        request.set_entity_int64("id", &[7]).unwrap();
        request.add_feature("v:a").unwrap();
        request.add_feature("v:b").unwrap();
        let mut turned = Request::default();
        turned.set_entity_int64("id", &[7]).unwrap();
        turned.add_feature("w:b").unwrap();
        turned.add_feature("w:a").unwrap();
        let mut other_entity = request.question();
        other_entity.set_entity_int64("b", &[7]).unwrap();
        let mut more = request.question();
        more.add_feature("v:c").unwrap();

        let layout = &mut Layout::default();
        let fresh = |names: &[&str], request: &Request| read_with(&mut Layout::default(), names, request);
        for names in
            [["id", "a", "b"], ["b", "id", "a"], ["id", "b", "a"], ["id", "b", "a"], ["id", "a", "b"]]
        {
            for request in [&request, &turned, &request, &other_entity_of(&request), &request] {
                assert_eq!(read_with(layout, &names, request), fresh(&names, request), "{names:?}");
            }
        }
        assert!(decode(answer(&["id", "a", "b"]).as_bytes(), &more, layout).is_err(), "`v:c` is missing");
        assert!(
            decode(answer(&["id", "a", "b"]).as_bytes(), &other_entity, layout).is_err(),
            "`v:b` is missing"
        );
        assert_eq!(read_with(layout, &["id", "a", "b", "c"], &more).len(), 4);
        assert_eq!(read_with(layout, &["id", "a", "b"], &request).len(), 3);
    }

    /// The same request, after its host has set an entity to other values.
    fn other_entity_of(request: &Request) -> Request {
        let mut request = request.question();
        request.set_entity_int64("id", &[8]).unwrap();
        request
    }
}
