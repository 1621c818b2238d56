//! Facts of reveals in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, write};
use crate::reveal::Event;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "ContentRevealed" 1 Revealed { subject: String, reason: String, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}
