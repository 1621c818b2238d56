//! Which keys an order's secrets are under: its own records say so.

use actors::store::{Record, Records};
use actors::vault::{KeyName, keys_of};
use events::codec::SecretKind;
use events::envelope::{Revision, StreamId};
use events::order;
use projections::OrderRef;

use super::ErasureError;
use crate::boot::Service;

/// Records read at once.
const PAGE: u64 = 256;
/// Names of events that have an order's messages and codes.
const OF_MESSAGES: [&str; 3] = ["OrderSmsReceived", "OrderCompleted", "OrderCodeReplaced"];

/// What an order's records say.
#[derive(Debug, Default)]
pub struct OrderKeys {
    /// Its keys; those that were erased, too.
    pub names: Vec<KeyName>,
    /// Whether one of its messages is not encrypted.
    pub is_unsealed: bool,
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
        let stream = StreamId::account(place.account);
        let mut found = OrderKeys::default();
        let known = self.orders.from_log(place.account, place.order, place.first, place.last);
        found.order = known.await?;
        let mut from = place.first.0;
        while from <= place.last.0 {
            let limit = usize::try_from(PAGE.min(place.last.0 - from + 1)).unwrap_or(1);
            let page = self.store.stored_in(stream.clone(), Revision(from), limit).await?;
            let Some(last) = page.last().map(|record| record.revision) else { break };
            for record in page.iter().filter(|record| record.correlation == Some(place.order)) {
                found.take(record, kinds)?;
            }
            from = last.0 + 1;
        }
        Ok(found)
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
            None if OF_MESSAGES.contains(&&*record.name) => self.is_unsealed = true,
            None => {}
        }
        Ok(())
    }
}
