//! What can be wanted of the account of a small world, and what each is as a command.

use std::time::Duration;

use telenumerus_events::account::idempotency::{Effect, KeyUse};
use telenumerus_events::account::{CancelRules, Command, PlaceBatch, PlaceOrder};
use telenumerus_events::country::Country;
use telenumerus_events::id::OrderId;
use telenumerus_events::money::Money;
use telenumerus_events::order::{
    self, AttemptFailure, Complaint, FailureReason, IncomingSms, Receipt,
};
use telenumerus_events::phone::Phone;
use telenumerus_events::platform::Platform;
use telenumerus_events::policy::Judge;
use telenumerus_events::time::Timestamp;

/// What an order costs, in cents.
pub const PRICE: i64 = 50;
/// Sources that an order may ask.
pub const MAX_ATTEMPTS: u8 = 2;
/// Each moment that there is, in seconds: in the second one every deadline of the first has passed.
pub const MOMENTS: [u64; 2] = [0, 10_000];

/// What reaches the account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request {
    /// A call under a key. A retry brings the same key, and the fresh ids of its own arrival.
    Place {
        key: u8,
        orders: Vec<u8>,
    },
    /// A source's answer to an attempt.
    Assign {
        order: u8,
        attempt: u8,
    },
    /// Another one.
    NoNumber {
        order: u8,
        attempt: u8,
    },
    /// What its number has become.
    Dead {
        order: u8,
        attempt: u8,
    },
    /// A message with a code; one of them says whose it is.
    Message {
        order: u8,
        is_named: bool,
    },
    Cancel {
        order: u8,
    },
    Finish {
        order: u8,
    },
    Report {
        order: u8,
    },
    /// By the clock, at any time: also before its time.
    Expire {
        order: u8,
    },
    /// By the router.
    NoSourceLeft {
        order: u8,
    },
    Suspend,
    Reinstate,
    /// By an operator, as much as an order costs.
    Debit,
}

pub fn moment(index: usize) -> Timestamp {
    Timestamp::from_millis(1_000_000).plus(Duration::from_secs(MOMENTS[index]))
}

fn phone(order: u8) -> Phone {
    format!("+1202555{order:04}").parse().unwrap()
}

impl Request {
    /// The command that it is at a moment, for an account that may run so many orders at a time.
    pub fn command(&self, max_concurrent: u32, at: Timestamp) -> Command {
        let reason = String::new();
        let (order, command) = match self {
            Self::Place { key, orders } => return place(*key, orders, max_concurrent, at),
            Self::Suspend => return Command::Suspend { reason, at },
            Self::Reinstate => return Command::Reinstate { reason, at },
            Self::Debit => {
                let amount = Money::from_cents(PRICE);
                return Command::Debit { amount, reason, may_overdraw: false, at };
            }
            Self::Assign { order, attempt } => {
                let (supplier, phone) = ("own".parse().unwrap(), phone(*order));
                (order, order::Command::AssignNumber { attempt: *attempt, supplier, phone, at })
            }
            Self::NoNumber { order, attempt } => {
                let (supplier, reason) = ("own".parse().unwrap(), AttemptFailure::NoNumber);
                (order, order::Command::FailAttempt { attempt: *attempt, supplier, reason, at })
            }
            Self::Dead { order, attempt } => {
                (order, order::Command::ReportNumberDead { attempt: *attempt, at })
            }
            Self::Message { order, is_named } => {
                (order, order::Command::ReceiveSms(message(*order, *is_named, at)))
            }
            Self::Cancel { order } => (order, order::Command::Cancel { at }),
            Self::Finish { order } => (order, order::Command::Finish { at }),
            Self::Report { order } => {
                (order, order::Command::Report { complaint: Complaint::WrongCode, at })
            }
            Self::Expire { order } => (order, order::Command::Expire { at }),
            Self::NoSourceLeft { order } => {
                (order, order::Command::Fail { reason: FailureReason::NoSourceLeft, at })
            }
        };
        Command::Order(OrderId((*order).into()), command)
    }

    /// The order that it is about, unless it would make one.
    pub fn order(&self) -> Option<u8> {
        match self {
            Self::Place { .. } | Self::Suspend | Self::Reinstate | Self::Debit => None,
            Self::Assign { order, .. }
            | Self::NoNumber { order, .. }
            | Self::Dead { order, .. }
            | Self::Message { order, .. }
            | Self::Cancel { order }
            | Self::Finish { order }
            | Self::Report { order }
            | Self::Expire { order }
            | Self::NoSourceLeft { order } => Some(*order),
        }
    }
}

/// The use that a call makes of its key.
pub fn key_use(key: u8, at: Timestamp) -> KeyUse {
    KeyUse { key: format!("key {key}").parse().unwrap(), fingerprint: [key; 32], at }
}

fn place(key: u8, orders: &[u8], max_concurrent: u32, at: Timestamp) -> Command {
    let wanted = |order: u8| PlaceOrder {
        order: OrderId(order.into()),
        platform: Platform::Google,
        country: Country::Us,
        list_price: Money::from_cents(PRICE),
        max_price: None,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: MAX_ATTEMPTS,
        listen_seconds: 300,
        max_concurrent,
        cancels: CancelRules::default(),
        judge: Judge::default(),
        scenario: None,
        first_answer: None,
        at,
    };
    let (effect, command) = match orders {
        [order] => (Effect::Order(OrderId((*order).into())), Command::PlaceOrder(wanted(*order))),
        orders => {
            let orders = orders.iter().map(|order| wanted(*order)).collect();
            (Effect::Batch, Command::PlaceBatch(PlaceBatch { orders, at }))
        }
    };
    Command::Keyed { used: key_use(key, at), effect, command: Some(Box::new(command)) }
}

fn message(order: u8, is_named: bool, at: Timestamp) -> IncomingSms {
    let text = if is_named {
        "Your Google verification code is 482913"
    } else {
        "Your verification code is 551022"
    };
    IncomingSms {
        message_id: u8::from(is_named).to_string(),
        supplier: "own".parse().unwrap(),
        to: phone(order),
        sender: "VERIFY".to_owned(),
        text: text.to_owned(),
        receipt: Receipt::At(at),
        freed_at: None,
        hold: Vec::new(),
        at,
    }
}
