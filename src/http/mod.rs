//! The public door: the whole API on one screen. Handlers translate; they decide nothing.

mod auth;
mod error;
mod gate;
mod json;
pub mod limit;
mod order_reply;
mod route;
pub mod serve;
mod waiting;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use tokio::sync::watch;

use crate::boot::Service;
pub use auth::ApiKey;
use limit::Limiter;
pub use waiting::WaitingRoom;

/// What handlers share.
pub struct App {
    /// The service.
    pub service: Arc<Service>,
    /// Calls without a valid key, by address.
    pub per_ip: Limiter,
    /// Calls with one, by account.
    pub per_key: Limiter,
    /// Streams and long-polls, by account.
    pub waiting: WaitingRoom,
    /// True once the service is stopping: streams end.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    /// Returns once the service is stopping.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that whoever could stop the service is gone: it is stopping.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// What axum hands to handlers.
pub type Shared = Arc<App>;

/// The routes.
pub fn router(app: &Shared) -> Router {
    let api = Router::new()
        .route("/register", post(route::register::handle))
        .route("/services", get(route::services::handle))
        .route("/availability", get(route::availability::handle))
        .route("/health", get(route::health::handle))
        .route("/deposit/addresses", get(route::deposit_addresses::handle))
        .route("/deposit/verify", post(route::deposit_verify::handle))
        .route("/order", post(route::order::handle))
        .route("/order/{id}", get(route::order_id::handle))
        .route("/order/{id}/stream", get(route::order_stream::handle))
        .route("/order/{id}/cancel", post(route::order_cancel::handle))
        .route("/account", get(route::account::handle))
        .route("/usage", get(route::usage::handle));
    Router::new()
        .nest("/api/v1", api)
        .route("/inbound/v1/{supplier}", post(route::inbound::handle))
        .fallback(route::fallback::unknown_path)
        .method_not_allowed_fallback(route::fallback::wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), gate::pass))
        .with_state(Arc::clone(app))
}
