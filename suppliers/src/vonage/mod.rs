//! Vonage: its API for numbers, and how its messages are read.

mod api;
mod inbound;

pub use api::Vonage;
pub use inbound::{Inbound, SignatureMethod};
