//! Telnyx: its API for numbers, how its messages are read, and its part of the configuration.

mod api;
mod configuration;
mod inbound;

pub use api::Api;
pub use configuration::Configuration;
pub use inbound::{Inbound, ParsePublicKeyError, PublicKey};
