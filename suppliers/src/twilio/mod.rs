//! Twilio: its API for numbers.

mod api;

pub use api::Twilio;
