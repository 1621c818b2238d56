//! One file a path: what it takes, what it answers, and nothing in between.

pub mod account;
pub mod availability;
pub mod deposit_addresses;
pub mod deposit_verify;
pub mod fallback;
pub mod health;
pub mod inbound;
pub mod order;
pub mod order_cancel;
pub mod order_id;
pub mod order_stream;
pub mod register;
pub mod services;
pub mod usage;
