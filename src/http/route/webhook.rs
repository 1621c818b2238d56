//! `/api/v1/webhook`: where pushes go, a test of it, and a fresh secret.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::account::{Command, Event, SECRETS_OVERLAP, State as Account};
use events::envelope::Actor as Who;
use events::money::Money;
use events::webhook::delivery_id;
use events::webhook::target::{self, Allowed};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Body, Dollars, Moment, NoBody};
use crate::http::openapi_types::TargetUrl;

/// The contract: "the account's threshold (default $1.00)".
const DEFAULT_THRESHOLD: Money = Money::from_cents(100);
/// The guide: "Events: `sms.received`, `order.failed`, `balance.low`".
const EVENTS: [&str; 3] = ["sms.received", "order.failed", "balance.low"];

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookRequest)]
pub struct Request {
    /// An https URL with a public address.
    #[schema(value_type = TargetUrl)]
    url: String,
    /// Balance below which `balance.low` is sent, once per crossing; $1.00 if absent.
    #[serde(default)]
    balance_low_threshold: Option<Dollars>,
}

/// Where pushes go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct Reply {
    status: &'static str,
    /// Null while none is set.
    url: Option<String>,
    events: Vec<&'static str>,
    balance_low_threshold: Option<Dollars>,
    set_at: Option<Moment>,
    /// A fresh secret, shown this once, where the webhook is set and the secret of before was
    /// erased; null otherwise.
    webhook_secret: Option<String>,
    test: &'static str,
    deliveries: &'static str,
}

impl Reply {
    fn of(account: &Account) -> Self {
        let webhook = account.webhook.as_ref();
        Self {
            status: "ok",
            url: webhook.map(|webhook| webhook.url.to_string()),
            events: EVENTS.into(),
            balance_low_threshold: webhook.map(|webhook| Dollars(webhook.threshold)),
            set_at: webhook.map(|webhook| Moment(webhook.since)),
            webhook_secret: None,
            test: "/api/v1/webhook/test",
            deliveries: "/api/v1/webhook/deliveries",
        }
    }
}

/// Have events pushed to you: `sms.received`, `order.failed`, `balance.low`.
#[utoipa::path(
    put, path = "/webhook", operation_id = "setWebhook", tag = "webhooks", request_body = Request,
    responses((status = 200, description = "Where pushes go from here on", body = Reply))
)]
pub async fn set(
    State(app): State<Shared>,
    caller: Caller,
    Body(request): Body<Request>,
) -> ApiResult<Reply> {
    let settings = &app.service.config.webhooks;
    let url = target::parse(
        &request.url,
        Allowed { private: settings.allow_private_targets, ports: &settings.allowed_ports },
    );
    let url = url.map_err(|error| ApiError::of_field("url", format!("{error}.")))?.to_string();
    let threshold = request.balance_low_threshold.map_or(DEFAULT_THRESHOLD, |dollars| dollars.0);
    let at = app.service.clock.now();
    // A secret that was erased signs nothing: there is a fresh one before anything is pushed.
    let is_erased = app.service.accounts.read(caller.account).await?.state.is_secret_erased();
    let fresh = is_erased.then(|| fresh_secret(&app));
    if let Some(secret) = fresh.clone() {
        transact(&app, &caller, Command::RotateWebhookSecret { secret, at }).await?;
    }
    transact(&app, &caller, Command::SetWebhook { url, threshold, at }).await?;
    let Json(mut reply) = shown(&app, &caller).await?;
    reply.webhook_secret = fresh;
    Ok(Json(reply))
}

/// Where pushes go now.
#[utoipa::path(
    get, path = "/webhook", operation_id = "getWebhook", tag = "webhooks",
    responses((
        status = 200, description = "Where pushes go; a null url while none is set", body = Reply
    ))
)]
pub async fn get(State(app): State<Shared>, caller: Caller) -> ApiResult<Reply> {
    shown(&app, &caller).await
}

/// Have nothing pushed to you any more. Deliveries still under way end undelivered.
#[utoipa::path(delete, path = "/webhook", operation_id = "removeWebhook", tag = "webhooks",
    responses((status = 200, description = "No pushes any more", body = Reply)))]
pub async fn remove(State(app): State<Shared>, caller: Caller, NoBody: NoBody) -> ApiResult<Reply> {
    let at = app.service.clock.now();
    transact(&app, &caller, Command::RemoveWebhook { at }).await?;
    shown(&app, &caller).await
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub struct Tested {
    status: &'static str,
    /// The delivery's `webhook-id`.
    delivery_id: String,
    sequence: u64,
    deliveries: &'static str,
}

/// Send a `webhook.test` event, signed and retried like every other.
#[utoipa::path(
    post, path = "/webhook/test", operation_id = "testWebhook", tag = "webhooks",
    responses((
        status = 200, description = "The test is on its way; see how it fared under deliveries",
        body = Tested
    ))
)]
pub async fn test(State(app): State<Shared>, caller: Caller, NoBody: NoBody) -> ApiResult<Tested> {
    let at = app.service.clock.now();
    let events = transact(&app, &caller, Command::TestWebhook { at }).await?;
    let sequence = events.iter().find_map(|event| {
        if let Event::WebhookDue { sequence, .. } = event { Some(*sequence) } else { None }
    });
    let sequence = sequence.expect("a test that is not refused is due");
    let delivery_id = delivery_id(caller.account, sequence).to_string();
    Ok(Json(Tested {
        status: "ok",
        delivery_id,
        sequence,
        deliveries: "/api/v1/webhook/deliveries",
    }))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
pub struct Rotated {
    status: &'static str,
    /// Shown this once.
    webhook_secret: String,
    /// Until then every delivery is signed with both secrets.
    previous_valid_until: Moment,
}

/// Get a fresh webhook secret. For 24 hours deliveries carry the signatures of both.
#[utoipa::path(
    post, path = "/webhook/rotate-secret", operation_id = "rotateWebhookSecret", tag = "webhooks",
    responses((status = 200, description = "The new secret", body = Rotated))
)]
pub async fn rotate(
    State(app): State<Shared>,
    caller: Caller,
    NoBody: NoBody,
) -> ApiResult<Rotated> {
    let at = app.service.clock.now();
    let secret = fresh_secret(&app);
    transact(&app, &caller, Command::RotateWebhookSecret { secret: secret.clone(), at }).await?;
    Ok(Json(Rotated {
        status: "ok",
        webhook_secret: secret,
        previous_valid_until: Moment(at.plus(SECRETS_OVERLAP)),
    }))
}

fn fresh_secret(app: &Shared) -> String {
    format!("whsec_{}", STANDARD.encode(app.service.entropy.bytes::<32>()))
}

async fn transact(app: &Shared, caller: &Caller, command: Command) -> Result<Vec<Event>, ApiError> {
    let at = app.service.clock.now();
    Ok(app.service.accounts.transact(caller.account, command, Who::Owner, at).await?.events)
}

async fn shown(app: &Shared, caller: &Caller) -> ApiResult<Reply> {
    let published = app.service.accounts.read(caller.account).await?;
    Ok(Json(Reply::of(&published.state)))
}
