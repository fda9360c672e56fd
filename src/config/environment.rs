//! What lies around the process: environment variables and well-known files. Tests bring their own.

use std::path::PathBuf;

/// Where variables and files are looked up, when a store is opened and when a file is loaded. Later changes of the
/// environment have no effect: reading it while another thread of the host may be writing it is not safe.
pub struct Environment {
    /// A variable's value.
    pub variable: Box<dyn Fn(&str) -> Option<String> + Send + Sync>,
    /// The token of the Kubernetes service account.
    pub service_account_file: PathBuf,
}

impl Environment {
    /// The process's own.
    pub fn of_process() -> Environment {
        Environment {
            variable: Box::new(|name| std::env::var(name).ok()),
            service_account_file: "/var/run/secrets/kubernetes.io/serviceaccount/token".into(),
        }
    }

    /// A variable's value, unless it is empty.
    pub fn non_empty(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// As Python's os.path.expandvars, which Feast applies to the whole file: $NAME and ${NAME}, undefined ones left
    /// as they are.
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let (name, length) = match rest[1..].strip_prefix('{') {
                Some(braced) => match braced.find('}') {
                    Some(end) => (&braced[..end], end + 3),
                    None => ("", 1),
                },
                None => {
                    let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    let length = end.map_or(rest.len(), |end| end + 1);
                    (&rest[1..length], length)
                }
            };
            let value = if name.is_empty() { None } else { (self.variable)(name) };
            out.push_str(value.as_deref().unwrap_or(&rest[..length]));
            rest = &rest[length..];
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_python_does() {
        let environment = Environment {
            variable: Box::new(|name| match name {
                "A" => Some("va".to_owned()),
                "EMPTY" => Some(String::new()),
                "a b" => Some("odd".to_owned()),
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
            assert_eq!(environment.expand(text), expected, "{text}");
        }
    }
}
