//! What callers were told, kept outside of the service, to be held against its log.

use std::sync::Arc;

use actors::Fault;
use actors::kernel::entity::TransactError;
use actors::order::PlaceError;
use actors::store::memory::MemoryStore;
use events::account::BatchItem;
use events::account::{
    IdempotencyRefusal, ItemRefusal, OrderRefusal, PlacingRefusal, Refusal, StandingRefusal,
};
use events::envelope::{Position, Revision};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::{self, Complaint, Status};
use parking_lot::Mutex;

use crate::marks::{Mark, Marks};

/// Why a call made nothing happen, as its caller was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    Refused(Refusal),
    /// Nothing of it is in the log.
    NotWritten,
    /// It may be in the log, or not.
    Unknown,
    /// A state that no command can have led to.
    Damaged(String),
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Append(_) | Fault::Away(_) | Fault::NoSpace | Fault::Overloaded => {
                Self::NotWritten
            }
            Fault::Unknown(_)
            | Fault::Read(_)
            | Fault::ActorEnded
            | Fault::View(_)
            | Fault::Chain(_) => Self::Unknown,
            Fault::Damaged { .. } => Self::Damaged(fault.to_string()),
        }
    }
}

impl From<PlaceError> for No {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Refused(refusal) => Self::Refused(refusal),
            PlaceError::Fault(fault) => fault.into(),
        }
    }
}

impl From<TransactError<Refusal>> for No {
    fn from(error: TransactError<Refusal>) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Fault(fault) => fault.into(),
        }
    }
}

impl From<TransactError<OrderRefusal>> for No {
    fn from(error: TransactError<OrderRefusal>) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(Refusal::Order(refusal)),
            TransactError::Fault(fault) => fault.into(),
        }
    }
}

/// What was asked, and what the answer was.
#[derive(Debug, Clone)]
pub enum Told {
    Placed {
        order: OrderId,
        key: Option<u8>,
        is: Result<(OrderId, bool), No>,
    },
    Batch {
        orders: Vec<OrderId>,
        is: Result<(Arc<[BatchItem]>, bool), No>,
    },
    Cancelled {
        order: OrderId,
        is: Result<bool, No>,
    },
    Finished {
        order: OrderId,
        is: Result<(), No>,
    },
    Reported {
        order: OrderId,
        complaint: Complaint,
        is: Result<(), No>,
    },
    Trespassed {
        is: Result<(), No>,
    },
    Credited {
        is: Result<(), No>,
    },
    Suspended {
        is: Result<(), No>,
    },
    /// What the account showed.
    Seen(Seen),
}

/// What an account showed at a moment.
#[derive(Debug, Clone)]
pub struct Seen {
    pub revision: Option<Revision>,
    pub position: Position,
    pub balance: Money,
    pub held: Money,
    pub orders: Vec<(OrderId, Status, Option<String>)>,
}

/// An answer, and how many records the log had before the call and after it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub account: AccountId,
    pub asked_at: usize,
    pub told_at: usize,
    /// How many answers had been given when it was asked.
    pub answers: usize,
    pub told: Told,
}

/// The answers so far. Cloning shares them.
#[derive(Clone)]
pub struct Answers {
    pub log: MemoryStore,
    pub marks: Marks,
    given: Arc<Mutex<Vec<Answer>>>,
    /// Calls that have no answer yet.
    asked: Arc<Mutex<usize>>,
    /// Answers that nobody should get.
    findings: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    pub fn new(log: MemoryStore, marks: Marks) -> Self {
        Self { log, marks, given: Arc::default(), asked: Arc::default(), findings: Arc::default() }
    }

    pub fn findings(&self) -> Vec<String> {
        self.findings.lock().clone()
    }

    pub fn all(&self) -> Vec<Answer> {
        self.given.lock().clone()
    }

    /// Waits for an answer and keeps it.
    pub async fn of(&self, account: AccountId, answer: impl Future<Output = Told>) {
        let (asked_at, answers) = (self.log.len(), self.given.lock().len());
        *self.asked.lock() += 1;
        let told = answer.await;
        *self.asked.lock() -= 1;
        self.mark(&told);
        let told_at = self.log.len();
        self.given.lock().push(Answer { account, asked_at, told_at, answers, told });
    }

