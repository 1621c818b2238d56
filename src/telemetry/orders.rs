//! How orders end, how long codes take, what comes in and goes out: counted as it becomes durable,
//! tests left out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use actors::account::Listener;
use events::account::{Event, State};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::{self, State as Order};
use events::platform::Platform;
use events::time::Timestamp;
use parking_lot::Mutex;

/// The label of an order that never had a number.
const NO_SUPPLIER: &str = "none";

/// What is counted of an order that has not ended.
#[derive(Debug, Clone)]
struct Open {
    platform: Platform,
    supplier: Option<String>,
    assigned_at: Option<Timestamp>,
}

impl Open {
    fn of(order: &Order) -> Self {
        let assignment = order.assignment.as_ref();
        Self {
            platform: order.placed.platform,
            supplier: assignment.map(|assignment| assignment.supplier.to_string()),
            assigned_at: assignment.map(|assignment| assignment.assigned_at),
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    open: HashMap<OrderId, Open>,
    /// Accounts for tests, as far as they were heard of: their money and their orders are nobody's.
    tests: HashSet<AccountId>,
}

/// Counts orders and money.
#[derive(Debug, Default)]
pub struct OrderMetrics {
    known: Mutex<Known>,
}

impl OrderMetrics {
    /// Nothing is known yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// An order that was open before this process.
    pub fn resume(&self, account: AccountId, order: &Order) {
        let mut known = self.known.lock();
        if order.scenario.is_some() {
            known.tests.insert(account);
        } else if !order.status.is_end() {
            known.open.insert(order.id, Open::of(order));
        }
    }
}

impl Known {
    fn order(&mut self, id: OrderId, fact: &order::Event) {
        match fact {
            order::Event::Placed(placed) => {
                self.open.insert(
                    id,
                    Open { platform: placed.platform, supplier: None, assigned_at: None },
                );
            }
            order::Event::ScenarioChosen { .. } => drop(self.open.remove(&id)),
            order::Event::NumberAssigned { supplier, at, .. } => {
                if let Some(open) = self.open.get_mut(&id) {
                    (open.supplier, open.assigned_at) = (Some(supplier.to_string()), Some(*at));
                }
            }
            order::Event::Completed { at, .. } => self.ended(id, "completed", Some(*at)),
            order::Event::Cancelled { .. } => self.ended(id, "cancelled", None),
            order::Event::Expired { .. } => self.ended(id, "expired", None),
            order::Event::Failed { .. } => self.ended(id, "failed", None),
            order::Event::Queued { .. }
            | order::Event::Started { .. }
            | order::Event::AttemptFailed { .. }
            | order::Event::NumberReportedDead { .. }
            | order::Event::SmsReceived(_)
            | order::Event::SmsRepeated { .. }
            | order::Event::SmsHeld { .. }
            | order::Event::CodeReplaced { .. }
            | order::Event::Reported { .. }
            | order::Event::Refunded { .. }
            | order::Event::Finished { .. } => {}
        }
    }

    fn ended(&mut self, id: OrderId, outcome: &'static str, delivered_at: Option<Timestamp>) {
        let Some(open) = self.open.remove(&id) else { return };
        let (supplier, platform) =
            (open.supplier.unwrap_or_else(|| NO_SUPPLIER.to_owned()), open.platform.slug());
        if let Some((from, to)) = open.assigned_at.zip(delivered_at) {
            metrics::histogram!("order_delivery_seconds", "supplier" => supplier.clone())
                .record(to.since(from).as_secs_f64());
        }
        metrics::counter!(
            "orders_ended_total", "outcome" => outcome, "supplier" => supplier,
            "platform" => platform
        )
        .increment(1);
    }

    fn account(&mut self, account: AccountId, event: &Event) {
        if let Event::OpenedForTests { .. } = event {
            self.tests.insert(account);
        }
        if let Event::Order(id, fact) = event {
            return self.order(*id, fact);
        }
        if self.tests.contains(&account) {
            return;
        }
        match event {
            Event::HoldCaptured { amount, .. } => {
                metrics::counter!("revenue_microdollars_total").increment(micros(*amount));
            }
            Event::CaptureRefunded { amount, .. } => {
                metrics::counter!("refunds_microdollars_total").increment(micros(*amount));
            }
            Event::DepositCredited { amount, .. } => {
                metrics::counter!("deposits_credited_total").increment(1);
                metrics::counter!("deposits_credited_microdollars_total")
                    .increment(micros(*amount));
            }
            Event::DepositReversed { amount, .. } => {
                metrics::counter!("deposits_reversed_total").increment(1);
                metrics::counter!("deposits_reversed_microdollars_total")
                    .increment(micros(*amount));
            }
            _ => {}
        }
    }
}

fn micros(amount: Money) -> u64 {
    u64::try_from(amount.micros()).unwrap_or(0)
}

impl Listener for OrderMetrics {
    fn committed(&self, account: AccountId, events: &[Event]) {
        let mut known = self.known.lock();
        for event in events {
            known.account(account, event);
        }
    }

    /// Which facts they were is unknown: what has ended is forgotten, and not counted rather than
    /// counted twice.
    fn learned(&self, account: AccountId, state: &State) {
        let mut known = self.known.lock();
        if state.is_test() {
            known.tests.insert(account);
            return;
        }
        for order in state.open.values() {
            known.open.entry(order.id).or_insert_with(|| Open::of(order));
        }
    }
}
