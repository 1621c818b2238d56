//! Numbers of SIM cards in Android phones that run the SMS Gateway app.

mod configuration;
mod inbound;

pub use configuration::Configuration;
pub use inbound::Inbound;
