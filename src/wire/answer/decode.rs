//! Reads a server's answer, in one pass over its bytes: into columns, or straight into a matrix.

use std::time::{SystemTime, UNIX_EPOCH};

use super::dense::DenseReader;
use super::error::{ReadError, ReadResult, refuse};
use super::feature_views;
use super::frame::{self, Columns, Layout};
use super::repeats::{Repeats, status};
use super::scanner::{Scanner, SyntaxError};
use super::values;
use crate::columns::{Builder, Dense, DenseLayout, Matrix, Response};
use crate::error::{Code, Error, Result};
use crate::wire::request::{Declared, MaxAge, Request};

/// Reads the body of an HTTP 200 as the answer to `request`. `layout` may be one of an earlier call, for its
/// buffers.
pub fn decode(body: &[u8], request: &Request, layout: &mut Layout) -> Result<Response> {
    let text = utf8(body)?;
    let mut columns =
        ColumnReader { builder: Builder::default(), repeats: Repeats::default(), request, entities: 0 };
    frame::read(text, request, layout, &mut columns).map_err(|error| message(text, error))?;
    let mut response = columns.builder.finish();
    // What nobody asked for fails nobody.
    if request.includes_feature_view_version_metadata() {
        let views = feature_views::read(layout.feature_views_in(text));
        response.set_feature_views(views.map_err(|error| message(text, error))?);
    }
    Ok(response)
}

/// Reads the features of the body of an HTTP 200 into a row-major matrix, in the order asked; `statuses`: those
/// too. As [`decode`] and [`Dense::fill`] in one, except that a column may mix booleans with numbers.
pub fn decode_into(
    body: &[u8],
    request: &Request,
    layout: &mut Layout,
    dense: &mut Dense<'_, f32, impl Matrix<f32>>,
) -> Result<()> {
    let text = utf8(body)?;
    if !request.declares_by_name() && !request.judges_age() {
        let mut reader = DenseReader::new(dense, request);
        match frame::read(text, request, layout, &mut reader) {
            Ok(()) => return Ok(()),
            Err(ReadError::NotDense) => (),
            Err(error) => return Err(message(text, error)),
        }
    }
    let response = decode(body, request, layout)?;
    let features = response.num_entities()..response.num_columns();
    let matrix = DenseLayout::new(&response, features)?;
    dense.fill(&response, &matrix)
}

/// Whether the body of an HTTP 200 looks like an answer, or nothing, that was cut off: one that is not whole, and is broken
/// at its end or has another one than an answer.
pub fn is_cut_short(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    if body.is_empty() {
        return true;
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return body.starts_with(b"{") && !body.ends_with(b"}");
    };
    match Scanner::new(text).value() {
        Ok(_) => false,
        Err(error) => text.starts_with('{') && (error.at >= text.len() || !text.ends_with('}')),
    }
}

/// Sees that the body of an HTTP 200 is one whole JSON value.
pub fn check(body: &[u8]) -> Result<()> {
    let text = utf8(body)?;
    let mut scanner = Scanner::new(text);
    let whole = scanner.value().and_then(|_| match scanner.at_end() {
        true => Ok(()),
        false => scanner.syntax_error("text after the end of the answer"),
    });
    whole.map_err(|syntax_error| fault_message(text, syntax_error))
}

/// The body as text, without the byte order mark that some proxies and servers put before it (RFC 8259, section 8.1).
pub fn utf8(body: &[u8]) -> Result<&str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(body).map_err(|error| {
        Error::decode(format!("the server's answer is not UTF-8 at byte {}", error.valid_up_to()))
    })
}

/// Why an answer cannot be read, as the call's error.
pub fn message(text: &str, error: ReadError) -> Error {
    match error {
        ReadError::Answer(why) => {
            Error::decode(format!("the server's answer does not fit the request: {why}"))
        }
        ReadError::Value(why) => Error::new(Code::Type, why),
        ReadError::Syntax(syntax_error) => fault_message(text, syntax_error),
        ReadError::Mixed | ReadError::NotDense | ReadError::Unfit { .. } => {
            Error::new(Code::Internal, "a column was left half read")
        }
    }
}

fn fault_message(text: &str, syntax_error: SyntaxError) -> Error {
    let total = text.len();
    let near: String = text.get(syntax_error.at..).unwrap_or_default().chars().take(24).collect();
    let place =
        if near.is_empty() { "at its end".to_owned() } else { format!("near `{}`", near.escape_debug()) };
    Error::decode(format!(
        "the server's answer of {total} bytes cannot be read: {} at byte {}, {place}",
        syntax_error.why, syntax_error.at
    ))
}

