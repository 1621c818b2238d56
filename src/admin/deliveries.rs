//! Webhook deliveries of all accounts, for operators: what failed, what was sent, and once more.

use std::sync::Arc;
use std::time::Duration;

use actors::store::EventStore;
use actors::webhook::PayloadSource;
use axum::Json;
use axum::extract::{Path as PathParameter, Query, State};
use axum::http::StatusCode;
use events::envelope::{Revision, StreamId};
use events::id::AccountId;
use events::webhook::Event as WebhookEvent;
use events::{Event, webhook};
use projections::{DeliveryPlace, DeliveryRow, FailingReceiver};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::access::{self, Access};
use super::{AdminApi, Refusal, account, failed, masks, page_limit, reached, refused};
use crate::http::route::webhook_deliveries::STATUSES;
use crate::payloads::Writer;

/// Failing receivers are those of so long.
const FAILING_WITHIN: Duration = Duration::from_hours(7 * 24);
/// Facts of an account's deliveries that are looked through for those of one.
const LOOKED_THROUGH: u64 = 8_192;

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `pending`, `delivered` or `exhausted`.
    status: Option<String>,
    /// Only this account's.
    account: Option<String>,
    /// The page before's `next_before`.
    before: Option<String>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// Who wants it, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redeliver {
    /// Why.
    pub reason: String,
    /// Who.
    pub operator: String,
}

/// Deliveries of all accounts, the latest due first.
#[utoipa::path(
    get, path = "/deliveries", operation_id = "listDeliveries", tag = "webhooks", params(Asked),
    responses((
        status = 200, description = "A page of deliveries; next_before is null on the last",
        body = Value
    ))
)]
pub async fn list(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let limit = page_limit(asked.limit);
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let known = |text: String| {
        let found = STATUSES.into_iter().find(|status| *status == text);
        found.ok_or_else(|| {
            refused(StatusCode::BAD_REQUEST, format!("status is one of {}", STATUSES.join(", ")))
        })
    };
    let status = given(&asked.status).map(known).transpose()?;
    let of = given(&asked.account).as_deref().map(account).transpose()?;
    let before = given(&asked.before).map(|text| {
        place(&text)
            .ok_or_else(|| refused(StatusCode::BAD_REQUEST, "before is a page's".to_owned()))
    });
    let views = reached(&api.service).await?;
    let mut rows = views
        .all_deliveries(before.transpose()?, status, of, limit + 1)
        .await
        .map_err(|error| failed(&error))?;
    let written = |(account, row): &(AccountId, DeliveryRow)| {
        format!("{}.{account}.{}", row.due_at.millis(), row.sequence)
    };
    let next_before = super::cut(&mut rows, limit).map(written);
    let rows: Vec<Value> = rows.iter().map(|(account, row)| listed(*account, row)).collect();
    Ok(Json(json!({ "deliveries": rows, "next_before": next_before })))
}

fn place(text: &str) -> Option<DeliveryPlace> {
    let mut parts = text.split('.');
    let due_at = events::time::Timestamp::from_millis(parts.next()?.parse().ok()?);
    let (account, sequence) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(DeliveryPlace { due_at, account, sequence })
}

fn listed(account: AccountId, row: &DeliveryRow) -> Value {
    json!({
        "account_id": account.to_string(), "sequence": row.sequence,
        "id": webhook::delivery_id(account, row.sequence).to_string(), "event": row.event,
        "order_id": row.order.map(|order| order.to_string()), "due_at": row.due_at.to_string(),
        "status": row.status, "attempts": row.attempts,
        "last_attempt_at": row.attempted_at.map(|at| at.to_string()), "last_outcome": row.outcome,
        "last_status": row.http_status,
        "next_attempt_at": row.next_at.map(|at| at.to_string()),
    })
}

/// Receivers that have not taken what became due in the last seven days, the worst first.
#[utoipa::path(
    get, path = "/deliveries/failing", operation_id = "failingReceivers", tag = "webhooks",
    responses((status = 200, description = "Accounts whose receivers fail", body = Value))
)]
pub async fn receivers(State(api): State<Arc<AdminApi>>) -> Result<Json<Value>, Refusal> {
    let since = api.service.clock.now().minus(FAILING_WITHIN);
    let failing = reached(&api.service)
        .await?
        .failing_receivers(since, 50)
        .await
        .map_err(|error| failed(&error))?;
    let shown = |receiver: &FailingReceiver| {
        json!({
            "account_id": receiver.account.to_string(), "waiting": receiver.waiting,
            "exhausted": receiver.exhausted,
            "last_attempt_at": receiver.attempted_at.map(|at| at.to_string()),
        })
    };
    Ok(Json(json!({ "receivers": failing.iter().map(shown).collect::<Vec<_>>() })))
}

