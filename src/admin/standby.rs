//! The operator's listener of a node that stands by: what it sees of the shared log, and metrics.
//! Everything else is asked of the node that leads.

use std::path::Path;
use std::sync::Arc;

use actors::kernel::clock::Stopwatch;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::access::{Access, AdminTokens};
use super::measurements::measure_node;
use super::{PREFIX, Refusal, access, refused};
use crate::config::Config;
use crate::node::Sight;
use crate::serve::serve;
use crate::telemetry;

/// What the routes share.
#[derive(Clone)]
struct StandbyApi {
    sight: watch::Receiver<Sight>,
    metrics: PrometheusHandle,
    started: Stopwatch,
}

/// Serves it on its listener until `stopping` turns true.
pub fn open(
    config: &Config,
    data_dir: &Path,
    listener: TcpListener,
    metrics: PrometheusHandle,
    sight: watch::Receiver<Sight>,
    stopping: watch::Receiver<bool>,
) -> Result<(), String> {
    let keys = Arc::new(AdminTokens::of(&config.admin, data_dir)?);
    let api = StandbyApi { sight, metrics, started: Stopwatch::start() };
    let guarded = Router::new()
        .route(&format!("{PREFIX}/node"), get(show))
        .route(&format!("{PREFIX}/node/step-down"), post(step_down))
        .fallback(elsewhere)
        .layer(middleware::from_fn_with_state(Arc::clone(&keys), access::with_token));
    let routes = Router::new()
        .route("/metrics", get(render))
        .merge(guarded)
        .layer(middleware::from_fn_with_state(keys, access::by_known_name))
        .layer(middleware::from_fn(access::in_full))
        .with_state(api);
    let bounds = config.http.listener(access::words());
    tokio::spawn(serve(listener, routes, bounds, stopping));
    Ok(())
}

async fn render(State(api): State<StandbyApi>) -> String {
    {
        let sight = api.sight.borrow();
        let (sees, is_fit) = (sight.trouble.is_none(), sight.hindrance.is_none());
        measure_node(false, sees, sees && is_fit, sight.silent);
        metrics::gauge!("store_head_position").set(telemetry::number(sight.copy));
    }
    telemetry::process::measure(api.started.elapsed());
    telemetry::with_prefix(&api.metrics.render())
}

async fn show(State(api): State<StandbyApi>, _: Access) -> Json<Value> {
    let sight = api.sight.borrow();
    let leader = sight.lead.as_ref().map(|lead| {
        json!({
            "node": lead.leader.node, "url": lead.leader.url, "version": lead.leader.version,
            "term": lead.term.to_string(), "leads": sight.leader().is_some(),
            "stopped": lead.is_released, "silent_seconds": sight.silent.as_secs_f32(),
        })
    });
    let trouble = sight
        .trouble
        .as_ref()
        .map(|trouble| json!({ "kind": trouble.name(), "text": trouble.text() }));
    Json(json!({
        "role": "standby", "node": sight.node, "position": sight.copy,
        "follows": sight.trouble.is_none(), "trouble": trouble, "leader": leader,
        "hindrance": sight.hindrance,
    }))
}

async fn step_down(State(api): State<StandbyApi>, _: Access) -> Refusal {
    refused(StatusCode::CONFLICT, format!("this node stands by, and {}", who(&api.sight.borrow())))
}

async fn elsewhere(State(api): State<StandbyApi>) -> Refusal {
    let text = format!(
        "this node stands by; operators ask the one that leads: {}",
        who(&api.sight.borrow())
    );
    refused(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// Who leads, in words.
fn who(sight: &Sight) -> String {
    match sight.leader() {
        Some(lead) => format!("{} {} leads", lead.leader.node, lead.leader.url),
        None => "nobody leads that it can see".to_owned(),
    }
}
