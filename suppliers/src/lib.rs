//! Where numbers come from. One folder a supplier.
//!
//! Holds: their APIs, sessions, formats and what each needs of a configuration. Never holds: which order a message belongs to (the inbox does), whom
//! to ask next (the router does). Leans on: `events`, `actors`. Proved by: tests beside each file, `actors/tests`, real peers in `tests/outside`.

pub mod http;
pub mod purchasing;
pub mod simulator;
pub mod smpp;
mod telnyx;
mod twilio;
mod vonage;

pub use telnyx::Telnyx;
pub use twilio::Twilio;
pub use vonage::Vonage;
