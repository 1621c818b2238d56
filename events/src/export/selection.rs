//! Which records of a log are an export's. Two walks: what stands in a stream of its own is known
//! to be somebody's by another record, which may stand behind it.
//!
//! Holds: what of an account or a number was seen. Never holds: a record. Leans on: every
//! aggregate's events. Proved by: the tests here and `tests/it/export.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::Scope;
use crate::envelope::{Recorded, StreamId};
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::phone::Phone;
use crate::{account, address, deposit, invite, lease, order};

/// Says of each record of a log whether an export has it.
#[derive(Debug, Clone)]
pub struct Selection {
    scope: Scope,
    /// The account's orders, or those that had the number; whether each has it where the walk is.
    orders: BTreeMap<OrderId, bool>,
    /// Leases and deposits that are the scope's.
    streams: BTreeSet<StreamId>,
}

impl Selection {
    /// Of this scope, before the first walk.
    pub fn of(scope: Scope) -> Self {
        Self { scope, orders: BTreeMap::new(), streams: BTreeSet::new() }
    }

    /// Looks at the next record of the first walk.
    pub fn collect(&mut self, record: &Recorded<Event>) {
        match &self.scope {
            Scope::Account(account) => {
                if is_placed_by(*account, record)
                    && let Some(order) = record.event.order()
                {
                    self.orders.insert(order, true);
                }
                if deposit_owner(&record.event) == Some(*account) {
                    self.streams.insert(record.stream.clone());
                }
            }
            Scope::Number(number) => match assigned_or_leased(number, &record.event) {
                Some(Had::ByOrder(order)) => {
                    self.orders.insert(order, false);
                }
                Some(Had::ByLease) => {
                    self.streams.insert(record.stream.clone());
                }
                None => {}
            },
            Scope::Period { .. } => {}
        }
    }

    /// Whether the next record of the second walk is the export's.
    pub fn has(&mut self, record: &Recorded<Event>) -> bool {
        match &self.scope {
            Scope::Account(account) => self.is_of_account(*account, record),
            Scope::Number(number) => {
                if let Event::Account(account::Event::Order(order, fact)) = &record.event {
                    let order = self.orders.get_mut(order);
                    return order.is_some_and(|has_it| is_on_number(number, has_it, fact));
                }
                self.is_of_number(number, record)
            }
            Scope::Period { from, until } => (*from..*until).contains(&record.at),
        }
    }

    fn is_of_account(&self, account: AccountId, record: &Recorded<Event>) -> bool {
        match &record.event {
            Event::Account(_) => record.stream.account_id() == Some(account),
            Event::Webhook(_) => record.stream.webhook_account_id() == Some(account),
            Event::Deposit(_) => self.streams.contains(&record.stream),
            Event::Address(address::Event::Assigned(assigned)) => assigned.account == account,
            Event::Lease(_) => {
                record.stream.lease_id().is_some_and(|lease| self.orders.contains_key(&lease.order))
            }
            Event::Invite(invite::Event::Used { account: used_by, .. }) => *used_by == account,
            Event::Invite(_)
            | Event::Chain(_)
            | Event::Number(_)
            | Event::Purchase(_)
            | Event::Reveal(_)
            | Event::Policy(_)
            | Event::Provenance(_)
            | Event::Export(_)
            | Event::Leadership(_)
            | Event::Erasure(_) => false,
        }
    }

    /// Whether what is no order's is the number's.
    fn is_of_number(&self, number: &Phone, record: &Recorded<Event>) -> bool {
        match &record.event {
            Event::Lease(_) => self.streams.contains(&record.stream),
            Event::Number(_) => record.stream.phone().as_ref() == Some(number),
            Event::Purchase(event) => event.phone() == number,
            Event::Account(_)
            | Event::Webhook(_)
            | Event::Deposit(_)
            | Event::Address(_)
            | Event::Chain(_)
            | Event::Reveal(_)
            | Event::Policy(_)
            | Event::Provenance(_)
            | Event::Invite(_)
            | Event::Export(_)
            | Event::Leadership(_)
            | Event::Erasure(_) => false,
        }
    }
}

/// Whose the number was.
enum Had {
    ByOrder(OrderId),
    ByLease,
}

/// Whether an order or a lease gets the number here.
fn assigned_or_leased(number: &Phone, event: &Event) -> Option<Had> {
    if let Event::Account(account::Event::Order(order, fact)) = event
        && let order::Event::NumberAssigned { phone, .. } = fact
        && phone == number
    {
        return Some(Had::ByOrder(*order));
    }
    if let Event::Lease(lease::Event::Obtained { phone, .. }) = event
        && phone == number
    {
        return Some(Had::ByLease);
    }
    None
}

/// Whether the account places an order here.
fn is_placed_by(account: AccountId, record: &Recorded<Event>) -> bool {
    let placed = if let Event::Account(account::Event::Order(_, fact)) = &record.event {
        matches!(fact, order::Event::Placed(_))
    } else {
        false
    };
    placed && record.stream.account_id() == Some(account)
}

