//! Bytes <-> events: the one way in and the one way out, for live code and for replay.
//!
//! Holds: frozen names and versions, one file an aggregate, and how each value stands on disk
//! (`wire`). Never holds: a rule. What stands here never changes: a changed event is a new version
//! beside the old one. Leans on: every aggregate's events. Proved by: golden bytes in `tests.rs`
//! here.

mod account;
mod address;
mod chain;
mod deposit;
mod erasure;
mod export;
mod invite;
mod leadership;
mod lease;
mod number;
mod order;
mod policy;
mod provenance;
mod purchase;
mod reveal;
mod sealed;
#[cfg(test)]
mod tests;
mod webhook;
mod wire;

pub use sealed::{
    Opened, Part, Parted, SEALED, SealedPayload, SecretKind, Subject, Withheld, associated_data,
    decode_sealed, part, read_sealed, read_secrets, write_sealed, write_secrets,
};
pub(crate) use wire::Wire;
pub use wire::{DecodeError, Encoded};

use crate::account::Event as AccountEvent;
use crate::event::Event;
use crate::id::OrderId;

/// Every name and version that can stand in a record's header, by aggregate.
pub const NAMES: [&[(&str, u16)]; 16] = [
    account::NAMES,
    order::NAMES,
    webhook::NAMES,
    deposit::NAMES,
    address::NAMES,
    chain::NAMES,
    number::NAMES,
    lease::NAMES,
    purchase::NAMES,
    reveal::NAMES,
    policy::NAMES,
    provenance::NAMES,
    invite::NAMES,
    export::NAMES,
    leadership::NAMES,
    erasure::NAMES,
];

/// The event's name, version and bytes: always the newest version of its shape.
pub fn encode(event: &Event) -> Encoded {
    match event {
        Event::Account(event) => account::encode((), event),
        Event::Deposit(event) => deposit::encode((), event),
        Event::Address(event) => address::encode((), event),
        Event::Chain(event) => chain::encode((), event),
        Event::Webhook(event) => webhook::encode((), event),
        Event::Number(event) => number::encode((), event),
        Event::Lease(event) => lease::encode((), event),
        Event::Purchase(event) => purchase::encode((), event),
        Event::Reveal(event) => reveal::encode((), event),
        Event::Policy(event) => policy::encode((), event),
        Event::Provenance(event) => provenance::encode((), event),
        Event::Invite(event) => invite::encode((), event),
        Event::Export(event) => export::encode((), event),
        Event::Leadership(event) => leadership::encode((), event),
        Event::Erasure(event) => erasure::encode((), event),
    }
}

/// The event of a record: old versions are lifted to today's here and nowhere else. One whose
/// secrets are encrypted is read by `decode_sealed`.
pub fn decode(name: &str, version: u16, payload: &[u8]) -> Result<Event, DecodeError> {
    if payload.first() == Some(&SEALED) {
        return Err(DecodeError::Sealed);
    }
    decode_public(name, version, payload)
}

fn decode_public(name: &str, version: u16, payload: &[u8]) -> Result<Event, DecodeError> {
    if let Some(read) = order::decode(name, version, payload) {
        return read.map(|(id, fact)| AccountEvent::Order(OrderId(id), fact).into());
    }
    None.or_else(|| account::decode(name, version, payload).map(fact))
        .or_else(|| webhook::decode(name, version, payload).map(fact))
        .or_else(|| deposit::decode(name, version, payload).map(fact))
        .or_else(|| address::decode(name, version, payload).map(fact))
        .or_else(|| chain::decode(name, version, payload).map(fact))
        .or_else(|| number::decode(name, version, payload).map(fact))
        .or_else(|| lease::decode(name, version, payload).map(fact))
        .or_else(|| purchase::decode(name, version, payload).map(fact))
        .or_else(|| reveal::decode(name, version, payload).map(fact))
        .or_else(|| policy::decode(name, version, payload).map(fact))
        .or_else(|| provenance::decode(name, version, payload).map(fact))
        .or_else(|| invite::decode(name, version, payload).map(fact))
        .or_else(|| export::decode(name, version, payload).map(fact))
        .or_else(|| leadership::decode(name, version, payload).map(fact))
        .or_else(|| erasure::decode(name, version, payload).map(fact))
        .unwrap_or_else(|| Err(DecodeError::UnknownEvent { name: name.to_owned(), version }))
}

fn fact<E: Into<Event>>(read: Result<((), E), DecodeError>) -> Result<Event, DecodeError> {
    read.map(|((), event)| event.into())
}
