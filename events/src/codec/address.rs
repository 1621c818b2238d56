//! Facts of a coin's addresses in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, write};
use crate::address::{Address, Assigned, Destination, Event, KeyId};
use crate::id::AccountId;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {}
    values {
        "AddressAssigned" 1 Assigned(Assigned)
    }
    former {}
    odd {}
    elsewhere {}
}

records! {
    Assigned { account: AccountId, key: KeyId, index: u32, address: Address, at: Timestamp }
    Address { text: String, destination: Destination }
}

impl Wire for KeyId {
    type Disk = String;

    fn freeze(&self) -> String {
        self.as_str().to_owned()
    }

    fn thaw(text: String) -> Result<Self, String> {
        Ok(Self::from_text(&text))
    }
}

impl Wire for Destination {
    type Disk = String;

    fn freeze(&self) -> String {
        self.as_str().to_owned()
    }

    fn thaw(text: String) -> Result<Self, String> {
        Self::from_hex(&text).ok_or_else(|| format!("destination {text}"))
    }
}
