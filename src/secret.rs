//! Text that must not be seen: `Debug` hides it, comparing it takes the same time for every guess.

use std::fmt;

use serde::Deserialize;
use subtle::ConstantTimeEq;

/// A secret text.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for whoever may have it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `guess` is the secret.
    pub fn is(&self, guess: &str) -> bool {
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}
