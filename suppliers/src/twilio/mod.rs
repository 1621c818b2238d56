//! Twilio: its API for numbers, and how its messages are read.

mod api;
mod inbound;

pub use api::Twilio;
pub use inbound::Inbound;
