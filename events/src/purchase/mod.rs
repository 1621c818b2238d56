//! Numbers bought from one telecom: intended within the month's limit before the telecom is asked,
//! made or failed afterwards.
//!
//! Holds: what was bought, what it costs a month, the limit. Never holds: a request, the pool (a
//! bought number is listed like any other). Leans on: nothing. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::country::Country;
use crate::decider::Decider;
use crate::money::Money;
use crate::phone::{Phone, Unfit};
use crate::time::Timestamp;

/// A fact of a telecom's purchases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The telecom is asked to sell it from here on.
    Intended {
        /// The number.
        phone: Phone,
        /// Where it is from.
        country: Country,
        /// What it costs a month.
        monthly: Money,
        /// When.
        at: Timestamp,
    },
    /// The telecom has sold it.
    Made {
        /// The number.
        phone: Phone,
        /// When.
        at: Timestamp,
    },
    /// The telecom has not sold it.
    Failed {
        /// The number.
        phone: Phone,
        /// Why, in its words.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// The telecom is asked to take it back from here on.
    EndIntended {
        /// The number.
        phone: Phone,
        /// When.
        at: Timestamp,
    },
    /// The telecom has it back and charges no further month.
    Ended {
        /// The number.
        phone: Phone,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Intended { at, .. }
            | Self::Made { at, .. }
            | Self::Failed { at, .. }
            | Self::EndIntended { at, .. }
            | Self::Ended { at, .. } => *at,
        }
    }

    /// The number it is about.
    pub fn phone(&self) -> &Phone {
        match self {
            Self::Intended { phone, .. }
            | Self::Made { phone, .. }
            | Self::Failed { phone, .. }
            | Self::EndIntended { phone, .. }
            | Self::Ended { phone, .. } => phone,
        }
    }
}

/// What can be wanted of a telecom's purchases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Buy a number.
    Intend {
        /// The number.
        phone: Phone,
        /// Where it is from.
        country: Country,
        /// What it costs a month.
        monthly: Money,
        /// The most that all bought numbers may cost in a month.
        limit: Money,
        /// Now.
        at: Timestamp,
    },
    /// The telecom says that it has sold it.
    Make {
        /// The number.
        phone: Phone,
        /// Now.
        at: Timestamp,
    },
    /// The telecom says that it has not sold it.
    Fail {
        /// The number.
        phone: Phone,
        /// Why, in its words.
        why: String,
        /// Now.
        at: Timestamp,
    },
    /// Give a number back.
    IntendEnd {
        /// The number.
        phone: Phone,
        /// Now.
        at: Timestamp,
    },
    /// The telecom says that it has it back.
    End {
        /// The number.
        phone: Phone,
        /// Now.
        at: Timestamp,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The month's limit would be passed; raise it or give a number back and wait for the next
    /// month.
    #[error("${spent} of ${limit} are spent this month, and the number costs ${monthly}")]
    AboveLimit {
        /// What this month's numbers cost.
        spent: Money,
        /// What they may cost.
        limit: Money,
        /// What the number would.
        monthly: Money,
    },
    /// No telephone can have the number, or none that services send codes to: it could serve no
    /// order.
    #[error(transparent)]
    Unfit(Unfit),
    /// The number is bought, or being bought, already.
    #[error("the number is bought already")]
    AlreadyBought,
    /// The number was not bought through this service; give it back at the telecom.
    #[error("the number was not bought here")]
    NotBought,
    /// The telecom names a price that is none.
    #[error("a monthly price is not below zero")]
    NegativePrice,
}

/// Where a purchase is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The telecom is being asked.
    Intended,
    /// The number is ours.
    Made,
    /// The telecom is being asked to take it back.
    Ending,
    /// The telecom has it back; it was paid for in this month.
    Ended,
}

/// A number that this month is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Where it is from.
    pub country: Country,
    /// What it costs a month.
    pub monthly: Money,
    /// Where it is in its life.
    pub status: Status,
    /// When that was.
    pub since: Timestamp,
}

