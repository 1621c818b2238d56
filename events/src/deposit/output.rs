//! Outputs and transactions by name: every way to write one is the same one.

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::id::DepositId;

/// A transaction's hash: 64 hex digits, kept in lower case, so that every way to write it is one
/// claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxHash(Box<str>);

/// The text is not a transaction hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a transaction hash is 64 hex digits, with or without 0x")]
pub struct ParseTxHashError;

impl TxHash {
    /// 64 lower-case hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for TxHash {
    type Err = ParseTxHashError;

    fn from_str(text: &str) -> Result<Self, ParseTxHashError> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let fits = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(digits.to_ascii_lowercase().into())).ok_or(ParseTxHashError)
    }
}

/// The id of an output: the same for every claim of it, on every account.
pub fn deposit_id(chain: &str, tx_hash: &TxHash, output: u32) -> DepositId {
    id(&format!("{chain}:{}:{output}", tx_hash.as_str()))
}

/// The id of a transaction on whichever chain has it: what a caller's idempotency key names before
/// any chain was asked.
pub fn transaction_id(tx_hash: &TxHash) -> DepositId {
    id(tx_hash.as_str())
}

fn id(name: &str) -> DepositId {
    let digest = Sha256::digest(name);
    let (head, _) = digest.split_at(16);
    DepositId(u128::from_be_bytes(head.try_into().expect("a split at 16 leaves 16 bytes")))
}
