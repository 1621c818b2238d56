//! `GET /api/v1/health`: how each part is. Says nothing about accounts.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use actors::store::EventStore;

use crate::http::Shared;

/// Events the views may be behind before that counts as trouble: a second's worth at full load.
const TOLERATED_LAG: u64 = 50_000;

/// How each part of the service is. Says nothing about accounts.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "service",
    responses((status = 200, description = "`ok` or `degraded`, part by part", body = Object)))]
pub async fn handle(State(app): State<Shared>) -> Json<Value> {
    let service = &app.service;
    let head = service.store.head().borrow().0;
    let reached = service.views.checkpoint().borrow().0;
    let lag = head.saturating_sub(reached);
    let stopped = service.views_stopped.lock().is_some();
    let views_ok = !stopped && lag <= TOLERATED_LAG;
    let suppliers: Vec<Value> = service
        .router
        .suppliers()
        .iter()
        .map(|supplier| json!({ "name": supplier.name().as_str(), "status": "ok", "simulated": supplier.is_simulated() }))
        .collect();
    let chains: Vec<Value> = service.deposits.iter().map(|deposits| chain(deposits.chain().as_ref())).collect();
    let views_status = if stopped {
        "stopped"
    } else if views_ok {
        "ok"
    } else {
        "behind"
    };
    Json(json!({
        "status": if views_ok && !suppliers.is_empty() { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": service.started.elapsed().as_secs(),
        "store": { "status": "ok", "position": head },
        "projections": { "status": views_status, "position": reached, "lag_events": lag },
        "suppliers": suppliers,
        "chains": chains,
    }))
}

fn chain(chain: &dyn actors::chain::Chain) -> Value {
    let mut part = json!({ "name": chain.name(), "status": "ok", "simulated": chain.is_simulated() });
    if chain.is_simulated() {
        part["note"] = json!("Simulated: any transaction hash is credited $10. No real money is involved.");
    }
    part
}
