//! Which keys an order's or an account's secrets are under: their own records say so.

use actors::store::{Record, Records};
use actors::vault::{KeyName, keys_of};
use events::codec::SecretKind;
use events::envelope::{Position, Revision, StreamId};
use events::id::AccountId;
use events::lease::LeaseId;
use events::order;
use projections::OrderRef;

use super::ErasureError;
use crate::boot::Service;

/// Records read at once.
const PAGE: u64 = 256;

/// What an order's or an account's records say.
#[derive(Debug, Default)]
pub struct OrderKeys {
    /// Their keys; those that were erased, too.
    pub names: Vec<KeyName>,
    /// Whether one of the secrets is not encrypted.
    pub is_unsealed: bool,
    /// Where the records stand in the log.
    pub places: Vec<Position>,
    /// The order, if the log has it.
    pub order: Option<order::State>,
}

impl Service {
    /// The keys of these kinds that an order's secrets are under.
    pub(super) async fn keys_of_order(
        &self,
        place: OrderRef,
        kinds: &[SecretKind],
    ) -> Result<OrderKeys, ErasureError> {
        let mut found = OrderKeys::default();
        let known = self.orders.from_log(place.account, place.order, place.first, place.last);
        found.order = known.await?;
        let extent = (place.first.0, place.last.0);
        let of_order = |record: &Record| record.correlation == Some(place.order);
        self.gather(StreamId::account(place.account), extent, kinds, of_order, &mut found).await?;
        if kinds.contains(&SecretKind::Phone) {
            for lease in self.leases_of(place, found.order.as_ref()) {
                self.gather(StreamId::lease(&lease), (0, PAGE), kinds, |_| true, &mut found)
                    .await?;
            }
        }
        Ok(found)
    }

    /// The keys that the target and the secrets of an account's webhooks are under.
    pub(super) async fn keys_of_webhook(
        &self,
        account: AccountId,
    ) -> Result<OrderKeys, ErasureError> {
        let (mut found, kinds) = (OrderKeys::default(), [SecretKind::Webhook]);
        let stream = StreamId::account(account);
        self.gather(stream, (0, u64::MAX), &kinds, |_| true, &mut found).await?;
        Ok(found)
    }

    /// Every lease that the order can have had: a source that was asked may have given a number to
    /// nobody.
    fn leases_of(&self, place: OrderRef, order: Option<&order::State>) -> Vec<LeaseId> {
        let attempts = order.map_or(0, |order| order.attempts);
        let pulls = self.pulls.iter().map(|pull| pull.name().clone());
        let named = order.into_iter().flat_map(|order| &order.history).filter_map(|fact| {
            if let order::Event::NumberAssigned { supplier, .. } = fact.as_ref() {
                Some(supplier.clone())
            } else {
                None
            }
        });
        let mut suppliers: Vec<_> = pulls.chain(named).collect();
        suppliers.sort_unstable();
        suppliers.dedup();
        let of = |supplier| {
            (1..=attempts).map(move |attempt| LeaseId {
                supplier: Clone::clone(supplier),
                order: place.order,
                attempt,
            })
        };
        suppliers.iter().flat_map(of).collect()
    }

    /// Adds what records of a stream say, from one place to another, both included.
    async fn gather(
        &self,
        stream: StreamId,
        (first, last): (u64, u64),
        kinds: &[SecretKind],
        is_wanted: impl Fn(&Record) -> bool,
        found: &mut OrderKeys,
    ) -> Result<(), ErasureError> {
        let mut from = first;
        while from <= last {
            let limit = PAGE.min((last - from).saturating_add(1));
            let limit = usize::try_from(limit).unwrap_or(1);
            let page = self.store.stored_in(stream.clone(), Revision(from), limit).await?;
            let Some(end) = page.last().map(|record| record.revision) else { break };
            for record in page.iter().filter(|record| is_wanted(record)) {
                found.places.push(record.position);
                found.take(record, kinds)?;
            }
            from = end.0 + 1;
        }
        Ok(())
    }
}

impl OrderKeys {
    /// Whether nothing more can come of it.
    pub fn is_over(&self) -> bool {
        self.order.as_ref().is_some_and(order::State::is_over)
    }

    fn take(&mut self, record: &Record, kinds: &[SecretKind]) -> Result<(), ErasureError> {
        match keys_of(&record.payload, kinds) {
            Some(names) => self.names.extend(names?),
            None if kinds.iter().any(|kind| has(&record.name, *kind)) => self.is_unsealed = true,
            None => {}
        }
        Ok(())
    }
}

/// Whether events of this name have secrets of the kind.
fn has(name: &str, kind: SecretKind) -> bool {
    let names: &[&str] = match kind {
        SecretKind::Message => &["OrderSmsReceived", "OrderCompleted", "OrderCodeReplaced"],
        SecretKind::Phone => &["OrderNumberAssigned", "LeaseObtained"],
        SecretKind::Webhook => {
            &["AccountRegistered", "AccountWebhookSet", "AccountWebhookSecretRotated"]
        }
    };
    names.contains(&name)
}
