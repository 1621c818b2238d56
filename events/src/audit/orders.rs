//! Orders and their holds: each status follows the one before as an order's life allows, and each
//! hold ends once.

use std::collections::BTreeSet;

use super::Auditor;
use crate::code::Verdict;
use crate::envelope::Recorded;
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::lease::LeaseId;
use crate::money::Money;
use crate::order::{self, FailureReason};

/// An order as the auditor knows it.
#[derive(Debug)]
pub struct Audited {
    pub(super) account: AccountId,
    price: Money,
    max_attempts: u8,
    pub(super) status: order::Status,
    phone: Option<String>,
    /// Codes that messages of the order were found to hold.
    codes: BTreeSet<String>,
    messages: BTreeSet<String>,
    /// So many of them were held back.
    held_messages: usize,
    holds: Money,
    hold_taken: bool,
    hold_ended: bool,
    /// Whether it has its code and keeps its number.
    pub(super) listens: bool,
    /// What it says is given back, and its account does not yet.
    refund_due: Option<Money>,
}

impl Audited {
    /// Whether it may fail for this reason: while it seeks a number, or once its message is held
    /// back.
    fn may_fail(&self, before: order::Status, reason: FailureReason) -> bool {
        match reason {
            FailureReason::NoSourceLeft
            | FailureReason::AttemptsExhausted
            | FailureReason::SeekingTimedOut => before == order::Status::Pending,
            FailureReason::MessageHeld => before == order::Status::Active && self.held_messages > 0,
        }
    }

    /// Whether a message is a new one, or says that it repeats one that is known.
    fn takes(&mut self, fact: &order::Event) -> bool {
        match fact {
            order::Event::SmsReceived(sms) => {
                if let Verdict::Code(code) = &sms.extraction.verdict {
                    self.codes.insert(code.clone());
                }
                self.messages.insert(sms.message_id.clone())
            }
            order::Event::SmsHeld { message_id, .. } => {
                self.held_messages += 1;
                self.messages.insert(message_id.clone())
            }
            order::Event::SmsRepeated { repeats, .. } => self.messages.contains(repeats),
            order::Event::Placed(_)
            | order::Event::Queued { .. }
            | order::Event::ScenarioChosen { .. }
            | order::Event::Started { .. }
            | order::Event::AttemptFailed { .. }
            | order::Event::NumberAssigned { .. }
            | order::Event::NumberReportedDead { .. }
            | order::Event::Completed { .. }
            | order::Event::CodeReplaced { .. }
            | order::Event::Reported { .. }
            | order::Event::Refunded { .. }
            | order::Event::Finished { .. }
            | order::Event::Cancelled { .. }
            | order::Event::Expired { .. }
            | order::Event::Failed { .. } => false,
        }
    }

    /// Whether nothing may follow but its money.
    fn is_over(&self) -> bool {
        self.status.is_end() && !self.listens
    }

    /// Whether money is missing that must stand in the same append.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.hold_taken || self.refund_due.is_some() || (self.status.is_end() && !self.hold_ended)
    }

    /// Whether nothing may follow at all.
    fn is_settled(&self) -> bool {
        self.is_over() && self.hold_ended && self.refund_due.is_none()
    }
}

impl Auditor {
    pub(super) fn hold_taken(&mut self, id: OrderId, amount: Money, record: &Recorded<Event>) {
        let fits = self.orders.get_mut(&id).is_some_and(|order| {
            let fits = !order.hold_taken && amount == order.price;
            order.hold_taken = true;
            order.holds = amount;
            fits
        });
        self.check(fits, record, "M4", || {
            format!(
                "a hold of {amount:?} for {id} that is no order's, not its first or not its price"
            )
        });
    }

    pub(super) fn hold_ended(
        &mut self,
        id: OrderId,
        amount: Money,
        captured: bool,
        record: &Recorded<Event>,
    ) {
        let Some(order) = self.orders.get_mut(&id) else {
            return self.find(
                record,
                "M4",
                format!("the hold of {id} ends a second time, or never was"),
            );
        };
        let once = order.hold_taken && !std::mem::replace(&mut order.hold_ended, true);
        let whole = amount == order.holds;
        let right_end =
            order.status.is_end() && captured == (order.status == order::Status::Completed);
        self.forget_settled(id);
        self.check(once, record, "M4", || {
            format!("the hold of {id} ends a second time, or never was")
        });
        self.check(whole, record, "M1", || {
            format!("the hold of {id} ends with {amount:?}, another amount than it was taken with")
        });
        self.check(right_end, record, "M5", || {
            format!(
                "the hold of {id} is {} but the order did not end so",
                if captured { "captured" } else { "released" }
            )
        });
    }

    pub(super) fn refunded(&mut self, id: OrderId, amount: Money, record: &Recorded<Event>) {
        let fits =
            self.orders.get_mut(&id).is_some_and(|order| order.refund_due.take() == Some(amount));
        self.forget_settled(id);
        self.check(fits, record, "M1", || {
            format!(
                "{amount:?} is given back for {id}, which does not say so or cost another price"
            )
        });
    }

