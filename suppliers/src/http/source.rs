//! What a source that is asked can do: a port, so that whole stories run against a made-up one.

use events::country::Country;
use events::lease::{Outcome, Theirs};
use events::money::Money;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use thiserror::Error;

use actors::store::BoxFuture;

/// A number that the source has leased to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The number.
    pub phone: Phone,
    /// What it costs if it serves.
    pub cost: Money,
}

/// A message that the source has for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledSms {
    /// Its id: the same id is the same message.
    pub id: String,
    /// Who sent it, as the network says.
    pub sender: String,
    /// The full text.
    pub text: String,
    /// When the source received it, if it says so.
    pub received_at: Option<Timestamp>,
}

/// How a lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Whether the number still is ours and works.
    pub alive: bool,
    /// The messages so far.
    pub messages: Vec<PulledSms>,
}

/// How many numbers the source has for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLine {
    /// For whose messages.
    pub platform: Platform,
    /// Where they are from.
    pub country: Country,
    /// How many.
    pub count: u64,
    /// What one costs.
    pub cost: Money,
}

/// A source did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// It has no such number; nothing is leased.
    #[error("it has no number")]
    NoNumber,
    /// It does not take the request as it is; nothing is leased, and asking again is no use.
    #[error("it refuses: {0}")]
    Refused(String),
    /// It does not know the lease, or has ended it.
    #[error("it does not know the lease")]
    Unknown,
    /// It did not answer in time; it may have done what it was asked.
    #[error("it does not answer in time")]
    TimedOut,
    /// It answered with an error or with nonsense; it may have done what it was asked.
    #[error("it fails: {0}")]
    Failed(String),
}

/// A source that is asked. Every call may be repeated.
pub trait Source: Send + Sync + std::fmt::Debug + 'static {
    /// Leases a number under a reference; the same reference again is the same lease.
    fn lease(
        &self,
        reference: String,
        platform: Platform,
        country: Country,
    ) -> BoxFuture<'_, Result<Leased, SourceError>>;

    /// How the lease is, and its messages.
    fn look(&self, reference: String) -> BoxFuture<'_, Result<Looked, SourceError>>;

    /// Releases the lease, also one that the source has never heard of; what it charges in the end.
    fn release(
        &self,
        reference: String,
        outcome: Outcome,
    ) -> BoxFuture<'_, Result<Money, SourceError>>;

    /// What the source has.
    fn stock(&self) -> BoxFuture<'_, Result<Vec<StockLine>, SourceError>>;

    /// Every lease that stands or that was made since `since`.
    fn leases(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<Theirs>, SourceError>>;
}
