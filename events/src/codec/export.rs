//! Facts of exports in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, text, write};
use crate::export::{Event, Made, Scope};
use crate::id::AccountId;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "DataExported" 1 Exported { made: Made, reason: String, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

records! {
    Made { scope: Scope, records: u64, digest: [u8; 32], head: u64 }
}

impl Wire for Scope {
    /// Its number, the account, the phone, and where the period begins and ends.
    type Disk = (u8, u128, String, i64, i64);

    fn freeze(&self) -> Self::Disk {
        match self {
            Self::Account(account) => (0, account.0, String::new(), 0, 0),
            Self::Number(phone) => (1, 0, phone.as_str().to_owned(), 0, 0),
            Self::Period { from, until } => (2, 0, String::new(), from.millis(), until.millis()),
        }
    }

    fn thaw((kind, account, phone, from, until): Self::Disk) -> Result<Self, String> {
        match kind {
            0 => Ok(Self::Account(AccountId(account))),
            1 => Ok(Self::Number(text("phone", &phone)?)),
            2 => Ok(Self::Period {
                from: Timestamp::from_millis(from),
                until: Timestamp::from_millis(until),
            }),
            other => Err(format!("scope {other}")),
        }
    }
}
