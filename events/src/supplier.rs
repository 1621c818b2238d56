//! The name of a source of numbers, as it stands in events and in the config.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// A supplier's name: 1 to 32 of `a-z 0-9 _ -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupplierName(Arc<str>);

/// The text is not a supplier's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a supplier's name is 1 to 32 of a-z, 0-9, _ and -")]
pub struct ParseSupplierNameError;

impl SupplierName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SupplierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SupplierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SupplierName {
    type Err = ParseSupplierNameError;

    fn from_str(text: &str) -> Result<Self, ParseSupplierNameError> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        fits.then(|| Self(text.into())).ok_or(ParseSupplierNameError)
    }
}
