//! What lies around the process: environment variables and well-known files. Tests bring their own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::Secret;
use crate::process::sync::lock;

type Variable = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where variables and files are looked up, when a store is opened and when a file is loaded. Later changes of the
/// environment have no effect: reading it while another thread of the host may be writing it is not safe.
pub struct Environment {
    /// A variable's value.
    pub variable: Box<Variable>,
    /// The token of the Kubernetes service account.
    pub service_account_file: PathBuf,
}

impl Environment {
    /// The process's own.
    pub fn of_process() -> Environment {
        Environment {
            // What is not UTF-8 is seen, with U+FFFD in it, so that it can be refused rather than ignored.
            variable: Box::new(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned())),
            service_account_file: "/var/run/secrets/kubernetes.io/serviceaccount/token".into(),
        }
    }

    /// What `look` makes of the environment, and one that answers the same questions in the same way for ever.
    pub fn recorded<T>(self, look: impl FnOnce(&Environment) -> T) -> (T, Environment) {
        let answers: Arc<Mutex<HashMap<String, Option<Secret>>>> = Arc::default();
        let service_account_file = self.service_account_file.clone();
        let notes = Arc::clone(&answers);
        let listening = Environment {
            variable: Box::new(move |name| {
                let value = (self.variable)(name);
                // It may be a token.
                lock(&notes).insert(name.to_owned(), value.clone().map(Secret::new));
                value
            }),
            service_account_file: service_account_file.clone(),
        };
        let seen = look(&listening);
        let answers = std::mem::take(&mut *lock(&answers));
        let variable = Box::new(move |name: &str| Some(answers.get(name)?.as_ref()?.reveal().to_owned()));
        (seen, Environment { variable, service_account_file })
    }

    /// A variable's value, unless it is empty.
    pub fn non_empty(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// As Python's os.path.expandvars, which Feast applies to the whole file: $NAME and ${NAME}, undefined ones left
    /// as they are. The error is a sentence without subject: the result is longer than `most` bytes, or a variable's value
    /// is not UTF-8.
    pub fn expand(&self, text: &str, most: usize) -> std::result::Result<String, String> {
        let too_long = || Err(format!("larger than {most} bytes with its variables expanded"));
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut braces = true;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let (name, length) = match rest[1..].strip_prefix('{') {
                Some(braced) => match if braces { braced.find('}') } else { None } {
                    Some(end) => (&braced[..end], end + 3),
                    None => {
                        // None further on either, so nobody looks again.
                        braces = false;
                        ("", 1)
                    }
                },
                None => {
                    let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    let length = end.map_or(rest.len(), |end| end + 1);
                    (&rest[1..length], length)
                }
            };
            let value = if name.is_empty() { None } else { (self.variable)(name) };
            if value.as_ref().is_some_and(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
                return Err(format!("the environment variable {name} is not UTF-8"));
            }
            out.push_str(value.as_deref().unwrap_or(&rest[..length]));
            rest = &rest[length..];
            if out.len() > most {
                return too_long();
            }
        }
        out.push_str(rest);
        if out.len() > most { too_long() } else { Ok(out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_up_once_is_answered_the_same_for_ever() {
        let turn = std::sync::atomic::AtomicUsize::new(0);
        let environment = Environment {
            variable: Box::new(move |name| {
                let turn = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                (name != "NONE").then(|| format!("{name} {turn}"))
            }),
            service_account_file: "/x".into(),
        };
        let ask = |environment: &Environment| ["A", "NONE", "B"].map(|name| environment.non_empty(name));
        let (seen, recorded) = environment.recorded(ask);
        assert_eq!(seen, [Some("A 0".to_owned()), None, Some("B 2".to_owned())]);
        assert_eq!(ask(&recorded), seen);
        assert_eq!(recorded.non_empty("C"), None);
        assert_eq!(recorded.service_account_file, PathBuf::from("/x"));
    }

    #[test]
    fn variables_are_expanded_as_python_does() {
        let environment = Environment {
            variable: Box::new(|name| match name {
                "A" => Some("va".to_owned()),
                "EMPTY" => Some(String::new()),
                "a b" => Some("odd".to_owned()),
                "BROKEN" => Some("\u{fffd}".to_owned()),
                _ => None,
            }),
            service_account_file: PathBuf::new(),
        };
        for (text, expected) in [
            ("x$A-${A}.", "xva-va."),
            ("$EMPTY|", "|"),
            ("$NONE ${NONE}", "$NONE ${NONE}"),
            ("$$A \\$A", "$va \\va"),
            ("${A:-x} ${A", "${A:-x} ${A"),
            ("$AB $Aé ${a b} ${}", "$AB vaé odd ${}"),
            ("$", "$"),
            ("a$", "a$"),
        ] {
            assert_eq!(environment.expand(text, 100).as_deref(), Ok(expected), "{text}");
        }
        assert!(environment.expand("x$BROKEN", 100).unwrap_err().contains("BROKEN is not UTF-8"));
        assert!(environment.expand("xxx$A", 4).unwrap_err().contains("larger than 4 bytes"));
    }
}
