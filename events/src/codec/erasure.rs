//! Facts of erasures in bytes.

use super::sealed::SecretKind;
use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, write};
use crate::erasure::{Event, Subject};
use crate::id::{AccountId, OrderId};
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "SecretsErased" 1 Erased { of: Vec<Subject>, kinds: Vec<SecretKind>, reason: String, at: Timestamp }
        "LegalHoldPlaced" 1 HoldPlaced { account: AccountId, reason: String, at: Timestamp }
        "LegalHoldLifted" 1 HoldLifted { account: AccountId, reason: String, at: Timestamp }
        "LogRewritten" 1 Rewritten { position: u64, chain: [u8; 32], sealed: u64, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

records! {
    Subject { account: AccountId, order: Option<OrderId> }
}

impl Wire for SecretKind {
    type Disk = u8;

    fn freeze(&self) -> u8 {
        self.number()
    }

    fn thaw(number: u8) -> Result<Self, String> {
        Self::of_number(number).ok_or_else(|| format!("kind of secret {number}"))
    }
}
