//! Webhook letters: which deliveries are open, and the words of each, from the views and the log.

use actors::account::AccessError;
use actors::order::Orders;
use actors::store::{BoxFuture, EventStore};
use actors::webhook::{Letter, Letters};
use actors::{Accounts, Fault};
use events::account::Event;
use events::code::Verdict;
use events::envelope::{Revision, StreamId};
use events::id::{AccountId, OrderId};
use events::order::{Event as OrderEvent, State as Order};
use events::webhook::{Notice, delivery_id};
use projections::Views;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::feed::{reach_head, view_fault};
use crate::http::words;

/// Writes letters.
pub struct Writer {
    /// The accounts: where to, and with which secrets.
    pub accounts: Accounts,
    /// The orders: what about.
    pub orders: Orders,
    /// The views: which are open, and where they stand in the log.
    pub views: Views,
    /// The log.
    pub store: Arc<dyn EventStore>,
}

impl Letters for Writer {
    fn open(&self, account: AccountId, after: u64, limit: u32) -> BoxFuture<'_, Result<Vec<u64>, Fault>> {
        Box::pin(async move {
            reach_head(&self.views, &self.store.head()).await.map_err(view_fault)?;
            let rows = self.views.open_deliveries(account, after, limit).await.map_err(view_fault)?;
            Ok(rows.into_iter().map(|row| row.sequence).collect())
        })
    }

    fn write(&self, account: AccountId, sequence: u64) -> BoxFuture<'_, Result<Option<Letter>, Fault>> {
        Box::pin(self.letter(account, sequence))
    }
}

impl Writer {
    async fn letter(&self, account: AccountId, sequence: u64) -> Result<Option<Letter>, Fault> {
        let published = match self.accounts.read(account).await {
            Ok(published) => published,
            Err(AccessError::Fault(fault)) => return Err(fault),
            Err(AccessError::NotFound) => return Ok(None),
        };
        let Some(webhook) = &published.state.webhook else { return Ok(None) };
        let Some(row) = self.views.delivery(account, sequence).await.map_err(view_fault)? else { return Ok(None) };
        let Some(notice) = self.notice(account, row.revision).await? else { return Ok(None) };
        let order = match notice.order() {
            Some(order) => self.order(account, order).await?,
            None => None,
        };
        let id = delivery_id(account, sequence).to_string();
        let body = json!({
            "id": id,
            "event": notice.name(),
            "created_at": row.due_at.to_string(),
            "sequence": sequence,
            "data": data(&notice, order.as_deref()),
        });
        let at = self.accounts.now();
        let secrets = published.state.signing_secrets(at);
        Ok(Some(Letter { url: webhook.url.to_string(), id, event: notice.name(), body: body.to_string().into_bytes(), secrets, at }))
    }

    async fn notice(&self, account: AccountId, revision: Revision) -> Result<Option<Notice>, Fault> {
        let records = self.store.read_stream(StreamId::account(account), revision, 1).await?;
        Ok(records.into_iter().find_map(|record| match record.event {
            events::Event::Account(Event::WebhookDue { notice, .. }) => Some(notice),
            _ => None,
        }))
    }

    async fn order(&self, account: AccountId, id: OrderId) -> Result<Option<Arc<Order>>, Fault> {
        match self.accounts.order(account, id).await {
            Ok(Some(order)) => return Ok(Some(order)),
            Ok(None) | Err(AccessError::NotFound) => {}
            Err(AccessError::Fault(fault)) => return Err(fault),
        }
        let Some(place) = self.views.order(id).await.map_err(view_fault)? else { return Ok(None) };
        let order = self.orders.from_log(account, id, place.first, place.last).await?;
        Ok(order.map(Arc::new))
    }
}

/// What a delivery tells: made of facts that never change, so that every attempt sends the same bytes.
fn data(notice: &Notice, order: Option<&Order>) -> Value {
    match notice {
        Notice::SmsReceived { message_id, .. } => order.map_or(Value::Null, |order| sms_received(order, message_id)),
        Notice::OrderFailed { .. } => order.map_or(Value::Null, order_failed),
        Notice::BalanceLow { balance, threshold } => json!({ "balance": words::dollars(*balance), "threshold": words::dollars(*threshold) }),
        Notice::Test => json!({ "message": "This is a test: your webhook works." }),
    }
}

fn sms_received(order: &Order, message_id: &str) -> Value {
    let mut phone = None;
    for fact in &order.history {
        match fact.as_ref() {
            OrderEvent::NumberAssigned { phone: assigned, at, .. } => phone = Some((assigned.as_str(), *at)),
            OrderEvent::SmsReceived(sms) if sms.message_id == message_id => {
                let code = if let Verdict::Code(code) = &sms.extraction.verdict { Some(code) } else { None };
                return json!({
                    "order_id": order.id.to_string(),
                    "platform": order.placed.platform.slug(),
                    "country": order.placed.country.code(),
                    "phone": phone.map(|(phone, _)| phone),
                    "code": code,
                    "verdict": words::verdict(&sms.extraction.verdict),
                    "sms": sms.text,
                    "from": sms.sender,
                    "received_at": sms.received_at.to_string(),
                    "delivery_seconds": phone.map(|(_, assigned)| sms.at.since(assigned).as_secs()),
                    "price": words::dollars(order.placed.price),
                });
            }
            _ => {}
        }
    }
    Value::Null
}

fn order_failed(order: &Order) -> Value {
    json!({
        "order_id": order.id.to_string(),
        "platform": order.placed.platform.slug(),
        "country": order.placed.country.code(),
        "phone": order.assignment.as_ref().map(|assignment| assignment.phone.as_str()),
        "status": order.status.name(),
        "reason": order.failure.map(words::failure),
        "refunded": words::dollars(order.placed.price),
        "ended_at": order.ended_at.map(|ended| ended.to_string()),
    })
}
