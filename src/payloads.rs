//! Webhook payloads: which deliveries are open, and the words of each, from the views and the log.

use actors::order::Orders;
use actors::store::{BoxFuture, EventStore};
use actors::webhook::{PayloadSource, WebhookPayload};
use actors::{Accounts, Fault};
use events::account::Event;
use events::code::Verdict;
use events::envelope::{Revision, StreamId};
use events::id::{AccountId, OrderId};
use events::order::{Event as OrderEvent, Scenario, State as Order};
use events::time::Timestamp;
use events::webhook::{Notice, delivery_id};
use projections::Views;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::http::order_reply::number_of;
use crate::http::{LIVEMODE, erased, words};
use crate::read_model::{reach_head, view_fault};

/// Writes payloads.
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

impl PayloadSource for Writer {
    fn open(
        &self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<u64>, Fault>> {
        Box::pin(async move {
            reach_head(&self.views, &self.store.head()).await.map_err(view_fault)?;
            let rows =
                self.views.open_deliveries(account, after, limit).await.map_err(view_fault)?;
            Ok(rows.into_iter().map(|row| row.sequence).collect())
        })
    }

    fn write(
        &self,
        account: AccountId,
        sequence: u64,
    ) -> BoxFuture<'_, Result<Option<WebhookPayload>, Fault>> {
        Box::pin(self.letter(account, sequence))
    }
}

impl Writer {
    async fn letter(
        &self,
        account: AccountId,
        sequence: u64,
    ) -> Result<Option<WebhookPayload>, Fault> {
        let Some(published) = self.accounts.find(account).await? else { return Ok(None) };
        let Some(webhook) = &published.state.webhook else { return Ok(None) };
        let Some(row) = self.views.delivery(account, sequence).await.map_err(view_fault)? else {
            return Ok(None);
        };
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
            LIVEMODE: !published.state.is_test(),
            "data": data(&notice, order.as_deref(), row.due_at),
        });
        let secrets = published.state.signing_secrets(self.accounts.journal().now());
        if secrets.is_empty() {
            return Ok(None);
        }
        // Receivers compare it with their own clocks.
        let at = self.accounts.journal().clock().wall();
        let fails_first = order.is_some_and(|order| order.scenario == Some(Scenario::WebhookFails));
        let (url, body) = (webhook.url.to_string(), body.to_string().into_bytes());
        Ok(Some(WebhookPayload { url, id, event: notice.name(), body, fails_first, secrets, at }))
    }

    async fn notice(
        &self,
        account: AccountId,
        revision: Revision,
    ) -> Result<Option<Notice>, Fault> {
        let records = self.store.read_stream(StreamId::account(account), revision, 1).await?;
        Ok(records.into_iter().find_map(|record| match record.event {
            events::Event::Account(Event::WebhookDue { notice, .. }) => Some(notice),
            _ => None,
        }))
    }

    async fn order(&self, account: AccountId, id: OrderId) -> Result<Option<Arc<Order>>, Fault> {
        if let Some(order) = self.accounts.order(account, id).await? {
            return Ok(Some(order));
        }
        let Some(place) = self.views.order(id).await.map_err(view_fault)? else { return Ok(None) };
        let order = self.orders.from_log(account, id, place.first, place.last).await?;
        Ok(order.map(Arc::new))
    }
}

/// What a delivery tells: made of facts that never change, so that every attempt sends the same
/// bytes.
fn data(notice: &Notice, order: Option<&Order>, due_at: Timestamp) -> Value {
    match notice {
        Notice::SmsReceived { message_id, .. } => {
            order.map_or(Value::Null, |order| sms_received(order, message_id, due_at))
        }
        Notice::OrderFailed { .. } => order.map_or(Value::Null, order_failed),
        Notice::BalanceLow { balance, threshold } => {
            json!({ "balance": words::dollars(*balance), "threshold": words::dollars(*threshold) })
        }
        Notice::Test => json!({ "message": "This is a test: your webhook works." }),
    }
}

/// A message is due when it is recorded: where another supplier has given the same id, the time
/// tells them apart.
fn sms_received(order: &Order, message_id: &str, due_at: Timestamp) -> Value {
    let mut phone = None;
    for fact in &order.history {
        match fact.as_ref() {
            OrderEvent::NumberAssigned { phone: assigned, at, .. } => {
                phone = Some((assigned, *at));
            }
            OrderEvent::SmsReceived(sms) if sms.message_id == message_id && sms.at == due_at => {
                let code = if let Verdict::Code(code) = &sms.extraction.verdict {
                    erased::told(code)
                } else {
                    None
                };
                let number = phone.and_then(|(phone, _)| erased::number(phone));
                let mut told = json!({
                    "order_id": order.id.to_string(),
                    "platform": order.placed.platform.slug(),
                    "country": order.placed.country.code(),
                    "phone": number,
                    "code": code,
                    "verdict": sms.extraction.verdict.name(),
                    "sms": erased::told(&sms.text),
                    "from": erased::told(&sms.sender),
                    "received_at": sms.received_at.to_string(),
                    "delivery_seconds": phone.map(|(_, assigned)| sms.at.since(assigned).as_secs()),
                    "price": words::dollars(order.placed.price),
                });
                if erased::of_fact(fact) || phone.is_some_and(|(phone, _)| phone.is_erased()) {
                    told["erased"] = json!(true);
                }
                return told;
            }
            _ => {}
        }
    }
    Value::Null
}

fn order_failed(order: &Order) -> Value {
    let mut told = json!({
        "order_id": order.id.to_string(),
        "platform": order.placed.platform.slug(),
        "country": order.placed.country.code(),
        "phone": number_of(order),
        "status": order.status.name(),
        "reason": order.failure.map(words::failure),
        "refunded": words::dollars(order.placed.price),
        "ended_at": order.ended_at.map(|ended| ended.to_string()),
    });
    if erased::number_of(order) {
        told["erased"] = json!(true);
    }
    told
}

#[cfg(test)]
mod tests {
    use events::code::Extraction;
    use events::country::Country;
    use events::money::Money;
    use events::order::{Placed, Sms};
    use events::platform::Platform;

    use super::*;

    fn sms(supplier: &str, text: &str, at: i64) -> OrderEvent {
        let at = Timestamp::from_millis(at);
        let extraction = Extraction { verdict: Verdict::Nothing, candidates: Vec::new() };
        let (message_id, sender, supplier) =
            ("m1".to_owned(), "Google".to_owned(), supplier.parse().unwrap());
        OrderEvent::SmsReceived(Sms {
            message_id,
            supplier,
            sender,
            text: text.to_owned(),
            received_at: at,
            extraction,
            at,
        })
    }

    #[test]
    fn each_message_is_told_also_where_two_suppliers_gave_theirs_the_same_id() {
        let (price, at) = (Money::from_cents(50), Timestamp::from_millis(0));
        let (platform, country) = (Platform::Google, Country::Us);
        let placed = Placed {
            platform,
            country,
            list_price: price,
            price,
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_attempts: 3,
            listen_seconds: 300,
            verdict: None,
            at,
        };
        let history = [
            OrderEvent::Placed(placed),
            sms("own", "the first", 1),
            sms("telnyx", "the second", 2),
        ];
        let order = Order::from_history(OrderId(1), &history).unwrap();
        let told = |at| {
            let notice = Notice::SmsReceived { order: OrderId(1), message_id: "m1".to_owned() };
            data(&notice, Some(&order), Timestamp::from_millis(at))["sms"].clone()
        };
        assert_eq!((told(1), told(2)), (json!("the first"), json!("the second")));
    }
}
