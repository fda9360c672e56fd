//! How old values may be. Feast's servers do not apply a feature view's ttl online (feast#6821): stale values look PRESENT.

use std::time::Duration;

use super::Request;
use crate::error::{Error, Result};

/// How old values may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge {
    /// By their event timestamps.
    pub age: Duration,
    /// Older ones lose their value, besides the status that they get.
    pub drops: bool,
}

impl Request {
    /// Says how old values may be; `None`: of any age.
    pub fn set_max_age(&mut self, max_age: Option<MaxAge>) {
        self.max_age = max_age;
    }

    /// The same for the features of one feature view, which goes before that of the request.
    pub fn set_view_max_age(&mut self, view: &str, max_age: MaxAge) -> Result<()> {
        if view.is_empty() {
            return Err(Error::argument("the name of the feature view is empty"));
        }
        self.view_max_ages.retain(|(known, _)| known != view);
        self.view_max_ages.push((view.to_owned(), max_age));
        Ok(())
    }

    /// Whether values are judged by their age.
    pub fn judges_age(&self) -> bool {
        self.max_age.is_some() || !self.view_max_ages.is_empty()
    }

    /// How old the values of a column may be: of the feature with this number, or of this name in the answer.
    pub fn max_age(&self, feature: usize, name: &[u8]) -> Option<MaxAge> {
        let of_view =
            |known: &&(String, MaxAge)| match self.features().and_then(|features| features.get(feature)) {
                Some(reference) => reference.view() == known.0,
                // Of a feature service only full names tell the view.
                None => {
                    self.full_feature_names
                        && name.strip_prefix(known.0.as_bytes()).is_some_and(|rest| rest.starts_with(b"__"))
                }
            };
        self.view_max_ages.iter().find(of_view).map(|(_, max_age)| *max_age).or(self.max_age)
    }
}
