//! Facts of bought numbers in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, write};
use crate::country::Country;
use crate::money::Money;
use crate::phone::Phone;
use crate::purchase::Event;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "PurchaseIntended" 1 Intended { phone: Phone, country: Country, monthly: Money, at: Timestamp }
        "PurchaseMade" 1 Made { phone: Phone, at: Timestamp }
        "PurchaseFailed" 1 Failed { phone: Phone, why: String, at: Timestamp }
        "PurchaseEndIntended" 1 EndIntended { phone: Phone, at: Timestamp }
        "PurchaseEnded" 1 Ended { phone: Phone, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}
