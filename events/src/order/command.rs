//! What can be wanted of an order that exists.

use super::event::{AttemptFailure, Complaint, FailureReason};
use super::receipt::Receipt;
use crate::code::Sensitive;
use crate::phone::Phone;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Its turn has come.
    Start {
        /// Now.
        at: Timestamp,
    },
    /// A source has given a number.
    AssignNumber {
        /// The attempt the number answers; another one is stale.
        attempt: u8,
        /// Whose number it is.
        supplier: SupplierName,
        /// The number.
        phone: Phone,
        /// Now.
        at: Timestamp,
    },
    /// A source has given none.
    FailAttempt {
        /// The attempt that failed; another one is stale.
        attempt: u8,
        /// Who was asked.
        supplier: SupplierName,
        /// What it said.
        reason: AttemptFailure,
        /// Now.
        at: Timestamp,
    },
    /// The source says the assigned number does not work.
    ReportNumberDead {
        /// The attempt whose number died; another one is stale.
        attempt: u8,
        /// Now.
        at: Timestamp,
    },
    /// A message has arrived on the assigned number.
    ReceiveSms(IncomingSms),
    /// The caller gives up.
    Cancel {
        /// Now.
        at: Timestamp,
    },
    /// The caller wants nothing more of a completed order.
    Finish {
        /// Now.
        at: Timestamp,
    },
    /// The caller says what was wrong.
    Report {
        /// What.
        complaint: Complaint,
        /// Now.
        at: Timestamp,
    },
    /// The clock says the deadline has passed.
    Expire {
        /// Now.
        at: Timestamp,
    },
    /// No source is left to ask.
    Fail {
        /// Why.
        reason: FailureReason,
        /// Now.
        at: Timestamp,
    },
}

/// A message as a source hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingSms {
    /// The source's id of the message.
    pub message_id: String,
    /// The source.
    pub supplier: SupplierName,
    /// The number it was sent to.
    pub to: Phone,
    /// Who sent it, as the network says.
    pub sender: String,
    /// The full text.
    pub text: String,
    /// When the source received it.
    pub receipt: Receipt,
    /// When the order before gave up the number, if one is known.
    pub freed_at: Option<Timestamp>,
    /// Kinds of messages that are held back.
    pub hold: Vec<Sensitive>,
    /// Now.
    pub at: Timestamp,
}
