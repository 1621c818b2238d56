//! Facts of where suppliers' numbers come from, in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, write};
use crate::provenance::{Event, Record};
use crate::supplier::SupplierName;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "ProvenanceStated" 1 Stated { supplier: SupplierName, record: Record, by: String, at: Timestamp }
        "ProvenanceWithdrawn" 1 Withdrawn { supplier: SupplierName, reason: String, by: String, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

records! {
    Record { legal_name: String, source: String, consent: String, contact: String, valid_until: Timestamp }
}