    /// Keeps what was shown.
    pub fn seen(&self, account: AccountId, seen: Seen) {
        let told_at = self.log.len();
        let told = Told::Seen(seen);
        let mut given = self.given.lock();
        let answers = given.len();
        given.push(Answer { account, asked_at: told_at, told_at, answers, told });
    }

    /// A process ended: who had no answer gets none. How many there were.
    pub fn cut_off(&self) -> usize {
        std::mem::take(&mut *self.asked.lock())
    }

    fn mark(&self, told: &Told) {
        let see = |mark| self.marks.see(mark);
        let no = match told {
            Told::Placed { is, .. } => {
                if let Ok((_, replayed)) = is {
                    see(if *replayed { Mark::Replayed } else { Mark::Placed });
                }
                is.as_ref().err()
            }
            Told::Batch { is, .. } => {
                if let Ok((_, true)) = is {
                    see(Mark::BatchReplayed);
                }
                is.as_ref().err()
            }
            Told::Cancelled { is, .. } => {
                if let Ok(true) = is {
                    see(Mark::CancelReplayed);
                }
                is.as_ref().err()
            }
            Told::Finished { is, .. } => {
                if is.is_ok() {
                    see(Mark::Finished);
                }
                is.as_ref().err()
            }
            Told::Reported { is, .. } => {
                if is.is_ok() {
                    see(Mark::Reported);
                }
                is.as_ref().err()
            }
            Told::Trespassed { is } | Told::Credited { is } | Told::Suspended { is } => {
                is.as_ref().err()
            }
            Told::Seen(_) => None,
        };
        match no {
            Some(No::Refused(refusal)) => self.mark_refusal(refusal, told),
            Some(No::NotWritten) => see(Mark::NotWritten),
            Some(No::Unknown) => see(Mark::Unknown),
            Some(No::Damaged(_)) => self.unexpected(told),
            None => {}
        }
    }

    fn mark_refusal(&self, refusal: &Refusal, told: &Told) {
        let cancelling = matches!(told, Told::Cancelled { .. });
        self.marks.see(match refusal {
            Refusal::Standing(StandingRefusal::Suspended) => Mark::Suspended,
            Refusal::Item(ItemRefusal::InsufficientBalance { .. }) => Mark::InsufficientBalance,
            Refusal::Item(ItemRefusal::Policy(_)) => Mark::PolicyRefused,
            Refusal::Placing(PlacingRefusal::OrderInProgress { .. }) => Mark::OrderInProgress,
            Refusal::Placing(PlacingRefusal::TooManyCancels { .. }) => Mark::TooManyCancels,
            Refusal::Idempotency(IdempotencyRefusal::KeyReused) => Mark::KeyReused,
            Refusal::Order(OrderRefusal::NotFound) => Mark::NotFound,
            Refusal::Order(OrderRefusal::TooManyReports) => return,
            Refusal::Order(OrderRefusal::Order(refusal)) => match refusal {
                order::Refusal::AlreadyEnded(Status::Completed) if cancelling => {
                    Mark::CodeBeatCancel
                }
                order::Refusal::AlreadyEnded(Status::Expired) if cancelling => {
                    Mark::ExpiryBeatCancel
                }
                order::Refusal::AlreadyEnded(Status::Failed) if cancelling => {
                    Mark::FailureBeatCancel
                }
                order::Refusal::NotCompleted(_) => Mark::NotCompleted,
                order::Refusal::NothingToReport => Mark::NothingToReport,
                order::Refusal::AlreadyEnded(_) => return,
                order::Refusal::StaleAttempt
                | order::Refusal::NotThisAssignment
                | order::Refusal::TooManyMessages => return self.unexpected(told),
            },
            Refusal::Standing(_)
            | Refusal::Item(_)
            | Refusal::Placing(_)
            | Refusal::Idempotency(_)
            | Refusal::ApiKey(_)
            | Refusal::Operator(_)
            | Refusal::Removal(_)
            | Refusal::Webhook(_) => return self.unexpected(told),
        });
    }

    /// Says what must never be, and is.
    pub fn find(&self, finding: String) {
        self.findings.lock().push(finding);
    }

    fn unexpected(&self, told: &Told) {
        self.findings.lock().push(format!("answers: no caller should be told {told:?}"));
    }
}
