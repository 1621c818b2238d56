//! Telnyx: its API for numbers, and how its messages are read.

mod api;
mod inbound;

pub use api::Telnyx;
pub use inbound::{Inbound, ParsePublicKeyError, PublicKey};
