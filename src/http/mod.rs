//! The public API on one screen. Handlers translate; they decide nothing.

pub mod accept_refusal;
pub mod as_of;
pub mod auth;
pub mod client_address;
mod cursor;
mod deposit_reply;
mod documents;
pub mod erased;
mod error;
mod idempotency;
mod json;
mod key_uses;
pub mod limit;
mod livemode;
mod measured;
pub mod middleware;
mod openapi;
mod openapi_types;
mod order_message;
pub mod order_reply;
mod ordering;
mod owner;
mod problem;
mod proof_of_work;
pub mod registration;
pub mod request_id;
mod request_log;
pub mod route;
pub mod standby;
pub mod strict_json;
mod until;
mod waiting;
mod weights;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use actors::account::History;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::boot::Service;
use crate::config::Webhooks;
use crate::console::{self, Sessions};
pub use accept_refusal::refuse;
pub use auth::ApiKey;
pub use error::{ApiError, ErrorCode};
use key_uses::KeyUses;
use limit::Limiter;
pub use livemode::MEMBER as LIVEMODE;
use measured::Measured;
pub use middleware::Counted;
use proof_of_work::Challenges;
pub use route::health::TOLERATED_AHEAD;
pub use route::inbound::own;

pub use route::pages::GUIDE;
use waiting::WaitingRoom;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// More would only wait for the store's disk.
const LOOK_UPS: usize = 32;

/// What handlers share.
pub struct App {
    /// The service.
    pub service: Arc<Service>,
    /// Calls without a valid key, by address.
    pub per_ip: Limiter,
    /// Calls with one, by account.
    pub per_key: Limiter,
    /// Accounts opened, by address.
    pub registrations: Limiter,
    /// Accounts opened in all.
    pub all_registrations: Limiter,
    /// Challenges to those who open accounts.
    pub challenges: Challenges,
    /// Accounts that are looked for in the store at a time, because of keys that may be wrong.
    pub look_ups: Semaphore,
    /// Streams and long-polls, by account.
    pub waiting: WaitingRoom,
    /// Questions about the past.
    pub history: History,
    /// When keys were used.
    pub key_uses: KeyUses,
    /// How many requests there were, and how long they took.
    pub measured: Measured,
    /// True once the service is stopping: streams end.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    /// Around a service that runs until `stopping` turns true, with its configuration's limits.
    pub fn new(service: &Arc<Service>, stopping: watch::Receiver<bool>) -> Shared {
        let limits = service.config.limits;
        Arc::new(Self {
            service: Arc::clone(service),
            per_ip: Limiter::new(limits.per_ip_per_minute, MINUTE),
            per_key: Limiter::new(limits.per_key_per_minute, MINUTE),
            registrations: Limiter::new(limits.accounts_per_address(), HOUR),
            all_registrations: Limiter::new(limits.accounts_per_hour, HOUR),
            challenges: Challenges::new(
                service.entropy.bytes(),
                service.config.registration.proof_of_work_bits,
                Duration::from_secs(service.config.registration.challenge_seconds.into()),
            ),
            look_ups: Semaphore::new(LOOK_UPS),
            waiting: WaitingRoom::default(),
            history: service.history.clone(),
            key_uses: KeyUses::default(),
            measured: Measured::default(),
            stopping,
        })
    }

    /// The time of the limits: since the start, whatever becomes of the wall clock.
    pub fn now(&self) -> Duration {
        self.service.started.elapsed()
    }

