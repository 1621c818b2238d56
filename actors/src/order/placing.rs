//! Placing orders: a number at hand is reserved first, so that order, hold and number are one
//! append; one order, or a batch of them.

use std::sync::Arc;

use events::account::idempotency::{Effect, KeyUse};
use events::account::{
    self, BatchItem, Event, FirstAnswer, IdempotencyRefusal, ItemRefusal, PlaceBatch, PlaceOrder,
    PlacingRefusal, Refusal, StandingRefusal,
};
use events::envelope::Actor as Who;
use events::id::{AccountId, OrderId};
use events::order::{AttemptFailure, Event as Fact};

use super::handle::{Orders, PlaceError};
use crate::account::{AccessError, Replayed};
use crate::kernel::entity::TransactError;
use crate::kernel::fault::{Fault, detached};
use crate::kernel::supervision::STEP_RETRY;
use crate::numbers::{Lease, NumberRequest, Release};

/// The command, under the caller's key if there is one.
pub fn under_key(
    key: Option<KeyUse>,
    effect: Effect,
    command: account::Command,
) -> account::Command {
    match key {
        Some(used) => account::Command::Keyed { used, effect, command: Some(Box::new(command)) },
        None => command,
    }
}

impl Orders {
    /// Places an order and starts it; answers when its hold is durable, and its number too where
    /// one is at hand. Under a key that was used before it answers with that order.
    pub async fn place(
        &self,
        account: AccountId,
        wanted: PlaceOrder,
        key: Option<KeyUse>,
    ) -> Result<(OrderId, Replayed), PlaceError> {
        let orders = self.clone();
        detached(async move { Box::pin(orders.place_here(account, wanted, key)).await }).await?
    }

    async fn place_here(
        &self,
        account: AccountId,
        mut wanted: PlaceOrder,
        key: Option<KeyUse>,
    ) -> Result<(OrderId, Replayed), PlaceError> {
        // A retry must not take a number away from others, not even for a moment.
        if let Some(Effect::Order(order)) = self.known(account, key.as_ref()).await? {
            return Ok((order, Replayed(true)));
        }
        self.needs_room()?;
        let (order, at) = (wanted.order, wanted.at);
        let lease = self.reserve(account, &mut wanted).await?;
        let command =
            under_key(key.clone(), Effect::Order(order), account::Command::PlaceOrder(wanted));
        let events = self.transact_placing(account, command, order, at, lease.as_ref()).await?;
        if events.is_empty()
            && let Some(Effect::Order(known)) = self.known(account, key.as_ref()).await?
        {
            self.give_back(lease.as_ref());
            return Ok((known, Replayed(true)));
        }
        if let Some(Event::OrderRefused(refused)) = events.first() {
            self.give_back(lease.as_ref());
            return Err(PlaceError::Refused(ItemRefusal::Policy(refused.refusal()).into()));
        }
        if let Some(lease) = &lease {
            self.inner.router.assigned(lease);
        }
        self.start_runner(account, order, lease).await?;
        Ok((order, Replayed(false)))
    }

    /// Places a batch; answers when every hold is durable, with what became of each order.
    pub async fn place_batch(
        &self,
        account: AccountId,
        wanted: PlaceBatch,
        key: Option<KeyUse>,
    ) -> Result<(Arc<[BatchItem]>, Replayed), PlaceError> {
        let orders = self.clone();
        detached(async move { Box::pin(orders.place_batch_here(account, wanted, key)).await })
            .await?
    }

    async fn place_batch_here(
        &self,
        account: AccountId,
        mut wanted: PlaceBatch,
        key: Option<KeyUse>,
    ) -> Result<(Arc<[BatchItem]>, Replayed), PlaceError> {
        // A batch of which nothing has come to nothing is as it was; the rows that have are placed
        // again.
        let known = self.remembered(account, key.as_ref()).await?;
        if let Some(items) =
            known.filter(|known| known.let_go.is_empty()).and_then(|known| known.batch)
        {
            return Ok((items, Replayed(true)));
        }
        self.needs_room()?;
        let at = wanted.at;
        let first = wanted
            .orders
            .first()
            .map(|first| first.order)
            .ok_or(PlaceError::Refused(Refusal::Placing(PlacingRefusal::BatchSize)))?;
        let lease = match wanted.orders.first_mut() {
            Some(first) => self.reserve(account, first).await?,
            None => None,
        };
        let command = under_key(key.clone(), Effect::Batch, account::Command::PlaceBatch(wanted));
        let events = self.transact_placing(account, command, first, at, lease.as_ref()).await?;
        let placed = events.iter().find_map(|event| {
            if let Event::BatchPlaced { items, .. } = event {
                Some(items.as_slice().into())
            } else {
                None
            }
        });
        let Some(items): Option<Arc<[BatchItem]>> = placed else {
            self.give_back(lease.as_ref());
            let items = self
                .known_batch(account, key.as_ref())
                .await?
                .ok_or(PlaceError::Fault(Fault::ActorEnded))?;
            return Ok((items, Replayed(true)));
        };
        let has_number = |order: OrderId| {
            events.iter().any(|event| {
                matches!(
                    event, Event::Order(id, Fact::NumberAssigned { .. }) if *id == order
                )
            })
        };
        let lease = match lease {
            Some(lease) if has_number(first) => Some(lease),
            unused => {
                self.give_back(unused.as_ref());
                None
            }
        };
        let placed = events.iter().filter_map(|event| {
            if let Event::Order(order, Fact::Placed(_)) = event { Some(*order) } else { None }
        });
        for order in placed {
            let lease = lease.clone().filter(|_| order == first);
            if let Some(lease) = &lease {
                self.inner.router.assigned(lease);
            }
            self.start_runner(account, order, lease).await?;
        }
        Ok((items, Replayed(false)))
    }

