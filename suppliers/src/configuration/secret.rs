//! Text that must not be seen: `Debug` hides it, comparing it takes the same time for every guess.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;

/// A secret text.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(extend("writeOnly" = true))]
pub struct Secret(String);

/// Errors of configuration show what they found: a secret that was written as a number, say, must
/// not be told so.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Else(IgnoredAny),
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text)),
            Written::Else(_) => Err(D::Error::custom("a secret is a text in quotes")),
        }
    }
}

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
