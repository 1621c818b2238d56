//! The domain: what can happen to accounts, orders, numbers and deposits, and why not otherwise.
//!
//! Holds: nouns, deciders, extraction of codes, the bytes of events. Never holds: clock, chance,
//! disk, network, `async`. Leans on: nothing of ours. Proved by: the scenarios beside each room,
//! `tests/` of this crate, golden bytes in `codec`.

#![cfg_attr(
    not(test),
    deny(
        clippy::wildcard_enum_match_arm,
        clippy::iter_over_hash_type,
        clippy::float_arithmetic,
        clippy::as_conversions
    )
)]

pub mod country;
pub mod id;
pub mod money;
pub mod phone;
pub mod platform;
pub mod price;
pub mod supplier;
pub mod text;
pub mod tier;
pub mod time;

pub use sms_code as code;

pub mod decider;
pub mod envelope;

pub mod account;
pub mod address;
pub mod chain;
pub mod deposit;
pub mod erasure;
pub mod export;
pub mod invite;
pub mod leadership;
pub mod lease;
pub mod number;
pub mod order;
pub mod policy;
pub mod provenance;
pub mod purchase;
pub mod reveal;
pub mod transparency;
pub mod webhook;

pub mod as_of;
pub mod audit;
pub mod codec;
pub mod event;
pub mod spec;

pub use event::Event;
