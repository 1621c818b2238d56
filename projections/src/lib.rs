//! The read model: recorded facts folded into answers, in a file that can always be thrown away.
//!
//! Holds: views, their checkpoint, the runner that keeps them up with the log. Never holds: a rule,
//! a decision, the log itself. Leans on: `events`. Proved by: `tests/views.rs` of this crate: any
//! split of the log into batches gives the same rows.

#![cfg_attr(
    not(test),
    deny(
        clippy::wildcard_enum_match_arm,
        clippy::iter_over_hash_type,
        clippy::float_arithmetic,
        clippy::as_conversions
    )
)]

mod batch;
mod deliveries;
mod deposits;
mod directory;
mod ends;
mod hourly;
mod parts;
mod queries;
mod reports;
mod row;
mod runner;
mod sources;
mod strays;
mod sums;
mod views;

pub use deliveries::DeliveryRow;
pub use deposits::{Concern, DepositRow};
pub use directory::{
    AccountFilter, AnyOrderFilter, DeliveryPlace, FailingReceiver, ListedAccount, ListedOrder,
};
pub use hourly::{DELIVERY_BOUNDS, DeliveryBucket, HourlyCell, percentile};
pub use queries::{AccountView, Assigned, OrderFilter, OrderRef, OrderSummary, Outcome, UsageCell};
pub use reports::Report;
pub use runner::{Chaining, Log, LogError, Projector, Reading};
pub use sources::{Retired, SupplierOutcome};
pub use strays::{REPEATED, Stray, StrayFilter};
pub use views::{Chain, OpenError, Peeked, ViewError, Views};
