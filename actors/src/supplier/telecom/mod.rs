//! Numbers at programmable telecoms: what we own there, what is for sale, bought and given back by their APIs.
//!
//! Holds: the port, one file a telecom, the desk that buys under a recorded intent. Never holds: the month's limit (`events::purchase`).
//! Leans on: the inventory, which has the numbers in its pools. Proved by: `tests/telecom.rs` of this crate, the official SDKs on the same stand-ins.

mod desk;
mod port;
mod telnyx;
mod twilio;
mod vonage;

pub use desk::{Desk, DeskError, Synced};
pub use port::{Account, Offer, Telecom, TelecomError};
pub use telnyx::Telnyx;
pub use twilio::Twilio;
pub use vonage::Vonage;
