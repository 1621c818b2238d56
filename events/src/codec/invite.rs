//! Facts of invites in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, write};
use crate::id::{AccountId, InviteId};
use crate::invite::Event;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "InviteCreated" 1 Created {
            id: InviteId, hash: [u8; 32], uses: u32, expires_at: Timestamp, note: String, at: Timestamp,
        }
        "InviteUsed" 1 Used { id: InviteId, account: AccountId, at: Timestamp }
        "InviteRevoked" 1 Revoked { id: InviteId, reason: String, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}
