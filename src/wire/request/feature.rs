//! A feature as it is asked for, and the names that an answer may give it.

use super::declared::Declared;
use crate::columns::Type;
use crate::error::{Error, Result};
use crate::wire::json::write_string;

/// `view:feature`, as Feast writes a feature reference.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureReference {
    text: String,
    /// The same, encoded.
    pub json: Vec<u8>,
    colon: usize,
    pub(super) declared: Declared,
}

impl FeatureReference {
    /// Takes a reference apart.
    pub fn parse(text: &str, kind: Type) -> Result<FeatureReference> {
        match text.find(':') {
            Some(colon) if colon > 0 && colon + 1 < text.len() => {
                let mut json = Vec::new();
                write_string(&mut json, text)?;
                let declared = Declared { kind, ..Declared::default() };
                Ok(FeatureReference { text: text.to_owned(), json, colon, declared })
            }
            _ => Err(Error::argument(format!("`{text}` is not a feature reference: write `view:feature`"))),
        }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The type that its column shall have; NULL if it is to be found out.
    pub fn kind(&self) -> Type {
        self.declared.kind
    }

    /// All that is declared of it.
    pub fn declared(&self) -> Declared {
        self.declared
    }

    /// The feature view, without a version.
    pub fn view(&self) -> &str {
        let view = &self.text[..self.colon];
        view.split_once('@').map_or(view, |(view, _)| view)
    }

    /// Its column's name in an answer.
    pub fn column_name(&self, full_feature_names: bool) -> String {
        match full_feature_names {
            true => format!("{}__{}", &self.text[..self.colon], self.feature()),
            false => self.feature().to_owned(),
        }
    }

    /// The name that the server gives the feature in an answer without full feature names.
    fn feature(&self) -> &str {
        &self.text[self.colon + 1..]
    }

    /// Whether a column of an answer has this feature's name: `feature`, or in full `view__feature`.
    pub fn is_named(&self, name: &str, full_feature_names: bool) -> bool {
        if !full_feature_names {
            return name == self.feature();
        }
        self.view_of(name) == Some(&self.text[..self.colon])
    }

    /// Whether a column of an answer has this feature's full name without its version: of `view@v2:feature`
    /// servers may or may not keep it.
    pub fn is_named_without_version(&self, name: &str) -> bool {
        let unversioned = self.text[..self.colon].split_once('@').map(|(view, _)| view);
        unversioned.is_some() && self.view_of(name) == unversioned
    }

    fn view_of<'a>(&self, full_name: &'a str) -> Option<&'a str> {
        full_name.strip_suffix(self.feature())?.strip_suffix("__")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_match_with_and_without_the_version() {
        let reference = FeatureReference::parse("view@v2:f__x", Type::NULL).unwrap();
        assert!(reference.is_named_without_version("view__f__x"));
        assert!(!reference.is_named("view__f__x", true));
        assert!(reference.is_named("view@v2__f__x", true));
        assert!(!reference.is_named("f__x", true));
        assert!(!FeatureReference::parse("view:f", Type::NULL).unwrap().is_named_without_version("view__f"));
        assert!(reference.is_named("f__x", false));
        assert!(!reference.is_named("view__f__x", false));
    }
}
