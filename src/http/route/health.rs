//! `GET /api/v1/health`: how each part is. Says nothing about accounts.

use std::sync::Arc;
use std::time::Duration;

use actors::Deposits;
use actors::deposit::Coin;
use actors::numbers::Supplier;
use axum::Json;
use axum::extract::State;
use events::deposit::SIMULATED;
use events::time::Timestamp;
use serde_json::{Value, json};

use actors::store::EventStore;

use crate::http::Shared;
use crate::http::error::{ApiError, ErrorCode};

/// Events the views may be behind before that counts as trouble: a second's worth at full load.
const TOLERATED_LAG: u64 = 50_000;
/// A deposit's step may fail for so long: endpoints and rates come back by themselves.
const TOLERATED_FAILURE: Duration = Duration::from_mins(5);

/// The log's time may be ahead of the machine's clock by so much: clocks are corrected by seconds
/// all the time.
pub const TOLERATED_AHEAD: Duration = Duration::from_secs(5);

/// How each part of the service is. Says nothing about accounts.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "service",
    responses((status = 200, description = "`ok` or `degraded`, part by part", body = Object)))]
pub async fn handle(State(app): State<Shared>) -> Json<Value> {
    Json(report(&app))
}

/// How the store is while new orders and accounts wait for room on its disk.
const LOW: &str = "low on disk";
/// Where load balancers ask whether the process runs.
pub const LIVE: &str = "/livez";
/// Where they ask whether it can serve.
pub const READY: &str = "/readyz";

/// It runs.
pub async fn live() -> &'static str {
    "ok"
}

/// It can serve: the log takes what happens, and the views follow it. Sources and chains that are
/// not reached are no reason to send callers elsewhere, nor is a disk that has room only for what
/// is under way.
pub async fn ready(State(app): State<Shared>) -> Result<&'static str, ApiError> {
    let report = report(&app);
    let store_goes_on = ["ok", LOW].iter().any(|status| report["store"]["status"] == **status);
    let is_ready =
        store_goes_on && report["projections"]["status"] == "ok" && !*app.stopping.borrow();
    let unready = || {
        ApiError::new(ErrorCode::ProviderUnavailable, "The service is not ready.").retry_after(1)
    };
    is_ready.then_some("ok").ok_or_else(unready)
}

fn report(app: &Shared) -> Value {
    let service = &app.service;
    let head = service.store.head().borrow().0;
    let reached = service.views.checkpoint().borrow().0;
    let lag = head.saturating_sub(reached);
    let stopped = service.views_stopped.lock().is_some();
    let views_ok = !stopped && lag <= TOLERATED_LAG;
    let now = service.clock.now();
    let supplier = |supplier: &Arc<dyn Supplier>| {
        let name = supplier.name();
        let status = if !supplier.is_reached() || service.router.is_cut_off(name) {
            "unreachable"
        } else {
            "ok"
        };
        json!({
            "name": name.as_str(), "status": status, "simulated": supplier.is_simulated(),
            "success_rate": service.router.success_rate(name, now),
        })
    };
    let suppliers: Vec<Value> = service.router.suppliers().map(supplier).collect();
    let suppliers_ok =
        !suppliers.is_empty() && suppliers.iter().all(|supplier| supplier["status"] == "ok");
    let chains = service
        .deposits
        .as_ref()
        .map_or_else(Vec::new, |deposits| chains(deposits, service.clock.now()));
    let steps_failing =
        service.deposits.as_ref().map_or(0, |deposits| deposits.failing_for(TOLERATED_FAILURE));
    let chains_ok = steps_failing == 0 && chains.iter().all(|chain| chain["status"] == "ok");
    let views_status = if stopped {
        "stopped"
    } else if views_ok {
        "ok"
    } else {
        "behind"
    };
    let room = service.store.room();
    let megabytes = |bytes: u64| bytes >> 20;
    let takes_appends = service.takes_appends();
    let store_ok = takes_appends && !room.is_low;
    // What is signed and stamped elsewhere is judged by the machine's clock; what is shown and
    // recorded here is not.
    let ahead = service.clock.ahead();
    let clock_ok = ahead <= TOLERATED_AHEAD;
    // Reads, cancels, refunds and codes go on from the reserve; new orders and accounts wait for
    // room.
    let store_status = match (room.is_low, takes_appends) {
        (true, _) => LOW,
        (false, true) => "ok",
        (false, false) => "failing",
    };
    let is_ok = store_ok && clock_ok && views_ok && chains_ok && suppliers_ok;
    json!({
        "status": if is_ok { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": service.started.elapsed().as_secs(),
        "store": {
            "status": store_status, "position": head,
            "disk": { "free_mb": room.free.map(megabytes), "reserve_mb": megabytes(room.reserve) },
        },
        "clock": {
            "status": if clock_ok { "ok" } else { "behind the log" },
            "log_ahead_seconds": ahead.as_secs(),
        },
        "projections": { "status": views_status, "position": reached, "lag_events": lag },
        "suppliers": suppliers,
        "chains": chains,
        "deposits": {
            "status": if steps_failing == 0 { "ok" } else { "failing" },
            "steps_failing": steps_failing,
        },
    })
}

fn chains(deposits: &Deposits, now: Timestamp) -> Vec<Value> {
    if deposits.is_simulated() {
        let note = "Simulated: any transaction hash is credited $10. No real money is involved.";
        return vec![json!({ "name": SIMULATED, "status": "ok", "simulated": true, "note": note })];
    }
    let chain = |coin: &Arc<Coin>| {
        let status = coin.status();
        let is_reached = status.error.is_none() && status.tip.is_some();
        json!({
            "name": coin.currency().name(),
            // Where it is asked and what went wrong there is for the operator's eyes.
            "status": if is_reached { "ok" } else { "unreachable" },
            "simulated": false,
            "height": status.tip.as_ref().map(|tip| tip.block.height),
            "scanned_height": status.scanned,
            "lag_blocks": status.lag(),
            "answered_seconds_ago": status.answered_at.map(|at| now.since(at).as_secs()),
        })
    };
    deposits.coins().map(chain).collect()
}
