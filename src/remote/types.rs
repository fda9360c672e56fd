//! The types that columns had last (`remember_types`): one without any value has the type that it had before, so that the schema of
//! a program's data frames does not flip.

use std::collections::HashMap;

use crate::columns::{Element, Response, Type};
use crate::process::sync::{Mutex, lock};
use crate::wire::request::Request;

/// Questions that are remembered at most; the types of others are not.
const QUESTIONS: usize = 1000;

/// By question. Used by any number of threads.
#[derive(Default)]
pub struct KnownTypes {
    questions: Mutex<HashMap<Vec<u8>, Vec<Type>>>,
}

impl KnownTypes {
    /// Learns the types of an answer, and gives those that are known to its columns without values.
    pub fn apply(&self, request: &Request, response: &mut Response) {
        let mut questions = lock(&self.questions);
        let key = request.question_key();
        if questions.len() >= QUESTIONS && !questions.contains_key(&key) {
            return;
        }
        let known = questions.entry(key).or_default();
        known.resize(response.num_columns(), Type::NULL);
        for (column, known) in known.iter_mut().enumerate() {
            match response.column_type(column) {
                Some(Type::NULL) if *known != Type::NULL => response.set_type_of_nulls(column, *known),
                Some(kind) if kind.element != Element::Null => *known = kind,
                _ => (),
            }
        }
    }
}
