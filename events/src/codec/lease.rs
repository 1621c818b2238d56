//! Facts of a lease in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, numbered, records, write};
use crate::country::Country;
use crate::id::{AccountId, OrderId};
use crate::lease::{Event, LeaseId, Outcome, Request};
use crate::money::Money;
use crate::phone::Phone;
use crate::platform::Platform;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "LeaseSought" 1 Sought { request: Request, at: Timestamp }
        "LeaseObtained" 1 Obtained { phone: Phone, cost: Money, at: Timestamp }
        "LeaseDeclined" 1 Declined { at: Timestamp }
        "LeaseReleaseSought" 1 ReleaseSought { outcome: Outcome, at: Timestamp }
        "LeaseReleased" 1 Released { charged: Money, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

records! {
    Request { id: LeaseId, account: AccountId, platform: Platform, country: Country }
    LeaseId { supplier: SupplierName, order: OrderId, attempt: u8 }
}

numbered! {
    "outcome" Outcome { Served = 0, Unused = 1, Dead = 2 }
}
