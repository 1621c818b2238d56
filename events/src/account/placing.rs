//! Orders as they are placed: alone or together, each accepted or refused with its hold.

use super::batch::{BatchItem, ItemRefusal, MAX_BATCH, PlaceBatch};
use super::command::PlaceOrder;
use super::event::Event;
use super::ledger;
use super::refusal::{PlacingRefusal, Refusal, StandingRefusal};
use super::state::{Standing, State};
use super::test_mode;
use crate::decider::{Decider, fold};
use crate::money::Money;
use crate::order;
use crate::price;

impl State {
    pub(super) fn place(&self, wanted: &PlaceOrder) -> Result<Vec<Event>, Refusal> {
        if self.order(wanted.order).is_some() {
            return Ok(Vec::new());
        }
        self.may_order(wanted)?;
        match self.accept(wanted) {
            Err(Refusal::Item(ItemRefusal::Policy(refusal))) => self.refused(wanted, refusal),
            decided => decided,
        }
    }

    /// Each order is accepted or refused alone; as many start at once as may run, the others wait
    /// for their turn.
    pub(super) fn place_batch(&self, wanted: &PlaceBatch) -> Result<Vec<Event>, Refusal> {
        let first = wanted
            .orders
            .first()
            .filter(|_| wanted.orders.len() <= MAX_BATCH)
            .ok_or(PlacingRefusal::BatchSize)?;
        if self.order(first.order).is_some() {
            return Ok(Vec::new());
        }
        self.may_order(first)?;
        let mut state = self.clone();
        let (mut items, mut placed) = (Vec::with_capacity(wanted.orders.len()), Vec::new());
        for wanted in &wanted.orders {
            items.push(state.place_item(wanted, &mut placed)?);
        }
        placed.insert(0, Event::BatchPlaced { items, at: wanted.at });
        Ok(placed)
    }

    /// One order of a batch, on the account as those before it have left it.
    pub(super) fn place_item(
        &mut self,
        wanted: &PlaceOrder,
        placed: &mut Vec<Event>,
    ) -> Result<BatchItem, Refusal> {
        let order = wanted.order;
        let (facts, refused) = match self.accept(wanted) {
            Ok(facts) => (facts, None),
            Err(refusal) => {
                let refusal = ItemRefusal::of(refusal)?;
                let facts = if let ItemRefusal::Policy(refusal) = &refusal {
                    self.refused(wanted, refusal.clone()).unwrap_or_default()
                } else {
                    Vec::new()
                };
                (facts, Some(refusal))
            }
        };
        *self = fold(std::mem::take(self), &facts);
        placed.extend(facts);
        Ok(BatchItem { order, refused })
    }

    fn may_order(&self, wanted: &PlaceOrder) -> Result<(), Refusal> {
        if matches!(self.standing, Standing::Suspended(_)) {
            return Err(StandingRefusal::Suspended.into());
        }
        self.is_admitted()?;
        let allowed = wanted.max_concurrent;
        if !self.has_slot(allowed) || !self.queue.is_empty() {
            return Err(PlacingRefusal::OrderInProgress {
                open: self.open.keys().copied().collect(),
                allowed,
            }
            .into());
        }
        Ok(wanted.cancels.check(&self.cancels, wanted.at)?)
    }

    fn has_slot(&self, max_concurrent: u32) -> bool {
        self.running() < usize::try_from(max_concurrent).unwrap_or(usize::MAX)
    }

    /// What an order at this list price would cost the account, if that is not more than it will
    /// pay.
    pub fn price(&self, list_price: Money, max_price: Option<Money>) -> Result<Money, ItemRefusal> {
        let price =
            if self.is_test() { Money::ZERO } else { price::quote(list_price, self.tier()) };
        match max_price.filter(|max_price| price > *max_price) {
            Some(max_price) => Err(ItemRefusal::PriceAboveMaximum { price, max_price }),
            None => Ok(price),
        }
    }

    pub(super) fn accept(&self, wanted: &PlaceOrder) -> Result<Vec<Event>, Refusal> {
        self.check_mode(wanted.scenario)?;
        let verdict = self.judge(wanted)?;
        let price = self.price(wanted.list_price, wanted.max_price)?;
        // Also for a price of nothing: what was spent of a deposit that is gone is owed first.
        if self.balance < price || self.balance.is_negative() {
            return Err(ItemRefusal::InsufficientBalance {
                needed: price,
                available: self.balance,
            }
            .into());
        }
        let placed = order::Placed {
            platform: wanted.platform,
            country: wanted.country,
            list_price: wanted.list_price,
            price,
            lifetime_seconds: wanted.lifetime_seconds,
            seek_seconds: wanted.seek_seconds,
            max_attempts: wanted.max_attempts,
            listen_seconds: wanted.listen_seconds,
            verdict: Some(verdict),
            at: wanted.at,
        };
        let placed = match wanted.scenario {
            Some(scenario) => scenario.terms(placed),
            None => placed,
        };
        let mut order = order::State::new(wanted.order, placed.clone());
        let mut events = vec![
            Event::Order(wanted.order, order::Event::Placed(placed)),
            Event::HoldTaken { order: wanted.order, amount: price, at: wanted.at },
        ];
        if let Some(scenario) = wanted.scenario {
            order.scenario = Some(scenario);
            events.extend(test_mode::chosen(wanted.order, scenario, wanted.at));
        }
        if !self.has_slot(wanted.max_concurrent) {
            events.push(Event::Order(wanted.order, order::Event::Queued { at: wanted.at }));
        } else if let Some(first) = &wanted.first_answer {
            let facts = order.decide(&first.report(wanted.at))?;
            events.extend(facts.into_iter().flat_map(|fact| self.settled(&order, fact)));
        }
        Ok(events)
    }

    /// `fact`, what it does to the order's hold, and whose turn it makes it: all in one append.
    pub(super) fn settled(&self, order: &order::State, fact: order::Event) -> Vec<Event> {
        let (id, at) = (order.id, fact.at());
        let settlement = ledger::settlement(id, order.placed.price, &fact);
        let frees_slot = fact.is_end() && order.status != order::Status::Queued;
        let next = self.queue.front().filter(|_| frees_slot).and_then(|next| self.open.get(next));
        let started =
            next.and_then(|next| Some((next.id, next.decide(&order::Command::Start { at }).ok()?)));
        let started = started
            .into_iter()
            .flat_map(|(next, facts)| facts.into_iter().map(move |fact| Event::Order(next, fact)));
        let reversal = test_mode::at_the_end_of(order, &fact);
        std::iter::once(Event::Order(id, fact))
            .chain(settlement)
            .chain(reversal)
            .chain(started)
            .collect()
    }
}
