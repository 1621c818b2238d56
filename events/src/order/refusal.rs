//! Why a command on an order is refused.

use thiserror::Error;

use super::state::Status;

/// What the caller can do about it stands beside each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The order has ended another way; read it.
    #[error("the order has already ended: {}", .0.name())]
    AlreadyEnded(Status),
    /// The order has no code yet: it can be cancelled, and cannot be finished.
    #[error("the order has no code yet: {}", .0.name())]
    NotCompleted(Status),
    /// The complaint is about something the order does not have, or it comes too late.
    #[error("the order cannot be reported for that")]
    NothingToReport,
    /// The report is about an attempt that is not the current one; drop it and give its number
    /// back.
    #[error("the report is about an earlier attempt")]
    StaleAttempt,
    /// The message was not sent during this order's assignment of the number; keep it elsewhere.
    #[error("the message does not belong to this assignment of the number")]
    NotThisAssignment,
    /// The order keeps no more messages; keep it elsewhere.
    #[error("the order keeps no more messages")]
    TooManyMessages,
}
