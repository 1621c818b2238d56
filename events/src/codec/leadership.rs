//! Facts of which node leads, in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, write};
use crate::leadership::{Event, Leader};
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "LeadershipTaken" 1 Taken { leader: Leader, at: Timestamp }
        "LeadershipReleased" 1 Released { reason: String, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

records! {
    Leader { node: String, url: String, version: String, configuration: [u8; 32] }
}