/// The account that a deposit's event says it is of.
fn deposit_owner(event: &Event) -> Option<AccountId> {
    if let Event::Deposit(deposit::Event::Claimed { account, .. }) = event {
        Some(*account)
    } else if let Event::Deposit(deposit::Event::Seen { sight, .. }) = event {
        sight.account
    } else {
        None
    }
}

/// What was wanted of an order stands before any number; what happened to it on another number is
/// not this one's.
fn is_on_number(number: &Phone, has_it: &mut bool, fact: &order::Event) -> bool {
    match fact {
        order::Event::Placed(_)
        | order::Event::ScenarioChosen { .. }
        | order::Event::Queued { .. }
        | order::Event::Started { .. } => true,
        order::Event::NumberAssigned { phone, .. } => {
            *has_it = phone == number;
            *has_it
        }
        order::Event::AttemptFailed { .. }
        | order::Event::NumberReportedDead { .. }
        | order::Event::SmsReceived(_)
        | order::Event::SmsRepeated { .. }
        | order::Event::SmsHeld { .. }
        | order::Event::Completed { .. }
        | order::Event::CodeReplaced { .. }
        | order::Event::Reported { .. }
        | order::Event::Refunded { .. }
        | order::Event::Finished { .. }
        | order::Event::Cancelled { .. }
        | order::Event::Expired { .. }
        | order::Event::Failed { .. } => *has_it,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{Position, Revision};
    use crate::id::EventId;
    use crate::lease::LeaseId;
    use crate::money::Money;
    use crate::order::Scenario;
    use crate::time::Timestamp;

    const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);

    fn record(position: u64, stream: StreamId, event: impl Into<Event>) -> Recorded<Event> {
        Recorded {
            id: EventId(u128::from(position)),
            stream,
            revision: Revision(position),
            position: Position(position),
            at: Timestamp::from_millis(AT.millis() + i64::try_from(position).unwrap()),
            correlation: None,
            event: event.into(),
        }
    }

    /// The records that an export of `scope` has, by position.
    fn selected(scope: Scope, log: &[Recorded<Event>]) -> Vec<u64> {
        let mut selection = Selection::of(scope);
        for record in log {
            selection.collect(record);
        }
        log.iter().filter(|record| selection.has(record)).map(|record| record.position.0).collect()
    }

    fn phone(last: u32) -> Phone {
        format!("+1202555010{last}").parse().unwrap()
    }

    fn assigned(order: u128, last: u32) -> account::Event {
        let (supplier, attempt) = ("own".parse().unwrap(), 1);
        let fact = order::Event::NumberAssigned {
            attempt,
            supplier,
            phone: phone(last),
            expires_at: AT,
            at: AT,
        };
        account::Event::Order(OrderId(order), fact)
    }

    fn of_order(order: u128, fact: order::Event) -> account::Event {
        account::Event::Order(OrderId(order), fact)
    }

    fn log() -> Vec<Recorded<Event>> {
        let account = |id| StreamId::account(AccountId(id));
        let lease = LeaseId { supplier: "partner".parse().unwrap(), order: OrderId(1), attempt: 1 };
        let lease = StreamId::lease(&lease);
        let dead = order::Event::NumberReportedDead {
            attempt: 1,
            supplier: "own".parse().unwrap(),
            at: AT,
        };
        let held =
            account::Event::HoldTaken { order: OrderId(1), amount: Money::from_cents(50), at: AT };
        let obtained = lease::Event::Obtained { phone: phone(1), cost: Money::ZERO, at: AT };
        let scenario = Scenario::ALL[0];
        vec![
            record(1, account(7), of_order(1, order::Event::ScenarioChosen { scenario, at: AT })),
            record(2, account(7), held),
            record(3, lease, obtained),
            record(4, account(7), assigned(1, 1)),
            record(5, account(7), of_order(1, dead)),
            record(6, account(7), assigned(1, 2)),
            record(7, account(7), of_order(1, order::Event::Expired { at: AT })),
            record(8, account(8), assigned(2, 1)),
            record(9, account(8), of_order(2, order::Event::Cancelled { at: AT })),
            record(10, account(9), assigned(3, 3)),
        ]
    }

    #[test]
    fn a_number_has_of_each_order_what_happened_while_it_was_the_orders() {
        assert_eq!(selected(Scope::Number(phone(1)), &log()), [1, 3, 4, 5, 8, 9]);
        assert_eq!(selected(Scope::Number(phone(2)), &log()), [1, 6, 7]);
        assert_eq!(selected(Scope::Number(phone(4)), &log()), []);
    }

    #[test]
    fn an_account_has_its_own_streams_and_a_period_what_happened_in_it() {
        assert_eq!(selected(Scope::Account(AccountId(8)), &log()), [8, 9]);
        assert_eq!(selected(Scope::Account(AccountId(1)), &log()), []);
        let moment = |position| Timestamp::from_millis(AT.millis() + position);
        let period = Scope::Period { from: moment(2), until: moment(5) };
        assert_eq!(selected(period, &log()), [2, 3, 4]);
    }
}
