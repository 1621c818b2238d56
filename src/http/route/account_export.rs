//! `GET /api/v1/account/export`: everything that the log has in the account's own stream, oldest
//! first, page by page.

use axum::Json;
use axum::extract::State;
use events::Event;
use events::account::Event as Fact;
use events::codec;
use events::envelope::Recorded;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::description;
use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::error::ApiResult;
use crate::http::json::{Moment, Parameters};
use crate::http::openapi_types::CursorNumber;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountExport)]
pub struct Reply {
    events: Vec<Row>,
    /// Give it as `cursor` to get the next page; null on the last one.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountEvent)]
pub struct Row {
    /// The event's number in the account's history, from 1, as `as_of` takes it.
    event: u64,
    /// What happened, such as `OrderPlaced`, `OrderSmsReceived` or `HoldCaptured`.
    #[serde(rename = "type")]
    kind: &'static str,
    at: Moment,
    order_id: Option<String>,
    /// The event's own values; which ones depends on its type.
    #[schema(value_type = Object)]
    data: Value,
}

/// Everything that is kept of you, oldest first: orders with their messages and codes, money, keys
/// by their names, webhooks. Hashes of keys, secrets, and what operators noted are not in it.
#[utoipa::path(
    get, path = "/account/export", operation_id = "exportAccount", tag = "account",
    params(
        (
            "limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1,
            maximum = 200
        ),
        ("cursor" = Option<CursorNumber>, Query, description = "The page before's next_cursor")
    ),
    responses((status = 200, description = "A page of the account's events", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let limit = Limit::of(query.limit);
    let after = cursor::number(query.cursor.as_deref())?.unwrap_or(0);
    let one_more = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let records = app.history.events(caller.account, after, one_more).await?;
    if records.is_empty() {
        // An account has at least its registration: nothing is there only behind its end.
        return Err(cursor::invalid());
    }
    let (records, last) = cursor::page(records, limit);
    let next_cursor = last.map(|last| (last.revision.0 + 1).to_string());
    Ok(Json(Reply { events: records.iter().map(row).collect(), next_cursor }))
}

fn row(record: &Recorded<Event>) -> Row {
    Row {
        event: record.revision.0 + 1,
        kind: codec::encode(&record.event).name,
        at: Moment(record.at),
        order_id: record.correlation.map(|order| order.to_string()),
        data: told(&record.event),
    }
}

/// An event as its account's owner is told it: whom numbers come from is the operator's affair, and
/// what an operator notes of one account may name another.
fn told(event: &Event) -> Value {
    let mut data = description::data(event, true);
    if let Some(members) = data.as_object_mut() {
        members.remove("supplier");
        if let Event::Account(fact) = event
            && is_noted(fact)
        {
            members.remove("reason");
        }
    }
    data
}

/// Whether an operator's own words stand in it that its owner is not told elsewhere.
fn is_noted(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Suspended { .. }
            | Fact::Reinstated { .. }
            | Fact::Approved { .. }
            | Fact::ClassSet { .. }
            | Fact::Credited { .. }
            | Fact::Debited { .. }
            | Fact::ApiKeysReplaced { .. }
    )
}

#[cfg(test)]
mod tests {
    use events::id::OrderId;
    use events::order;
    use events::time::Timestamp;

    use super::*;

    #[test]
    fn what_operators_note_and_whom_numbers_come_from_is_not_told() {
        let at = Timestamp::from_millis(1);
        let suspended: Event = Fact::Suspended { reason: "as acc_2".to_owned(), at }.into();
        assert_eq!(told(&suspended), serde_json::json!({}));
        let declined: Event = Fact::Declined { reason: "no trade".to_owned(), at }.into();
        assert_eq!(told(&declined)["reason"], "no trade", "its owner reads it");
        let supplier = "own".parse().unwrap();
        let dead = order::Event::NumberReportedDead { attempt: 1, supplier, at };
        let dead: Event = Fact::Order(OrderId(1), dead).into();
        assert_eq!(told(&dead), serde_json::json!({ "attempt": 1 }));
    }
}
