//! Entity columns, and how they are set.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::Request;
use crate::error::{Error, Result};
use crate::wire::json::{write_double, write_string};

/// One column of entities or of request data, already JSON.
#[derive(Clone, Debug)]
pub struct EntityColumn {
    /// The join key, or the request data's name.
    pub name: Arc<str>,
    /// Number of values.
    pub rows: usize,
    pub(super) role: Role,
    pub(super) setter: Setter,
    pub(super) json: Vec<u8>,
}

impl EntityColumn {
    /// What it is.
    pub fn role(&self) -> Role {
        self.role
    }
}

/// What a column is. Feast's Python server tells it by the name; the Go server is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An entity's join key.
    Entity,
    /// Data for on demand feature views.
    RequestData,
}

/// As messages name it.
impl std::fmt::Display for Role {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Role::Entity => "entity",
            Role::RequestData => "request data",
        })
    }
}

/// How an entity column was set, which tells of what type its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setter {
    Int64 = 1,
    Double,
    Bool,
    String,
    /// Of any type, nulls too.
    Json,
}

impl Request {
    /// Sets or replaces an entity column.
    pub fn set_entity_int64(&mut self, name: &str, values: &[i64]) -> Result<()> {
        self.set_int64(Role::Entity, name, values)
    }

    /// Sets or replaces an entity column; values must be finite.
    pub fn set_entity_double(&mut self, name: &str, values: &[f64]) -> Result<()> {
        self.set_double(Role::Entity, name, values)
    }

    /// Sets or replaces an entity column.
    pub fn set_entity_bool(&mut self, name: &str, values: impl ExactSizeIterator<Item = bool>) -> Result<()> {
        self.set_bool(Role::Entity, name, values)
    }

    /// Sets or replaces an entity column.
    pub fn set_entity_string<'a>(
        &mut self,
        name: &str,
        values: impl ExactSizeIterator<Item = Result<&'a str>>,
    ) -> Result<()> {
        self.set_string(Role::Entity, name, values)
    }

    /// Sets or replaces an entity column by a JSON array of anything, passed on as it stands.
    pub fn set_entity_json(&mut self, name: &str, json: &str) -> Result<()> {
        self.set_json(Role::Entity, name, json)
    }

    /// Sets or replaces a column.
    pub fn set_int64(&mut self, role: Role, name: &str, values: &[i64]) -> Result<()> {
        self.set(role, name, Setter::Int64, values.len(), |out| {
            let mut digits = itoa::Buffer::new();
            for &value in values {
                out.extend_from_slice(digits.format(value).as_bytes());
                out.push(b',');
            }
            Ok(())
        })
    }

    /// Sets or replaces a column; values must be finite.
    pub fn set_double(&mut self, role: Role, name: &str, values: &[f64]) -> Result<()> {
        self.set(role, name, Setter::Double, values.len(), |out| {
            for (row, &value) in values.iter().enumerate() {
                if !value.is_finite() {
                    return Err(Error::argument(format!(
                        "{role} `{name}`, row {row}: {value} cannot be written as JSON"
                    )));
                }
                write_double(out, value)?;
                out.push(b',');
            }
            Ok(())
        })
    }

    /// Sets or replaces a column.
    pub fn set_bool(
        &mut self,
        role: Role,
        name: &str,
        values: impl ExactSizeIterator<Item = bool>,
    ) -> Result<()> {
        self.set(role, name, Setter::Bool, values.len(), |out| {
            for value in values {
                out.extend_from_slice(if value { b"true," } else { b"false," });
            }
            Ok(())
        })
    }

    /// Sets or replaces a column.
    pub fn set_string<'a>(
        &mut self,
        role: Role,
        name: &str,
        values: impl ExactSizeIterator<Item = Result<&'a str>>,
    ) -> Result<()> {
        self.set(role, name, Setter::String, values.len(), |out| {
            for value in values {
                write_string(out, value?)?;
                out.push(b',');
            }
            Ok(())
        })
    }

    /// Sets or replaces a column by a JSON array of anything, passed on as it stands.
    pub fn set_json(&mut self, role: Role, name: &str, json: &str) -> Result<()> {
        let elements: Vec<IgnoredAny> = serde_json::from_str(json)
            .map_err(|error| Error::argument(format!("{role} `{name}`: not a JSON array: {error}")))?;
        if has_nul(json) {
            return Err(Error::argument(format!("{role} `{name}`: a NUL within a string")));
        }
        self.put(EntityColumn {
            name: checked_name(role, name)?,
            rows: elements.len(),
            role,
            setter: Setter::Json,
            json: json.trim().as_bytes().to_vec(),
        });
        Ok(())
    }

    fn set(
        &mut self,
        role: Role,
        name: &str,
        setter: Setter,
        rows: usize,
        write_values: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let name = checked_name(role, name)?;
        let mut column = EntityColumn { name, rows, role, setter, json: Vec::new() };
        column.json.push(b'[');
        write_values(&mut column.json)?;
        match column.json.last_mut() {
            Some(comma) if *comma == b',' => *comma = b']',
            _ => column.json.push(b']'),
        }
        self.put(column);
        Ok(())
    }

    fn put(&mut self, column: EntityColumn) {
        match self.entities.iter_mut().find(|known| *known.name == *column.name) {
            Some(known) => *known = column,
            None => self.entities.push(column),
        }
    }
}

/// Whether a string of this JSON text has a NUL, which can stand there as an escape only.
fn has_nul(json: &str) -> bool {
    let mut rest = json;
    while let Some(backslash) = rest.find('\\') {
        rest = &rest[backslash + 1..];
        if rest.starts_with("u0000") {
            return true;
        }
        // A backslash that is escaped escapes nothing.
        rest = rest.strip_prefix('\\').unwrap_or(rest);
    }
    false
}

fn checked_name(role: Role, name: &str) -> Result<Arc<str>> {
    if name.is_empty() {
        return Err(Error::argument(format!("the name of the {role} is empty")));
    }
    Ok(name.into())
}
