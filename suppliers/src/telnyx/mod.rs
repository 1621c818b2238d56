//! Telnyx: its API for numbers.

mod api;

pub use api::Telnyx;
