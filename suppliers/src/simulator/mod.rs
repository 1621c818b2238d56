//! The built-in source: made-up numbers whose messages come by themselves, or misbehave as told.

mod configuration;
mod message;
mod pool;
mod reserved_ranges;
mod scenario;
mod supplier;

pub use configuration::Configuration;
pub use supplier::{Settings, Simulator};