    /// Returns once the service is stopping.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that whoever could stop the service is gone: it is stopping.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// What axum hands to handlers.
pub type Shared = Arc<App>;

/// The API: each route with the documentation of its handler.
fn api() -> OpenApiRouter<Shared> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(route::register::handle))
        .routes(routes!(route::register_challenge::handle))
        .routes(routes!(route::availability::handle))
        .routes(routes!(route::health::handle))
        .routes(routes!(route::deposit_addresses::handle))
        .routes(routes!(route::deposit_addresses::qr))
        .routes(routes!(route::deposit_verify::handle))
        .routes(routes!(route::deposits::handle))
        .routes(routes!(route::order::handle))
        .routes(routes!(route::verify::handle))
        .routes(routes!(route::agent::handle))
        .routes(routes!(route::batch::handle))
        .routes(routes!(route::orders::handle))
        .routes(routes!(route::order_id::handle))
        .routes(routes!(route::order_events::handle))
        .routes(routes!(route::order_stream::handle))
        .routes(routes!(route::order_cancel::handle))
        .routes(routes!(route::order_finish::handle))
        .routes(routes!(route::order_report::handle))
        .routes(routes!(route::account::handle))
        .routes(routes!(route::account_ledger::handle))
        .routes(routes!(route::account_export::handle))
        .routes(routes!(route::idempotency::handle))
        .routes(routes!(route::keys::create, route::keys::list))
        .routes(routes!(route::keys::remove))
        .routes(routes!(route::usage::handle))
        .routes(routes!(route::webhook::get, route::webhook::set, route::webhook::remove))
        .routes(routes!(route::webhook::test))
        .routes(routes!(route::webhook::rotate))
        .routes(routes!(route::webhook_deliveries::list))
        .routes(routes!(route::webhook_deliveries::redeliver_since))
        .routes(routes!(route::webhook_deliveries::redeliver));
    let services = OpenApiRouter::new()
        .routes(routes!(route::services::handle))
        .layer(from_fn(documents::serve));
    OpenApiRouter::new().nest("/api/v1", v1.merge(services))
}

/// Where the tools for agents are.
const MCP_PATH: &str = "/mcp";

/// The OpenAPI document of the API, as a service that is not configured shows it.
pub fn document() -> Value {
    document_of(&Webhooks::default())
}

/// The OpenAPI document of the API with these webhooks.
fn document_of(webhooks: &Webhooks) -> Value {
    openapi::complete(api().split_for_parts().1, webhooks)
}

/// The routes: the API, the inbound webhooks of suppliers, and what describes it all.
pub fn router(app: &Shared, sessions: Arc<Sessions>) -> Router {
    let (api, described) = api().split_for_parts();
    let document = openapi::complete(described, &app.service.config.webhooks);
    let api = api
        .route("/inbound/v1/{supplier}", post(route::inbound::handle))
        .route("/.well-known/security.txt", get(route::security_txt::handle))
        .route(route::health::LIVE, get(route::health::live))
        .route(route::health::READY, get(route::health::ready));
    let plain = api.merge(route::pages::router(route::pages::Pages::of(&document)));
    let tools = route::mcp::router(app, guarded(plain.clone(), app), &document);
    // Pages are no part of the API: who comes in by a cookie is no caller with a key.
    let pages = console::landing(app).merge(console::owners(app, sessions));
    pages.fallback_service(guarded(plain.merge(tools), app)).layer(from_fn(console::html_not_found))
}

/// The API as the console of owners calls it: on behalf of a caller whom it has let in and counted,
/// who stands among the request's extensions.
pub fn inner(app: &Shared) -> Router {
    api().split_for_parts().0.with_state(Arc::clone(app))
}

/// The error object of an answer that the middleware has not written out yet.
pub fn said(response: &Response) -> Option<Value> {
    response
        .extensions()
        .get::<error::Unwritten>()
        .map(|error::Unwritten(error)| error.object("req_none"))
}

/// The routes, each behind the middleware.
fn guarded(routes: Router<Shared>, app: &Shared) -> Router {
    routes
        .fallback(route::fallback::unknown_path)
        .method_not_allowed_fallback(route::fallback::wrong_method)
        .layer(from_fn_with_state(Arc::clone(app), middleware::pass))
        .with_state(Arc::clone(app))
}