    /// What is left of a disk that is nearly full is for the orders there are.
    fn needs_room(&self) -> Result<(), Fault> {
        if self.inner.journal.store().has_room() { Ok(()) } else { Err(Fault::NoSpace) }
    }

    /// Reserves the number that is at hand for the order, and writes it into what is wanted. An
    /// order that the policy refuses has none, not even for a moment.
    async fn reserve(
        &self,
        account: AccountId,
        wanted: &mut PlaceOrder,
    ) -> Result<Option<Lease>, Fault> {
        let known = self.inner.accounts.find(account).await?;
        if known.as_ref().is_some_and(|known| known.state.is_refused(wanted)) {
            return Ok(None);
        }
        let is_unproven = known.is_some_and(|known| known.state.is_unproven());
        Ok(self.reserve_local(account, wanted, is_unproven))
    }

    fn reserve_local(
        &self,
        account: AccountId,
        wanted: &mut PlaceOrder,
        is_unproven: bool,
    ) -> Option<Lease> {
        let (order, at, platform, country) =
            (wanted.order, wanted.at, wanted.platform, wanted.country);
        let scenario = wanted.scenario;
        wanted.first_answer = self.inner.router.acquire_local(NumberRequest {
            platform,
            country,
            at,
            is_unproven,
            scenario,
        });
        let first = wanted.first_answer.as_ref()?;
        let phone = first.answer.as_ref().ok()?.clone();
        let lease = Lease {
            account,
            order,
            attempt: 1,
            supplier: first.supplier.clone(),
            phone,
            platform,
            country,
            assigned_at: at,
            scenario,
        };
        if self.inner.router.lease(&lease) {
            return Some(lease);
        }
        // A pool has given what is not its to give: the order looks on by itself.
        tracing::error!(
            supplier = %lease.supplier, number = lease.phone.masked(),
            "a source has given a number that is another's"
        );
        wanted.first_answer = Some(FirstAnswer {
            supplier: lease.supplier.clone(),
            answer: Err(AttemptFailure::SourceError),
        });
        None
    }

    fn give_back(&self, lease: Option<&Lease>) {
        if let Some(lease) = lease {
            self.inner.router.release(lease, Release::Unused, self.inner.journal.now());
        }
    }

    /// The facts of an order or a batch; if there are none for certain, its number is free again.
    async fn transact_placing(
        &self,
        account: AccountId,
        command: account::Command,
        first: OrderId,
        at: events::time::Timestamp,
        lease: Option<&Lease>,
    ) -> Result<Vec<Event>, PlaceError> {
        match self.inner.accounts.transact(account, command, Who::Owner, at).await {
            Ok(committed) => Ok(committed.events),
            Err(TransactError::Refused(refusal)) => {
                self.give_back(lease);
                Err(PlaceError::Refused(refusal))
            }
            Err(TransactError::Fault(fault)) => {
                tokio::spawn(self.clone().find_out(account, first, lease.cloned()));
                Err(PlaceError::Fault(fault))
            }
        }
    }

    /// After a failure that left unknown whether the orders exist: lets them go on if they do, and
    /// frees the number if not.
    async fn find_out(self, account: AccountId, first: OrderId, lease: Option<Lease>) {
        loop {
            match self.inner.accounts.read(account).await {
                Ok(published) => {
                    let exists = published.state.order(first).is_some_and(|order| !order.is_over());
                    if let Some(lease) = &lease {
                        if exists {
                            self.inner.router.assigned(lease);
                        } else {
                            self.inner.router.release(
                                lease,
                                Release::Unused,
                                self.inner.journal.now(),
                            );
                        }
                    }
                    let mut is_done = true;
                    let listening =
                        published.state.listening.keys().filter(|order| **order == first);
                    for order in published.state.open.keys().chain(listening) {
                        let lease = lease.clone().filter(|_| *order == first);
                        is_done &= self.start_runner(account, *order, lease).await.is_ok();
                    }
                    if is_done {
                        return;
                    }
                }
                Err(AccessError::NotFound) => return self.give_back(lease.as_ref()),
                Err(AccessError::Fault(_)) => {}
            }
            tokio::time::sleep(STEP_RETRY).await;
        }
    }

    /// What a key was used for, if it was, by the account as it is now.
    async fn known(
        &self,
        account: AccountId,
        used: Option<&KeyUse>,
    ) -> Result<Option<Effect>, PlaceError> {
        Ok(self.remembered(account, used).await?.map(|known| known.effect))
    }

    async fn known_batch(
        &self,
        account: AccountId,
        used: Option<&KeyUse>,
    ) -> Result<Option<Arc<[BatchItem]>>, PlaceError> {
        Ok(self.remembered(account, used).await?.and_then(|known| known.batch))
    }

    async fn remembered(
        &self,
        account: AccountId,
        used: Option<&KeyUse>,
    ) -> Result<Option<account::idempotency::Remembered>, PlaceError> {
        let Some(used) = used else { return Ok(None) };
        let published = match self.inner.accounts.read(account).await {
            Ok(published) => published,
            Err(AccessError::NotFound) => {
                return Err(PlaceError::Refused(Refusal::Standing(StandingRefusal::NotRegistered)));
            }
            Err(AccessError::Fault(fault)) => return Err(fault.into()),
        };
        match published.state.keys.get(&used.key, used.at) {
            Some(known) if known.fingerprint != used.fingerprint => {
                Err(PlaceError::Refused(Refusal::Idempotency(IdempotencyRefusal::KeyReused)))
            }
            known => Ok(known.cloned()),
        }
    }
}
