//! `POST /api/v1/verify`: order, wait and code in one call.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use events::order::State as Order;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::erased;
use crate::http::error::ApiError;
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::{Dollars, Moment, Whole};
use crate::http::livemode::scenario_of;
use crate::http::openapi_types::{CountryCode, PlatformName, ScenarioName};
use crate::http::order_reply::{Countdown, HeldMessage, Links, held_of, number_of};
use crate::http::ordering::{self, OrderRequest, code_of, ended_without_code};

/// The contract: `timeout_seconds` 1-300, default 120.
const DEFAULT_TIMEOUT_SECONDS: u64 = 120;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyRequest)]
pub struct Request {
    /// One of the platforms of `/services`; case does not matter.
    #[schema(value_type = PlatformName, example = "google")]
    platform: String,
    /// ISO 3166 alpha-2, or `UK`; US if absent.
    #[serde(default)]
    #[schema(value_type = Option<CountryCode>, example = "US")]
    country: Option<String>,
    /// The most you will pay, in dollars.
    #[serde(default)]
    max_price: Option<Dollars>,
    /// With a test key: what the order does; `code` if absent.
    #[serde(default)]
    #[schema(value_type = Option<ScenarioName>)]
    scenario: Option<String>,
    /// How long to wait for the code.
    #[serde(default)]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 300, default = 120)]
    timeout_seconds: Option<Whole<1, 300>>,
    /// What becomes of the order if no code has come by then.
    #[serde(default)]
    on_timeout: OnTimeout,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OnTimeout {
    /// It lives on; follow it by its links.
    #[default]
    Keep,
    /// It is cancelled, and its hold is given back.
    Cancel,
}

/// The code, or an order that lives on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verified)]
pub struct Reply {
    /// `ok` with a code; `timeout` without.
    status: &'static str,
    order_id: String,
    platform: &'static str,
    country: &'static str,
    phone: Option<String>,
    code: Option<String>,
    /// Full text of the message with the code.
    sms: Option<String>,
    /// Whether the code and its message were erased since: both are null.
    messages_erased: bool,
    /// Messages that the operator holds back, by what is in them: what came in place of a code.
    held: Vec<HeldMessage>,
    /// Whole seconds from the number to its message.
    delivery_seconds: Option<u64>,
    price: Dollars,
    /// What came back, where the order was cancelled at the timeout.
    refunded: Option<Dollars>,
    expires_in: Option<u64>,
    expires_at: Option<Moment>,
    can_cancel: bool,
    check_status: String,
    stream: String,
}

/// Order a number, wait for its SMS and return the code, in one call. Hanging up cancels nothing;
/// the same idempotency key resumes the wait.
#[utoipa::path(
    post, path = "/verify", operation_id = "verify", tag = "orders", request_body = Request,
    responses((
        status = 200, description = "The code; or `timeout`, and the order lives on", body = Reply
    ))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Keyed { body, key }: Keyed<Request>,
) -> Result<Answer<Reply>, ApiError> {
    let seconds = body.timeout_seconds.map_or(DEFAULT_TIMEOUT_SECONDS, |seconds| seconds.0);
    let wish = OrderRequest::parse(
        &body.platform,
        body.country.as_deref(),
        body.max_price,
        scenario_of(&caller, body.scenario.as_deref())?,
    )?;
    let _place = app.waiting.enter(caller.account)?;
    let (id, replayed) = app.service.orders.place(caller.account, wish.order(&app), key).await?;
    let order = ordering::until_end(&app, &caller, id, Duration::from_secs(seconds)).await?;
    let order = if !order.status.is_end() && body.on_timeout == OnTimeout::Cancel {
        cancelled(&app, &caller, &order).await?
    } else {
        order
    };
    let body =
        Reply::of(&app, &order, body.on_timeout).map_err(|error| error.replayed(replayed.0))?;
    Ok(Answer { body, replayed: replayed.0 })
}

/// The order after its caller's patience has ended; the code may still have come first.
async fn cancelled(app: &Shared, caller: &Caller, order: &Order) -> Result<Arc<Order>, ApiError> {
    // Whatever ended it meanwhile, the order says so itself.
    if let Err(actors::kernel::entity::TransactError::Fault(fault)) =
        app.service.orders.cancel(caller.account, order, None).await
    {
        return Err(fault.into());
    }
    crate::http::order_reply::find(app, caller, &order.id.to_string()).await
}

impl Reply {
    fn of(app: &Shared, order: &Order, on_timeout: OnTimeout) -> Result<Self, ApiError> {
        let code = code_of(order);
        let gave_up =
            order.status == events::order::Status::Cancelled && on_timeout == OnTimeout::Cancel;
        if order.status.is_end() && code.is_none() && !gave_up {
            return Err(ended_without_code(app, order));
        }
        let links = Links::of(order.id);
        let countdown = Countdown::of(&app.service.orders, order, app.service.clock.now());
        let is_open = !order.status.is_end();
        let sms = order.code_message().and_then(|sms| erased::told(&sms.text));
        Ok(Self {
            status: if code.is_some() { "ok" } else { "timeout" },
            order_id: order.id.to_string(),
            platform: order.placed.platform.slug(),
            country: order.placed.country.code(),
            phone: number_of(order),
            code: code.and_then(erased::told).map(ToOwned::to_owned),
            sms: sms.map(ToOwned::to_owned),
            messages_erased: erased::messages_of(order),
            held: held_of(order),
            delivery_seconds: order.delivery_millis().map(|millis| millis / 1_000),
            price: Dollars(order.placed.price),
            refunded: gave_up.then_some(Dollars(order.placed.price)),
            expires_in: countdown.expires_in,
            expires_at: countdown.expires_at,
            can_cancel: is_open,
            check_status: links.check_status,
            stream: links.stream,
        })
    }
}
