//! Facts of an account's webhook deliveries in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, write};
use crate::time::Timestamp;
use crate::webhook::{Event, Outcome};

facts! {
    Event after ();
    fields {
        "WebhookAttempted" 1 Attempted { sequence: u64, attempt: u16, outcome: Outcome, millis: u32, next_at: Option<Timestamp>, at: Timestamp }
        "WebhookDelivered" 1 Delivered { sequence: u64, at: Timestamp }
        "WebhookExhausted" 1 Exhausted { sequence: u64, at: Timestamp }
        "WebhookRedeliveryRequested" 1 RedeliveryRequested { sequence: u64, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

impl Wire for Outcome {
    /// Its number, and the status that the receiver answered with, or 0.
    type Disk = (u8, u16);

    fn freeze(&self) -> (u8, u16) {
        match self {
            Self::Answered(status) => (0, *status),
            Self::TimedOut => (1, 0),
            Self::ConnectionFailed => (2, 0),
            Self::NotResolved => (3, 0),
            Self::TargetRefused => (4, 0),
            Self::NoWebhook => (5, 0),
        }
    }

    fn thaw((outcome, status): (u8, u16)) -> Result<Self, String> {
        match outcome {
            0 => Ok(Self::Answered(status)),
            1 => Ok(Self::TimedOut),
            2 => Ok(Self::ConnectionFailed),
            3 => Ok(Self::NotResolved),
            4 => Ok(Self::TargetRefused),
            5 => Ok(Self::NoWebhook),
            other => Err(format!("outcome {other}")),
        }
    }
}
