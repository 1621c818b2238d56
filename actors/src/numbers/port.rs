//! What every source of numbers can do.

use events::country::Country;
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::{AttemptFailure, Scenario};
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;

use crate::store::BoxFuture;

/// A number as an order wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRequest {
    /// For whose messages.
    pub platform: Platform,
    /// Where it is to be from.
    pub country: Country,
    /// Now.
    pub at: Timestamp,
    /// Whether the account has had numbers, and no code came of any: it gets those that pools can
    /// spare.
    pub is_unproven: bool,
    /// What a test order does; `None` for a real one.
    pub scenario: Option<Scenario>,
}

/// An attempt of an order that asks for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptRequest {
    /// Whose order.
    pub account: AccountId,
    /// Which order.
    pub order: OrderId,
    /// Which of its attempts.
    pub attempt: u8,
    /// What it wants.
    pub wanted: NumberRequest,
}

/// A number on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose order.
    pub account: AccountId,
    /// Which order.
    pub order: OrderId,
    /// Which of its attempts.
    pub attempt: u8,
    /// Whose number.
    pub supplier: SupplierName,
    /// The number.
    pub phone: Phone,
    /// For whose messages.
    pub platform: Platform,
    /// Where it is from.
    pub country: Country,
    /// Since when.
    pub assigned_at: Timestamp,
    /// What a test order does; `None` for a real one.
    pub scenario: Option<Scenario>,
}

/// How a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Its code was used: the number has served the platform.
    Served(Timestamp),
    /// The order has no use for it: it was cancelled, or never had the number.
    Unused,
    /// Its platform would not have it, by the caller's word: it serves the platform no more for a
    /// while.
    Spoilt(Timestamp),
    /// No code came in the order's time.
    Silent,
    /// The source itself said that the number does not work.
    Dead,
}

/// How many numbers a source has, and how many of them are on orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// In all.
    pub known: usize,
    /// On orders that wait for their codes, or reserved for one.
    pub leased: usize,
    /// On orders that have their codes, and listen.
    pub listening: usize,
    /// On none, and not to be had yet by any: they rest after the order that had them.
    pub resting: usize,
}

/// How much a source has of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stock {
    /// Nothing.
    None,
    /// Some; it may be gone soon.
    Low,
    /// Enough for now.
    Medium,
    /// Plenty.
    High,
}

impl Stock {
    /// How much so many numbers are.
    pub const fn of(count: u64) -> Self {
        match count {
            0 => Self::None,
            1..=2 => Self::Low,
            3..=9 => Self::Medium,
            _ => Self::High,
        }
    }

    /// The word callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A source of numbers.
pub trait Supplier: Send + Sync + std::fmt::Debug + 'static {
    /// Its name in events, config and paths.
    fn name(&self) -> &SupplierName;

    /// Whether its numbers and messages are made up.
    fn is_simulated(&self) -> bool;

    /// Whether messages to its numbers can come just now; while not, no order gets one.
    fn is_reached(&self) -> bool {
        true
    }

    /// Whether `phone` is one of its numbers, on an order or not.
    fn owns(&self, phone: &Phone) -> bool;

    /// The same as `acquire`, from a source that need not ask anybody; `None` from one that must.
    fn acquire_local(&self, wanted: NumberRequest) -> Option<Result<Phone, AttemptFailure>>;

    /// Reserves a number, until it is released.
    fn acquire(&self, asked: AttemptRequest) -> BoxFuture<'_, Result<Phone, AttemptFailure>>;

    /// The number is on an order now, durably: just assigned, or found so after a restart.
    fn assigned(&self, lease: &Lease);

    /// The order got its code at `at`, and keeps the number for what still comes.
    fn served(&self, _lease: &Lease, _at: Timestamp) {}

    /// The number is on no order any more, at `now`; also for one that was acquired and never
    /// assigned.
    fn release(&self, lease: &Lease, release: Release, now: Timestamp);

    /// When an order last gave up a number that may have been given to the next one at once.
    fn freed_at(&self, _phone: &Phone) -> Option<Timestamp> {
        None
    }

    /// How much it has for such orders.
    fn stock(&self, wanted: NumberRequest) -> Stock;

    /// What a code costs there, if it says so.
    fn cost(&self, wanted: NumberRequest) -> Option<Money>;

    /// How many numbers it has; `None` for a source that does not know.
    fn numbers(&self, now: Timestamp) -> Option<Numbers>;
}