/// Fills a response.
struct ColumnReader<'a, 'r> {
    builder: Builder,
    repeats: Repeats<'a>,
    request: &'r Request,
    entities: usize,
}

impl<'a> Columns<'a> for ColumnReader<'a, '_> {
    fn begin(&mut self, text: &'a str, layout: &Layout, request: &Request) -> ReadResult<()> {
        // A cell takes two bytes of text at the least, so a small answer cannot claim much memory.
        let cells = request.rows().saturating_mul(layout.columns()).min(text.len() / 2);
        self.builder = Builder::new(request.rows(), cells);
        self.builder.name_columns(layout.names_in_order(text), layout.entities());
        self.repeats = Repeats::default();
        self.entities = layout.entities();
        Ok(())
    }

    /// `{"values": […], "statuses": […], "event_timestamps": […]}`.
    fn column(&mut self, scanner: &mut Scanner<'a>, place: usize) -> ReadResult<()> {
        let ColumnReader { builder, repeats, request, entities } = self;
        let entities = *entities;
        let feature = place.checked_sub(entities);
        let about = match (request.features(), feature) {
            _ if request.declares_by_name() => request.declared(feature, builder.name(place)),
            (Some(features), Some(feature)) => features[feature].declared(),
            _ => Declared::default(),
        };
        let declared = about.kind;
        let rows = builder.rows();
        let mut valued = None;
        let (mut statuses, mut timestamps) = (0, 0);
        let mut repeated = false;
        scanner.object(|scanner, key| {
            if key.is("values") {
                if valued.is_some() {
                    return refuse("`values` stands in it twice");
                }
                values::read(scanner, builder, declared).map_err(|error| match error {
                    ReadError::Value(why) => match feature {
                        Some(feature) => ReadError::Value(format!("{}{why}", request.feature_words(feature))),
                        None => ReadError::Value(format!("entity number {place}, {why}")),
                    },
                    error => error,
                })?;
                builder.end_column(place);
                builder.declare(place, about.list_length, about.missing);
                if let Some(length) = about.list_length
                    && let Some((row, items)) = builder.list_of_other_length(place, length)
                {
                    let words = feature.map(|feature| request.feature_words(feature)).unwrap_or_default();
                    let why = format!("{words}row {row}: a list of {items} items, and {length} are declared");
                    return Err(ReadError::Value(why));
                }
                let comes_first = statuses == 0 && timestamps == 0;
                valued = Some((scanner.at(), comes_first));
                // What is judged has statuses of its own.
                if comes_first
                    && !request.judges_age()
                    && let Some(tail) = repeats.tail_again(scanner)
                {
                    builder.share(tail.place, place);
                    (statuses, timestamps, repeated) = (tail.statuses, tail.timestamps, true);
                }
            } else if key.is("statuses") {
                builder.begin_statuses(place);
                statuses = repeats.statuses(scanner, rows, |status| builder.status(status))?;
            } else if key.is("event_timestamps") {
                builder.begin_event_timestamps(place);
                timestamps = repeats.timestamps(scanner, rows, |moment| builder.event_timestamp(moment))?;
            } else {
                scanner.value()?;
            }
            Ok(())
        })?;
        if !builder.has_memory() {
            return refuse("there is not enough memory for it");
        }
        let Some((values_end, comes_first)) = valued else { return refuse("it has no `values`") };
        let count = builder.column_rows();
        for (what, read) in [("statuses", statuses), ("event timestamps", timestamps)] {
            if read != 0 && read != count {
                return refuse(format!("it has {count} values and {read} {what}"));
            }
        }
        if count != rows {
            return refuse(format!("it has {count} rows, {rows} were asked for"));
        }
        if comes_first && !repeated {
            repeats.keep_tail(scanner, values_end, place, [statuses, timestamps]);
        }
        if statuses == 0 {
            builder.make_statuses(place, status::PRESENT, status::NULL_VALUE);
        }
        if timestamps == 0 {
            builder.no_event_timestamps(place);
        }
        if let Some(feature) = feature.filter(|_| request.judges_age())
            && let Some(MaxAge { age, drops }) = request.max_age(feature, builder.name(place))
        {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let oldest = now.as_nanos() as i128 - age.as_nanos() as i128;
            builder.expire(place, i64::try_from(oldest.max(i64::MIN.into())).unwrap_or(i64::MAX), drops);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