/// A delivery with its attempts and its payload. What the payload says of phones, texts and codes
/// is masked; a reveal shows it.
#[utoipa::path(
    get, path = "/deliveries/{account}/{sequence}", operation_id = "showDelivery", tag = "webhooks",
    params(
        ("account" = String, Path, description = "The account's id"),
        ("sequence" = u64, Path, description = "The delivery's number")
    ),
    responses((status = 200, description = "The delivery", body = Value))
)]
pub async fn show(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter((id, sequence)): PathParameter<(String, u64)>,
) -> Result<Json<Value>, Refusal> {
    shown(&api, &access, account(&id)?, sequence).await.map(Json)
}

/// The same, for whoever may see it.
pub async fn shown(
    api: &AdminApi,
    access: &Access,
    account: AccountId,
    sequence: u64,
) -> Result<Value, Refusal> {
    let row = find(api, account, sequence).await?;
    let service = &api.service;
    let store: Arc<dyn EventStore> = Arc::clone(&service.store) as Arc<dyn EventStore>;
    let writer = Writer {
        accounts: service.accounts.clone(),
        orders: service.orders.clone(),
        views: service.views.clone(),
        store,
    };
    let payload = writer.write(account, sequence).await.map_err(|fault| failed(&fault))?;
    let mut body = payload
        .as_ref()
        .and_then(|payload| serde_json::from_slice(&payload.body).ok())
        .unwrap_or(Value::Null);
    if !access.reveals {
        masks::cover(&mut body);
    }
    let mut answer = listed(account, &row);
    answer["payload"] = body;
    // A receiver may answer with what it was sent: its words are as secret as the payload.
    let received = service.webhook_answers.of(answer["id"].as_str().unwrap_or_default());
    answer["answer"] = received.map_or(Value::Null, |received| {
        json!(if access.reveals { received } else { masks::HIDDEN.to_owned() })
    });
    answer["attempted"] = attempts(api, account, sequence).await?.into();
    Ok(answer)
}

async fn find(api: &AdminApi, account: AccountId, sequence: u64) -> Result<DeliveryRow, Refusal> {
    let row = reached(&api.service)
        .await?
        .delivery(account, sequence)
        .await
        .map_err(|error| failed(&error))?;
    row.ok_or_else(|| refused(StatusCode::NOT_FOUND, "there is no such delivery".to_owned()))
}

/// The delivery's attempts, as far back as is looked.
async fn attempts(api: &AdminApi, account: AccountId, wanted: u64) -> Result<Vec<Value>, Refusal> {
    let (stream, service) = (StreamId::webhook(account), &api.service);
    let Some((end, _)) = service.views.end_of(&stream) else { return Ok(Vec::new()) };
    let from = Revision(end.0.saturating_sub(LOOKED_THROUGH));
    let limit = usize::try_from(LOOKED_THROUGH + 1).unwrap_or(usize::MAX);
    let records =
        service.store.read_stream(stream, from, limit).await.map_err(|error| failed(&error))?;
    let attempt = |event: &Event| match event {
        Event::Webhook(WebhookEvent::Attempted {
            sequence, attempt, outcome, millis, at, ..
        }) if *sequence == wanted => Some(json!({
            "attempt": attempt, "outcome": outcome.name(), "http_status": outcome.status(),
            "millis": millis, "at": at.to_string(),
        })),
        _ => None,
    };
    Ok(records.iter().filter_map(|record| attempt(&record.event)).collect())
}

/// Delivers it once more.
#[utoipa::path(
    post, path = "/deliveries/{account}/{sequence}/redeliver", operation_id = "redeliver",
    tag = "webhooks", request_body = Redeliver,
    params(
        ("account" = String, Path, description = "The account's id"),
        ("sequence" = u64, Path, description = "The delivery's number")
    ),
    responses((status = 200, description = "It is due again", body = Value))
)]
pub async fn redeliver(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter((id, sequence)): PathParameter<(String, u64)>,
    Json(asked): Json<Redeliver>,
) -> Result<Json<Value>, Refusal> {
    let id = account(&id)?;
    access::reason(&asked.reason)?;
    let who = access.operator(&asked.operator)?;
    find(&api, id, sequence).await?;
    api.service.webhooks.redeliver(id, vec![sequence]).await.map_err(|fault| failed(&fault))?;
    tracing::info!(
        %who, account = %id, sequence, reason = asked.reason,
        "an operator has a delivery sent once more"
    );
    Ok(Json(json!({ "account_id": id.to_string(), "sequence": sequence, "status": "pending" })))
}
