//! Facts of how far a coin's chain was looked through, in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, write};
use crate::chain::{Block, Event};
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "ChainScanned" 1 Scanned { block: Block, at: Timestamp }
        "ChainForked" 1 Forked { block: Block, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}
