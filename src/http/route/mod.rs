//! One file a path: what it takes, what it answers, and nothing in between.

pub mod account;
pub mod account_ledger;
pub mod agent;
pub mod availability;
pub mod batch;
pub mod deposit_addresses;
pub mod deposit_verify;
pub mod deposits;
pub mod fallback;
pub mod health;
pub mod idempotency;
pub mod inbound;
pub mod mcp;
pub mod order;
pub mod order_cancel;
pub mod order_events;
pub mod order_id;
pub mod order_stream;
pub mod orders;
pub mod pages;
pub mod register;
pub mod services;
pub mod usage;
pub mod verify;
pub mod webhook;
pub mod webhook_deliveries;
