//! Where numbers come from. One folder a supplier.
//!
//! Holds: their APIs, sessions, formats and what each needs of a configuration. Never holds: which
//! order a message belongs to (the inbox does), whom to ask next (the router does). Leans on:
//! `events`, `actors`. Proved by: tests beside each file, `actors/tests`, real peers in
//! `tests/outside`.

pub mod android;
pub mod configuration;
pub mod http;
pub mod inbound;
pub mod own;
pub mod purchasing;
pub mod simulator;
pub mod smpp;
pub mod telnyx;
pub mod twilio;
pub mod vonage;
