//! `/api/v1/webhook/deliveries`: what was pushed, how it fared, and once more.

use actors::store::EventStore;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::account::{Refusal, StandingRefusal};
use events::webhook::{Outcome, delivery_id};
use projections::DeliveryRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Body, Moment, NoBody, Parameters, moment};
use crate::http::openapi_types::{CursorNumber, DateOrTime, DeliveryStatus};
use crate::read_model::reach_head;

pub const STATUSES: [&str; 3] = ["pending", "delivered", "exhausted"];
/// Deliveries started again by one call.
const MAX_REDELIVERIES: u32 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    status: Option<String>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDeliveries)]
pub struct Reply {
    deliveries: Vec<Row>,
    /// Give it as `cursor` to get the next page; null on the last one.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct Row {
    /// The delivery's `webhook-id`, the same at every attempt.
    id: String,
    /// Rises by one with every delivery of the account.
    sequence: u64,
    event: String,
    order_id: Option<String>,
    created_at: Moment,
    /// `pending`, `delivered` or `exhausted`.
    status: String,
    attempts: u64,
    last_attempt_at: Option<Moment>,
    /// What the last attempt came to: `answered`, `connection_failed` (no answer within 15 s, for
    /// whatever reason), `not_resolved`, `target_refused` or `no_webhook`.
    last_outcome: Option<String>,
    /// Your server's status, if it answered.
    last_status: Option<u16>,
    next_attempt_at: Option<Moment>,
    /// `POST` it to have it delivered once more.
    redeliver: String,
}

/// What was pushed to you and how it fared, newest first.
#[utoipa::path(
    get, path = "/webhook/deliveries", operation_id = "listWebhookDeliveries", tag = "webhooks",
    params(
        (
            "status" = Option<DeliveryStatus>, Query,
            description = "`pending`, `delivered` or `exhausted`", example = "delivered"
        ),
        (
            "limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1,
            maximum = 200
        ),
        ("cursor" = Option<CursorNumber>, Query, description = "The page before's next_cursor")
    ),
    responses((status = 200, description = "A page of deliveries", body = Reply))
)]
pub async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let limit = Limit::of(query.limit);
    let status = query.status.as_deref().map(|text| {
        let known = STATUSES.into_iter().find(|status| *status == text);
        known.ok_or_else(|| {
            ApiError::of_field("status", format!("status is one of {}.", STATUSES.join(", ")))
        })
    });
    let before = cursor::number(query.cursor.as_deref())?;
    caught_up(&app).await?;
    let rows = app
        .service
        .views
        .deliveries(caller.account, before, status.transpose()?, limit + 1)
        .await?;
    let (rows, last) = cursor::page(rows, limit);
    let next_cursor = last.map(|row| row.sequence.to_string());
    Ok(Json(Reply {
        deliveries: rows.into_iter().map(|row| shown(&caller, row)).collect(),
        next_cursor,
    }))
}

fn shown(caller: &Caller, row: DeliveryRow) -> Row {
    Row {
        id: delivery_id(caller.account, row.sequence).to_string(),
        sequence: row.sequence,
        event: row.event,
        order_id: row.order.map(|order| order.to_string()),
        created_at: Moment(row.due_at),
        status: row.status,
        attempts: row.attempts,
        last_attempt_at: row.attempted_at.map(Moment),
        last_outcome: row.outcome.map(told),
        last_status: row.http_status,
        next_attempt_at: row.next_at.map(Moment),
        redeliver: format!("/api/v1/webhook/deliveries/{}/redeliver", row.sequence),
    }
}

/// A closed port, a filtered one, one without TLS: told apart, they would let a caller look through
/// others' machines from here.
fn told(outcome: String) -> String {
    if outcome == Outcome::TimedOut.name() {
        Outcome::ConnectionFailed.name().to_owned()
    } else {
        outcome
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedeliverRequest)]
pub struct Since {
    /// Everything that became due at or after this time (or on or after this date).
    #[schema(value_type = DateOrTime, example = "2026-11-24T12:00:00Z")]
    since: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redelivered)]
pub struct Again {
    status: &'static str,
    /// How many are delivered once more.
    redelivered: usize,
    /// Whether more match than one call takes; call again from the last one's time.
    more: bool,
}

/// Have one delivery made once more, from the start of the schedule.
#[utoipa::path(
    post, path = "/webhook/deliveries/{sequence}/redeliver", operation_id = "redeliver",
    tag = "webhooks",
    params(("sequence" = u64, Path, description = "The delivery's sequence", minimum = 1)),
    responses((status = 200, description = "It is due again", body = Again))
)]
pub async fn redeliver(
    State(app): State<Shared>,
    caller: Caller,
    Path(sequence): Path<String>,
    NoBody: NoBody,
) -> ApiResult<Again> {
    let unknown =
        || ApiError::invalid("There is no such delivery.").with_status(StatusCode::NOT_FOUND);
    may_redeliver(&app, &caller)?;
    let sequence: u64 = sequence.parse().map_err(|_| unknown())?;
    caught_up(&app).await?;
    app.service.views.delivery(caller.account, sequence).await?.ok_or_else(unknown)?;
    app.service.webhooks.redeliver(caller.account, vec![sequence]).await?;
    Ok(Json(Again { status: "ok", redelivered: 1, more: false }))
}

/// Have everything since a time delivered once more.
#[utoipa::path(
    post, path = "/webhook/deliveries/redeliver", operation_id = "redeliverSince", tag = "webhooks",
    request_body = Since,
    responses((status = 200, description = "They are due again", body = Again))
)]
pub async fn redeliver_since(
    State(app): State<Shared>,
    caller: Caller,
    Body(request): Body<Since>,
) -> ApiResult<Again> {
    may_redeliver(&app, &caller)?;
    let since = moment("since", &request.since, false)?;
    caught_up(&app).await?;
    let sequences =
        app.service.views.deliveries_since(caller.account, since, MAX_REDELIVERIES).await?;
    let redelivered = sequences.len();
    if redelivered > 0 {
        app.service.webhooks.redeliver(caller.account, sequences).await?;
    }
    let more = redelivered == usize::try_from(MAX_REDELIVERIES).unwrap_or(usize::MAX);
    Ok(Json(Again { status: "ok", redelivered, more }))
}

/// Each delivery more is more of the log, without end: it takes an account that had money, where
/// those without are bounded.
fn may_redeliver(app: &Shared, caller: &Caller) -> Result<(), ApiError> {
    let is_bounded = app.service.config.registration.unfunded_log_kb > 0;
    if is_bounded && !caller.was_ever_funded() {
        return Err(Refusal::from(StandingRefusal::NeverFunded).into());
    }
    Ok(())
}

/// Attempts stand in a stream of their own: the answer has everything that is in the log now.
async fn caught_up(app: &Shared) -> Result<(), ApiError> {
    Ok(reach_head(&app.service.views, &app.service.store.head()).await?)
}
