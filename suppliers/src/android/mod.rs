//! Numbers of SIM cards in Android phones that run the SMS Gateway app.

mod inbound;

pub use inbound::Inbound;
