//! Which facts follow from a command, and what each fact makes of the account.

use std::sync::Arc;

use super::command::{Command, PlaceOrder};
use super::event::Event;
use super::ledger;
use super::refusal::Refusal;
use super::state::{RECENT_ORDERS, Standing, State};
use crate::decider::Decider;
use crate::id::OrderId;
use crate::money::Money;
use crate::order;
use crate::price;

/// The largest single credit: far below where sums of micro-dollars could overflow.
const MAX_CREDIT: Money = Money::from_cents(100_000_000_000);

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        if let Command::Register { id, key_hash, webhook_secret, at } = command {
            return match self.standing {
                Standing::Unregistered => {
                    Ok(vec![Event::Registered { id: *id, key_hash: *key_hash, webhook_secret: webhook_secret.clone(), at: *at }])
                }
                Standing::Good | Standing::Suspended(_) => Err(Refusal::AlreadyRegistered),
            };
        }
        if self.standing == Standing::Unregistered {
            return Err(Refusal::NotRegistered);
        }
        match command {
            Command::Register { .. } => Err(Refusal::AlreadyRegistered),
            Command::Credit { amount, reason, at } => {
                creditable(*amount)?;
                Ok(vec![Event::Credited { amount: *amount, reason: reason.clone(), at: *at }])
            }
            Command::CreditDeposit { deposit, .. } if self.deposits.contains(deposit) => Ok(Vec::new()),
            Command::CreditDeposit { deposit, amount, at } => {
                creditable(*amount)?;
                Ok(vec![Event::DepositCredited { deposit: *deposit, amount: *amount, at: *at }])
            }
            Command::Suspend { reason, at } => Ok(match self.standing {
                Standing::Suspended(_) => Vec::new(),
                Standing::Good | Standing::Unregistered => vec![Event::Suspended { reason: reason.clone(), at: *at }],
            }),
            Command::Reinstate { reason, at } => Ok(match self.standing {
                Standing::Suspended(_) => vec![Event::Reinstated { reason: reason.clone(), at: *at }],
                Standing::Good | Standing::Unregistered => Vec::new(),
            }),
            Command::PlaceOrder(wanted) => self.place(wanted),
            Command::Order(id, command) => {
                let order = self.order(*id).ok_or(Refusal::OrderNotFound)?;
                let facts = order.decide(command)?;
                Ok(facts.into_iter().flat_map(|fact| with_settlement(order, fact)).collect())
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        if let Some(entry) = ledger::entry(event) {
            self.balance = self.balance + entry.balance;
            self.held = self.held + entry.held;
            assert!(!self.held.is_negative(), "a hold ends exactly once, so what is held is never negative");
        }
        match event {
            Event::Registered { id, key_hash, webhook_secret, at } => {
                self.standing = Standing::Good;
                self.id = *id;
                self.key_hash = *key_hash;
                self.webhook_secret = webhook_secret.as_str().into();
                self.registered_at = *at;
            }
            Event::DepositCredited { deposit, .. } => {
                Arc::make_mut(&mut self.deposits).insert(*deposit);
            }
            Event::Suspended { reason, .. } => self.standing = Standing::Suspended(reason.clone()),
            Event::Reinstated { .. } => self.standing = Standing::Good,
            Event::Order(id, order::Event::Placed(placed)) => {
                self.open.insert(*id, Arc::new(order::State::new(*id, placed.clone())));
            }
            Event::Order(id, fact) => self.evolve_order(*id, fact),
            Event::Credited { .. } | Event::HoldTaken { .. } | Event::HoldCaptured { .. } | Event::HoldReleased { .. } => {}
        }
        self
    }

    fn is_terminal(&self) -> bool {
        false
    }
}

impl State {
    fn place(&self, wanted: &PlaceOrder) -> Result<Vec<Event>, Refusal> {
        if self.order(wanted.order).is_some() {
            return Ok(Vec::new());
        }
        if matches!(self.standing, Standing::Suspended(_)) {
            return Err(Refusal::Suspended);
        }
        let allowed = usize::try_from(wanted.max_concurrent).unwrap_or(usize::MAX);
        if self.open.len() >= allowed {
            return Err(Refusal::OrderInProgress { open: self.open.keys().copied().collect(), allowed: wanted.max_concurrent });
        }
        let price = price::quote(wanted.list_price, self.tier());
        if let Some(max_price) = wanted.max_price.filter(|max_price| price > *max_price) {
            return Err(Refusal::PriceAboveMaximum { price, max_price });
        }
        if self.balance < price {
            return Err(Refusal::InsufficientBalance { needed: price, available: self.balance });
        }
        let placed = order::Placed {
            platform: wanted.platform,
            country: wanted.country,
            list_price: wanted.list_price,
            price,
            lifetime_seconds: wanted.lifetime_seconds,
            seek_seconds: wanted.seek_seconds,
            max_attempts: wanted.max_attempts,
            at: wanted.at,
        };
        let order = order::State::new(wanted.order, placed.clone());
        let mut events =
            vec![Event::Order(wanted.order, order::Event::Placed(placed)), Event::HoldTaken { order: wanted.order, amount: price, at: wanted.at }];
        if let Some(first) = &wanted.first_answer {
            let facts = order.decide(&first.report(wanted.at))?;
            events.extend(facts.into_iter().flat_map(|fact| with_settlement(&order, fact)));
        }
        Ok(events)
    }

    fn evolve_order(&mut self, id: OrderId, fact: &order::Event) {
        let order = self.open.remove(&id).expect("only open orders have further facts");
        let order = Arc::new(Arc::unwrap_or_clone(order).evolve(fact));
        if !order.is_terminal() {
            self.open.insert(id, order);
            return;
        }
        self.completed += u64::from(order.status == order::Status::Completed);
        self.recent.push_back(order);
        if self.recent.len() > RECENT_ORDERS {
            self.recent.pop_front();
        }
    }
}

fn creditable(amount: Money) -> Result<(), Refusal> {
    if amount.is_positive() && amount <= MAX_CREDIT { Ok(()) } else { Err(Refusal::AmountOutOfRange) }
}

/// `fact`, and what it does to the order's hold: the end of an order and the end of its hold are one append.
fn with_settlement(order: &order::State, fact: order::Event) -> Vec<Event> {
    let (id, amount, at) = (order.id, order.placed.price, fact.at());
    let settlement = match &fact {
        order::Event::Completed { .. } => Some(Event::HoldCaptured { order: id, amount, at }),
        order::Event::Cancelled { .. } | order::Event::Expired { .. } | order::Event::Failed { .. } => {
            Some(Event::HoldReleased { order: id, amount, at })
        }
        order::Event::Placed(_)
        | order::Event::AttemptFailed { .. }
        | order::Event::NumberAssigned { .. }
        | order::Event::NumberReportedDead { .. }
        | order::Event::SmsReceived(_) => None,
    };
    std::iter::once(Event::Order(id, fact)).chain(settlement).collect()
}
