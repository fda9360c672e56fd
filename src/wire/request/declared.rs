//! What a program says of columns beforehand: their types, how long their lists are, what stands for a missing value.

use std::sync::Arc;

use super::{FeatureReference, Request};
use crate::columns::{Element, Type};
use crate::error::{Error, Result};

/// What is declared of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Declared {
    /// NULL: it is to be found out.
    pub kind: Type,
    /// Items of each of its lists.
    pub list_length: Option<usize>,
    /// In matrices, in place of the one of the call.
    pub missing: Option<f64>,
}

impl Default for Declared {
    fn default() -> Declared {
        Declared { kind: Type::NULL, list_length: None, missing: None }
    }
}

/// The same by the column's name in the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    name: String,
    declared: Declared,
}

fn checked_length(kind: Type, list_length: usize) -> Result<Option<usize>> {
    match (kind.list, list_length) {
        (false, 0) => Ok(None),
        (false, _) => {
            Err(Error::argument(format!("{} is no type of lists, and has no list_length", kind.name())))
        }
        (true, 0) => Ok(None),
        (true, length) if length <= 1 << 20 => Ok(Some(length)),
        (true, length) => Err(Error::argument(format!("list_length is {length}, more than 1048576"))),
    }
}

impl Request {
    /// Adds a feature whose column shall have this type of lists, each of so many items.
    pub fn add_list_feature(&mut self, reference: &str, kind: Type, list_length: usize) -> Result<()> {
        if !kind.list || kind.element == Element::Null {
            return Err(Error::argument(format!("{} is no type of lists that can be declared", kind.name())));
        }
        if list_length == 0 {
            return Err(Error::argument("list_length is 0"));
        }
        let length = checked_length(kind, list_length)?;
        self.add_typed_feature(reference, kind)?;
        if let Some(feature) = Arc::make_mut(&mut self.features).last_mut() {
            feature.declared.list_length = length;
        }
        Ok(())
    }

    /// Says of what type a column of the answer shall be, by its name there.
    pub fn declare_column(&mut self, name: &str, kind: Type, list_length: usize) -> Result<()> {
        let list_length = checked_length(kind, list_length)?;
        self.declaration(name, |declared| (declared.kind, declared.list_length) = (kind, list_length))
    }

    /// Says what stands for a missing value of a feature in matrices: by the reference that it was added by, or by the
    /// column's name in the answer.
    pub fn set_missing_value(&mut self, feature: &str, missing: f64) -> Result<()> {
        if let Some(at) = self.features.iter().position(|known| known.as_str() == feature) {
            Arc::make_mut(&mut self.features)[at].declared.missing = Some(missing);
            return Ok(());
        }
        if feature.contains(':') {
            return Err(Error::argument(format!("the feature `{feature}` has not been added")));
        }
        self.declaration(feature, |declared| declared.missing = Some(missing))
    }

    fn declaration(&mut self, name: &str, change: impl FnOnce(&mut Declared)) -> Result<()> {
        if name.is_empty() {
            return Err(Error::argument("the name of the column is empty"));
        }
        let declarations = Arc::make_mut(&mut self.declarations);
        match declarations.iter_mut().find(|known| known.name == name) {
            Some(known) => change(&mut known.declared),
            None => {
                let mut declared = Declared::default();
                change(&mut declared);
                declarations.push(Declaration { name: name.to_owned(), declared });
            }
        }
        Ok(())
    }

    /// What is declared of a column of the answer: the feature with this number, or an entity, of this name.
    pub fn declared(&self, feature: Option<usize>, name: &[u8]) -> Declared {
        let of_feature = feature.zip(self.features()).and_then(|(at, features)| features.get(at));
        let mut declared = of_feature.map(FeatureReference::declared).unwrap_or_default();
        if let Some(by_name) = self.declarations.iter().find(|known| known.name.as_bytes() == name) {
            let by_name = by_name.declared;
            if declared.kind == Type::NULL {
                (declared.kind, declared.list_length) = (by_name.kind, by_name.list_length);
            }
            declared.missing = declared.missing.or(by_name.missing);
        }
        declared
    }

    /// Whether anything is declared by name.
    pub fn declares_by_name(&self) -> bool {
        !self.declarations.is_empty()
    }

    /// Columns that a matrix of the features takes, one for each but for declared lists; `None` where that cannot be known.
    pub fn matrix_width(&self) -> Option<usize> {
        let mut width = 0;
        for (at, feature) in self.features()?.iter().enumerate() {
            let declared = self.declared(Some(at), feature.column_name(self.full_feature_names).as_bytes());
            width += if declared.kind.list { declared.list_length? } else { 1 };
        }
        Some(width)
    }
}
