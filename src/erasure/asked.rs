//! What operators have erased: of an order, of an account, of a number.

use actors::kernel::entity::TransactError;
use actors::store::{EventStore, Records};
use events::codec::SecretKind;
use events::envelope::{Actor, Revision, StreamId};
use events::erasure::{MOST, Refusal, Subject};
use events::id::{AccountId, OrderId};
use events::phone::Phone;
use projections::OrderRef;

use super::ErasureError;
use super::keys::OrderKeys;
use crate::boot::Service;
use crate::read_model::reach_head;

/// What an order has that can be erased.
const OF_ORDERS: [SecretKind; 2] = [SecretKind::Message, SecretKind::Phone];

/// What was erased at an operator's word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Orders whose messages and numbers were.
    pub orders: usize,
    /// Orders that were left: they are not over, under a legal hold, or from before there was a
    /// vault.
    pub left: usize,
    /// Whether the account's webhook was.
    pub is_webhook: bool,
    /// Whether something is left that is under no key: a number's own stream, or a webhook of
    /// before there was a vault.
    pub has_rest: bool,
}

impl Service {
    /// Erases what messages of an order say, its codes and its number; how many keys were erased.
    pub async fn erase_order(
        &self,
        order: OrderId,
        reason: &str,
        who: Actor,
    ) -> Result<usize, ErasureError> {
        self.store.vault().ok_or(ErasureError::NoVault)?;
        reach_head(&self.views, &self.store.head()).await?;
        let place = self.views.order(order).await?.ok_or(ErasureError::NoOrder)?;
        self.refuse_under_hold(place.account)?;
        let found = self.keys_of_ended(place, who.clone()).await?;
        if found.is_unsealed {
            return Err(ErasureError::Unsealed(order));
        }
        if !found.is_over() {
            return Err(ErasureError::NotOver(order));
        }
        if !self.has_keys(&found.names)? {
            return Err(Refusal::Nothing.into());
        }
        let subject = Subject { account: place.account, order: Some(order) };
        self.erase(vec![subject], &OF_ORDERS, reason, who).await
    }

    /// The same of all orders of an account that are over, and its webhook's target and secrets.
    pub async fn erase_account(
        &self,
        account: AccountId,
        reason: &str,
        who: Actor,
    ) -> Result<Erased, ErasureError> {
        self.store.vault().ok_or(ErasureError::NoVault)?;
        reach_head(&self.views, &self.store.head()).await?;
        self.refuse_under_hold(account)?;
        let webhook = self.keys_of_webhook(account).await?;
        let places = self.views.places_of(account).await?;
        let (mut of, mut erased) = self.erasable(places, &who).await?;
        erased.is_webhook = self.has_keys(&webhook.names)?;
        erased.has_rest = webhook.is_unsealed;
        if erased.is_webhook {
            of.push(Subject { account, order: None });
        }
        self.erase_all(&of, erased.left, &SecretKind::ALL, reason, who).await?;
        Ok(erased)
    }

    /// The same of all orders that were on a number, whosever they are.
    pub async fn erase_number(
        &self,
        phone: Phone,
        reason: &str,
        who: Actor,
    ) -> Result<Erased, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        reach_head(&self.views, &self.store.head()).await?;
        // Orders whose number is erased may have messages still.
        let mut places = self.views.places_of_number(vault.pseudonym(&phone)).await?;
        places.extend(self.views.places_of_number(phone.clone()).await?);
        let (of, mut erased) = self.erasable(places, &who).await?;
        let own = self.store.stored_in(StreamId::number(&phone), Revision(0), 1).await?;
        erased.has_rest = !own.is_empty();
        self.erase_all(&of, erased.left, &OF_ORDERS, reason, who).await?;
        Ok(erased)
    }

    /// Which of these orders can be erased now.
    async fn erasable(
        &self,
        places: Vec<OrderRef>,
        who: &Actor,
    ) -> Result<(Vec<Subject>, Erased), ErasureError> {
        let (mut of, mut erased) = (Vec::new(), Erased::default());
        for place in places {
            if self.refuse_under_hold(place.account).is_err() {
                erased.left += 1;
                continue;
            }
            let found = self.keys_of_ended(place, who.clone()).await?;
            if !found.is_over() || found.is_unsealed {
                erased.left += 1;
            } else if self.has_keys(&found.names)? {
                erased.orders += 1;
                of.push(Subject { account: place.account, order: Some(place.order) });
            }
        }
        Ok((of, erased))
    }

    async fn erase_all(
        &self,
        of: &[Subject],
        left: usize,
        kinds: &[SecretKind],
        reason: &str,
        who: Actor,
    ) -> Result<(), ErasureError> {
        if of.is_empty() {
            // Whoever asked for it must not be told that there is nothing.
            let nothing = left == 0;
            return Err(if nothing { Refusal::Nothing.into() } else { ErasureError::Left(left) });
        }
        for some in of.chunks(MOST) {
            self.erase(some.to_vec(), kinds, reason, who.clone()).await?;
        }
        Ok(())
    }

    /// The keys of an order's secrets. One that only listens for more is finished first: whoever
    /// wants its messages erased wants no further ones.
    async fn keys_of_ended(&self, place: OrderRef, who: Actor) -> Result<OrderKeys, ErasureError> {
        let found = self.keys_of_order(place, &OF_ORDERS).await?;
        let listening = found.order.as_ref().filter(|order| order.is_listening());
        let Some(listening) = listening.filter(|_| !found.is_unsealed) else {
            return Ok(found);
        };
        // What is refused has ended otherwise meanwhile.
        if let Err(TransactError::Fault(fault)) =
            self.orders.finish(place.account, listening, who).await
        {
            return Err(fault.into());
        }
        reach_head(&self.views, &self.store.head()).await?;
        let place = self.views.order(place.order).await?.ok_or(ErasureError::NoOrder)?;
        self.keys_of_order(place, &OF_ORDERS).await
    }

    fn refuse_under_hold(&self, account: AccountId) -> Result<(), Refusal> {
        match self.erasures.state().held().get(&account) {
            Some(hold) => Err(Refusal::Held { account, reason: hold.reason.clone() }),
            None => Ok(()),
        }
    }
}
