//! The read model: recorded facts folded into answers, in a file that can always be thrown away.
//!
//! Holds: views, their checkpoint, the runner that keeps them up with the log. Never holds: a rule,
//! a decision, the log itself. Leans on: `events`. Proved by: `tests/views` of this crate: any
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

mod accounts;
mod all_deliveries;
mod all_orders;
mod batch;
mod column;
mod deliveries;
mod deposits;
mod ends;
mod forgotten;
mod hourly;
mod orders;
#[cfg(test)]
mod pages;
mod parts;
mod refusals;
mod reports;
mod row;
mod runner;
mod sources;
mod strays;
mod sums;
mod usage;
mod views;

pub use accounts::{AccountFilter, AccountView, ListedAccount, Totals};
pub use all_deliveries::{DeliveryPlace, FailingReceiver};
pub use all_orders::{AnyOrderFilter, ListedOrder};
pub use deliveries::DeliveryRow;
pub use deposits::{Concern, DepositRow};
pub use hourly::{DELIVERY_BOUNDS, DeliveryBucket, HourlyCell, percentile};
pub use orders::{Assigned, OrderFilter, OrderRef, OrderSummary};
pub use refusals::RefusedOrder;
pub use reports::Report;
pub use runner::{Chaining, Log, LogError, Projector, Reading};
pub use sources::{Retired, SupplierOutcome};
pub use strays::{HELD, REPEATED, Stray, StrayFilter};
pub use usage::{Outcome, UsageCell};
pub use views::{Chain, OpenError, Peek, Peeked, ViewError, Views};
