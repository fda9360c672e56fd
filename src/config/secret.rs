//! Text that must not be shown.

use std::fmt;

use zeroize::Zeroizing;

/// A password or token: not shown by `Debug`, and overwritten when it is freed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text, for sending it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Feast takes an empty credential for none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(none)" } else { "Secret(…)" })
    }
}
