//! What can happen to an order.

use super::scenario::Scenario;
use crate::code::{Extraction, Sensitive};
use crate::country::Country;
use crate::money::Money;
use crate::phone::Phone;
use crate::platform::Platform;
use crate::policy::Verdict;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// A fact of an order. The order's n-th fact is its event number n, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The order was accepted; its price is frozen here.
    Placed(Placed),
    /// The order waits for its turn: as many of the account's as may run do.
    Queued {
        /// When.
        at: Timestamp,
    },
    /// A test order: what it does is chosen.
    ScenarioChosen {
        /// What.
        scenario: Scenario,
        /// When.
        at: Timestamp,
    },
    /// Its turn came: a number is sought from here on.
    Started {
        /// When.
        at: Timestamp,
    },
    /// A source gave no number for this attempt.
    AttemptFailed {
        /// 1 for the first source asked.
        attempt: u8,
        /// Who was asked.
        supplier: SupplierName,
        /// What it said.
        reason: AttemptFailure,
        /// When.
        at: Timestamp,
    },
    /// A source gave a number; the caller may use it until `expires_at`.
    NumberAssigned {
        /// 1 for the first source asked.
        attempt: u8,
        /// Whose number it is.
        supplier: SupplierName,
        /// The number.
        phone: Phone,
        /// The end of the order's life; a replacement keeps the first number's.
        expires_at: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// The source says the number does not work (any more).
    NumberReportedDead {
        /// The attempt whose number died.
        attempt: u8,
        /// Whose number it was.
        supplier: SupplierName,
        /// When.
        at: Timestamp,
    },
    /// A message arrived on the order's number.
    SmsReceived(Sms),
    /// A message arrived that says word for word what the order was told minutes before: it is
    /// dropped.
    SmsRepeated {
        /// The source's id of the message.
        message_id: String,
        /// The source it came through.
        supplier: SupplierName,
        /// The id of the message that said it first.
        repeats: String,
        /// When the source received it.
        received_at: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// A message arrived that the operator has held back: it is nobody's business but the one's
    /// that it speaks of. Neither its text nor its sender is kept.
    SmsHeld {
        /// The source's id of the message.
        message_id: String,
        /// The source it came through.
        supplier: SupplierName,
        /// What is sensitive in it.
        kinds: Vec<Sensitive>,
        /// When the source received it.
        received_at: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// The code is known and paid for. The number stays on the order, which takes its messages
    /// until `listens_until`.
    Completed {
        /// The code as the caller types it.
        code: String,
        /// The message it stood in.
        message_id: String,
        /// Until when; `at` for an order that gives its number back at once.
        listens_until: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// A later or surer code of the same platform takes the place of the one before. Nothing more
    /// is paid.
    CodeReplaced {
        /// The code as the caller types it.
        code: String,
        /// The message it stood in.
        message_id: String,
        /// When.
        at: Timestamp,
    },
    /// The caller says what was wrong with the number or its code.
    Reported {
        /// What.
        complaint: Complaint,
        /// When.
        at: Timestamp,
    },
    /// What was paid for a wrong code is given back, and the number with it.
    Refunded {
        /// When.
        at: Timestamp,
    },
    /// A completed order gives its number back: its time was up, or its caller wants nothing more
    /// of it.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// The caller gave up.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// No code came in time.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// No number could be had, or the message with the code was held back.
    Failed {
        /// Why.
        reason: FailureReason,
        /// When.
        at: Timestamp,
    },
}

/// What an order was accepted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// For whose messages.
    pub platform: Platform,
    /// Where the number is to be from.
    pub country: Country,
    /// The price before the discount.
    pub list_price: Money,
    /// What the order costs if its code comes.
    pub price: Money,
    /// From the first number to expiry.
    pub lifetime_seconds: u32,
    /// How long a first number may be sought.
    pub seek_seconds: u32,
    /// How many sources may be asked, dead numbers' included.
    pub max_attempts: u8,
    /// How long it keeps its number after the code; never beyond its expiry.
    pub listen_seconds: u32,
    /// What the service's policy said of it; `None` of orders from before there was one.
    pub verdict: Option<Verdict>,
    /// When.
    pub at: Timestamp,
}

/// A message on the order's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sms {
    /// The source's id of the message; the same id is the same message.
    pub message_id: String,
    /// The source it came through.
    pub supplier: SupplierName,
    /// Who sent it, as the network says.
    pub sender: String,
    /// The full text.
    pub text: String,
    /// When the source received it.
    pub received_at: Timestamp,
    /// What was found in it.
    pub extraction: Extraction,
    /// When it was recorded.
    pub at: Timestamp,
}

/// Why an attempt got no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptFailure {
    /// The source has none that fits.
    NoNumber,
    /// The source answered with an error.
    SourceError,
    /// The source did not answer in time.
    TimedOut,
}

/// What a caller says was wrong with an order's number or its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// The code is not the platform's.
    WrongCode,
    /// No code came.
    NoCode,
    /// The platform says that the number has been used before.
    NumberUsed,
}

impl Complaint {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::WrongCode, Self::NoCode, Self::NumberUsed];

    /// The word callers and operators use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongCode => "wrong_code",
            Self::NoCode => "no_code",
            Self::NumberUsed => "number_used",
        }
    }
}

/// Why an order failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// Every source that could be asked was asked.
    NoSourceLeft,
    /// The order's attempts are used up.
    AttemptsExhausted,
    /// No number was found in the time allowed for seeking one.
    SeekingTimedOut,
    /// The message with the code is of a kind that the operator holds back.
    MessageHeld,
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Placed(placed) => placed.at,
            Self::SmsReceived(sms) => sms.at,
            Self::Queued { at }
            | Self::Started { at }
            | Self::ScenarioChosen { at, .. }
            | Self::AttemptFailed { at, .. }
            | Self::NumberAssigned { at, .. }
            | Self::NumberReportedDead { at, .. }
            | Self::SmsRepeated { at, .. }
            | Self::SmsHeld { at, .. }
            | Self::Completed { at, .. }
            | Self::CodeReplaced { at, .. }
            | Self::Reported { at, .. }
            | Self::Refunded { at }
            | Self::Finished { at }
            | Self::Cancelled { at }
            | Self::Expired { at }
            | Self::Failed { at, .. } => *at,
        }
    }

    /// Whether the order ends with this: its hold does, and its place among the account's open
    /// orders. Its number may stay on it (`State::is_over`).
    pub fn is_end(&self) -> bool {
        match self {
            Self::Completed { .. }
            | Self::Cancelled { .. }
            | Self::Expired { .. }
            | Self::Failed { .. } => true,
            Self::Placed(_)
            | Self::Queued { .. }
            | Self::Started { .. }
            | Self::ScenarioChosen { .. }
            | Self::AttemptFailed { .. }
            | Self::NumberAssigned { .. }
            | Self::NumberReportedDead { .. }
            | Self::SmsReceived(_)
            | Self::SmsRepeated { .. }
            | Self::SmsHeld { .. }
            | Self::CodeReplaced { .. }
            | Self::Reported { .. }
            | Self::Refunded { .. }
            | Self::Finished { .. } => false,
        }
    }
}