/// A telecom's purchases as their facts have made them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Numbers that are ours or were in the month of the last fact.
    pub purchases: BTreeMap<Phone, Purchase>,
}

impl State {
    /// What the numbers of the month of `at` cost: each that was ours at any moment of it, a whole
    /// month.
    pub fn spent(&self, at: Timestamp) -> Money {
        let counts = |purchase: &&Purchase| {
            purchase.status != Status::Ended || purchase.since.month() == at.month()
        };
        self.purchases.values().filter(counts).map(|purchase| purchase.monthly).sum()
    }

    fn status(&self, phone: &Phone) -> Option<Status> {
        self.purchases.get(phone).map(|purchase| purchase.status)
    }

    fn intend(
        &self,
        phone: &Phone,
        country: Country,
        monthly: Money,
        limit: Money,
        at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        phone.fit().map_err(Refusal::Unfit)?;
        if self.status(phone).is_some_and(|status| status != Status::Ended) {
            return Err(Refusal::AlreadyBought);
        }
        if monthly.is_negative() {
            return Err(Refusal::NegativePrice);
        }
        let spent = self.spent(at);
        if spent + monthly > limit {
            return Err(Refusal::AboveLimit { spent, limit, monthly });
        }
        Ok(vec![Event::Intended { phone: phone.clone(), country, monthly, at }])
    }

    fn set(&mut self, phone: &Phone, status: Status, at: Timestamp) {
        if let Some(purchase) = self.purchases.get_mut(phone) {
            purchase.status = status;
            purchase.since = at;
        }
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Intend { phone, country, monthly, limit, at } => {
                self.intend(phone, *country, *monthly, *limit, *at)
            }
            Command::Make { phone, at } => match self.status(phone) {
                Some(Status::Intended) => Ok(vec![Event::Made { phone: phone.clone(), at: *at }]),
                Some(Status::Made | Status::Ending) => Ok(Vec::new()),
                Some(Status::Ended) | None => Err(Refusal::NotBought),
            },
            Command::Fail { phone, why, at } => match self.status(phone) {
                Some(Status::Intended) => {
                    Ok(vec![Event::Failed { phone: phone.clone(), why: why.clone(), at: *at }])
                }
                Some(Status::Made | Status::Ending) => Err(Refusal::AlreadyBought),
                Some(Status::Ended) | None => Ok(Vec::new()),
            },
            Command::IntendEnd { phone, at } => match self.status(phone) {
                Some(Status::Made) => {
                    Ok(vec![Event::EndIntended { phone: phone.clone(), at: *at }])
                }
                Some(Status::Ending | Status::Ended) => Ok(Vec::new()),
                Some(Status::Intended) | None => Err(Refusal::NotBought),
            },
            Command::End { phone, at } => match self.status(phone) {
                Some(Status::Ending) => Ok(vec![Event::Ended { phone: phone.clone(), at: *at }]),
                Some(Status::Ended) => Ok(Vec::new()),
                Some(Status::Intended | Status::Made) | None => Err(Refusal::NotBought),
            },
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        let month = event.at().month();
        self.purchases.retain(|_, purchase| {
            purchase.status != Status::Ended || purchase.since.month() == month
        });
        match event {
            Event::Intended { phone, country, monthly, at } => {
                let purchase = Purchase {
                    country: *country,
                    monthly: *monthly,
                    status: Status::Intended,
                    since: *at,
                };
                self.purchases.insert(phone.clone(), purchase);
            }
            Event::Made { phone, at } => self.set(phone, Status::Made, *at),
            Event::Failed { phone, .. } => drop(self.purchases.remove(phone)),
            Event::EndIntended { phone, at } => self.set(phone, Status::Ending, *at),
            Event::Ended { phone, at } => self.set(phone, Status::Ended, *at),
        }
        self
    }
}