    fn forget_settled(&mut self, id: OrderId) {
        if self.orders.get(&id).is_some_and(Audited::is_settled) {
            self.orders.remove(&id);
        }
    }

    pub(super) fn order(
        &mut self,
        account: AccountId,
        id: OrderId,
        fact: &order::Event,
        record: &Recorded<Event>,
    ) {
        if let order::Event::Placed(placed) = fact {
            let fresh = self.known_orders.insert(id);
            self.check(fresh, record, "O2", || format!("{id} is placed a second time"));
            let order = Audited {
                account,
                price: placed.price,
                max_attempts: placed.max_attempts,
                status: order::Status::Pending,
                phone: None,
                codes: BTreeSet::new(),
                messages: BTreeSet::new(),
                held_messages: 0,
                holds: Money::ZERO,
                hold_taken: false,
                hold_ended: false,
                listens: false,
                refund_due: None,
            };
            self.orders.insert(id, order);
            return;
        }
        // A caller's word changes nothing, and may come after the end.
        if matches!(fact, order::Event::Reported { .. }) && self.known_orders.contains(&id) {
            return;
        }
        let Some(order) = self.orders.get(&id).filter(|order| !order.is_over()) else {
            return self.find(record, "O2", format!("{id} has ended, or never was, and goes on"));
        };
        let owned = order.account == account;
        self.check(owned, record, "O2", || format!("{id} is another account's"));
        self.transition(id, fact, record);
    }

    fn transition(&mut self, id: OrderId, fact: &order::Event, record: &Recorded<Event>) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        let before = order.status;
        let takes_messages = before == order::Status::Active || order.listens;
        let (status, legal) = match fact {
            order::Event::Placed(_) | order::Event::Reported { .. } => (before, false),
            order::Event::ScenarioChosen { .. } => {
                (before, before == order::Status::Pending && order.price == Money::ZERO)
            }
            order::Event::Queued { .. } => {
                (order::Status::Queued, before == order::Status::Pending)
            }
            order::Event::Started { .. } => {
                (order::Status::Pending, before == order::Status::Queued)
            }
            order::Event::AttemptFailed { attempt, .. } => {
                (before, before == order::Status::Pending && *attempt <= order.max_attempts)
            }
            order::Event::NumberAssigned { attempt, .. } => (
                order::Status::Active,
                before == order::Status::Pending && *attempt <= order.max_attempts,
            ),
            order::Event::NumberReportedDead { .. } => {
                (order::Status::Pending, before == order::Status::Active)
            }
            order::Event::SmsReceived(_)
            | order::Event::SmsRepeated { .. }
            | order::Event::SmsHeld { .. } => (before, takes_messages && order.takes(fact)),
            order::Event::Completed { code, listens_until, at, .. } => {
                order.listens = listens_until > at;
                (
                    order::Status::Completed,
                    before == order::Status::Active && order.codes.contains(code),
                )
            }
            order::Event::CodeReplaced { code, .. } => {
                (before, order.listens && order.codes.contains(code))
            }
            order::Event::Finished { .. } => (before, std::mem::take(&mut order.listens)),
            order::Event::Refunded { .. } => {
                order.refund_due = Some(order.price);
                (before, std::mem::take(&mut order.listens))
            }
            order::Event::Cancelled { .. } => (order::Status::Cancelled, !before.is_end()),
            order::Event::Expired { .. } => {
                (order::Status::Expired, !before.is_end() && before != order::Status::Queued)
            }
            order::Event::Failed { reason, .. } => {
                (order::Status::Failed, order.may_fail(before, *reason))
            }
        };
        order.status = status;
        let freed = if status == order::Status::Active || order.listens {
            None
        } else {
            order.phone.take()
        };
        if let Some(phone) = freed {
            self.phones.remove(&phone);
        }
        self.forget_settled(id);
        self.check(legal, record, "O2", || {
            format!("{id} goes from {} on in a way that is not legal", before.name())
        });
        if let order::Event::NumberAssigned { attempt, supplier, phone, .. } = fact {
            self.assigned(id, phone.as_str(), record);
            let lease = LeaseId { supplier: supplier.clone(), order: id, attempt: *attempt };
            if let Some(detail) = self.sources.assigned(&lease, phone) {
                self.find(record, "O6", detail);
            }
        }
    }

    fn assigned(&mut self, id: OrderId, phone: &str, record: &Recorded<Event>) {
        let other = self.phones.insert(phone.to_owned(), id).filter(|other| *other != id);
        if let Some(order) = self.orders.get_mut(&id) {
            order.phone = Some(phone.to_owned());
        }
        self.check(other.is_none(), record, "O5", || {
            format!("the number of {id} is on another open order too")
        });
    }
}
