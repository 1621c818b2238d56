//! The operator's door: accounts and metrics, on an address of its own, with a token of its own.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::get;
use axum::{Json, Router};
use events::id::{AccountId, to_base62};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::Views;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use actors::numbers::Numbers;
use actors::store::EventStore;
use suppliers::smpp::Smpp;

use crate::boot::Service;
use crate::config;
use crate::console;
use crate::feed::{chain_of, reach_head};
use crate::http::ApiError;
use crate::http::limit::Limiter;
use crate::serve::serve;
use crate::telemetry;
use suppliers::configuration::Secret;

pub mod access;
mod accounts;
mod deliveries;
mod deposits;
mod document;
mod keys;
mod log;
mod masks;
mod messages;
mod numbers;
mod orders;
mod overview;
mod purchases;
mod reports;
mod reveal;

pub use accounts::Order;
pub use masks::HIDDEN;
pub use numbers::{Import, Retire, Row};
pub use purchases::{Buy, GiveBack, Sync};

/// Where the command line finds the running service.
const ADDRESS_FILE: &str = "admin.addr";
const TOKEN_FILE: &str = "admin.token";
const DEFAULT_PORT: u16 = 8081;

/// What the routes share.
pub struct Door {
    pub service: Arc<Service>,
    /// Where the log is.
    pub data_dir: PathBuf,
    token: Secret,
    /// Wrong tokens, by address.
    wrong_tokens: Limiter,
    metrics: PrometheusHandle,
    /// True once the service is stopping: streams end.
    pub stopping: watch::Receiver<bool>,
    /// The audit that runs, or the last one.
    verification: log::Verification,
}

type Refusal = (StatusCode, Json<Value>);

impl Door {
    /// Whether this is the fingerprint of the shared token, as the console's sessions keep it.
    pub fn is_shared_token(&self, fingerprint: &str) -> bool {
        console::fingerprint(self.token.expose()) == fingerprint
    }
}

/// Opens the door and serves it until `stopping` turns true: where it is, and its end. An error
/// says in words why it cannot.
pub async fn open(
    service: &Arc<Service>,
    data_dir: &Path,
    metrics: PrometheusHandle,
    stopping: watch::Receiver<bool>,
) -> Result<(SocketAddr, JoinHandle<()>), String> {
    let failed = |error: std::io::Error| format!("cannot open the admin door: {error}");
    let settings = &service.config.admin;
    let listener = bind(settings, data_dir).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let token = token(settings, data_dir, || u128::from_be_bytes(service.entropy.bytes()))
        .map_err(failed)?;
    if !config::is_token(token.expose()) {
        return Err(format!(
            "the token in {TOKEN_FILE} has less than 24 characters of ASCII: remove the file, and \
             a new one is made"
        ));
    }
    let bounds = service.config.http.listener(access::words(service));
    let door = Arc::new(Door {
        service: Arc::clone(service),
        data_dir: data_dir.to_owned(),
        token,
        wrong_tokens: access::wrong_tokens(),
        metrics,
        stopping: stopping.clone(),
        verification: log::Verification::default(),
    });
    let pages = console::operators(&door)
        .layer(middleware::from_fn_with_state(Arc::clone(&door), access::by_known_name));
    // Of two routers that have no fallback of their own the second's answers: the error object, for
    // whatever is no path here.
    let all = pages.merge(router(&door));
    Ok((address, tokio::spawn(serve(listener, all, bounds, stopping))))
}

/// Binds where it was told to, or else at its usual port, or else at any.
async fn bind(settings: &config::Admin, data_dir: &Path) -> std::io::Result<TcpListener> {
    let listener = match settings.listen {
        Some(listen) => TcpListener::bind(listen).await?,
        None => match TcpListener::bind((Ipv4Addr::LOCALHOST, DEFAULT_PORT)).await {
            Ok(listener) => listener,
            // Another service has it: this one was not told a port, so any will do.
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        },
    };
    std::fs::write(data_dir.join(ADDRESS_FILE), listener.local_addr()?.to_string())?;
    Ok(listener)
}

/// The token of the config, or the one in the data directory, made now if there is none.
pub fn token(
    settings: &config::Admin,
    data_dir: &Path,
    fresh: impl FnOnce() -> u128,
) -> std::io::Result<Secret> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    if let Some(token) = &settings.token {
        return Ok(token.clone());
    }
    let path = data_dir.join(TOKEN_FILE);
    if let Ok(token) = std::fs::read_to_string(&path)
        && !token.trim().is_empty()
    {
        return Ok(Secret::new(token.trim().to_owned()));
    }
    let token = format!("tna_{}", to_base62(fresh()));
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(token.as_bytes())?;
    Ok(Secret::new(token))
}

/// Where the service on `data_dir` has its door.
pub fn address(settings: &config::Admin, data_dir: &Path) -> Option<SocketAddr> {
    let written: Option<SocketAddr> = std::fs::read_to_string(address_path(data_dir))
        .ok()
        .and_then(|text| text.trim().parse().ok());
    written.or(settings.listen)
}

fn address_path(data_dir: &Path) -> PathBuf {
    data_dir.join(ADDRESS_FILE)
}

/// Where the routes are.
pub const PREFIX: &str = "/admin/v1";

/// Every route behind the token, with its documentation.
fn routes() -> OpenApiRouter<Arc<Door>> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(overview::overview))
        .routes(routes!(overview::usage))
        .routes(routes!(overview::suppliers))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::show))
        .routes(routes!(accounts::ledger))
        .routes(routes!(accounts::keys))
        .routes(routes!(accounts::credit))
        .routes(routes!(accounts::debit))
        .routes(routes!(accounts::suspend))
        .routes(routes!(accounts::reinstate))
        .routes(routes!(keys::rotate))
        .routes(routes!(orders::list))
        .routes(routes!(orders::show))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::receivers))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::redeliver))
        .routes(routes!(deposits::of_concern))
        .routes(routes!(reports::reports))
        .routes(routes!(numbers::states))
        .routes(routes!(messages::strays))
        .routes(routes!(messages::show))
        .routes(routes!(numbers::import))
        .routes(routes!(numbers::retire))
        .routes(routes!(purchases::search))
        .routes(routes!(purchases::buy))
        .routes(routes!(purchases::give_back))
        .routes(routes!(purchases::sync))
        .routes(routes!(reveal::reveal))
        .routes(routes!(log::events))
        .routes(routes!(log::export))
        .routes(routes!(log::verification, log::verify));
    OpenApiRouter::new().nest(PREFIX, v1)
}

/// The OpenAPI document of the operator's API.
#[cfg(test)]
pub fn document() -> Value {
    document::complete(routes().split_for_parts().1)
}

/// The routes as the console calls them: on behalf of an operator whom it has let in, whose
/// `Access` stands among the request's extensions.
pub fn inner(door: &Arc<Door>) -> Router {
    routes().split_for_parts().0.with_state(Arc::clone(door))
}

/// The routes.
fn router(door: &Arc<Door>) -> Router {
    let (guarded, described) = routes().split_for_parts();
    let document = document::complete(described).to_string();
    let guarded =
        guarded.layer(middleware::from_fn_with_state(Arc::clone(door), access::with_token));
    let openapi = move || async move { ([(CONTENT_TYPE, "application/json")], document) };
    Router::new()
        .merge(guarded)
        .route("/admin/v1/openapi.json", get(openapi))
        .route("/metrics", get(render))
        .layer(middleware::from_fn_with_state(Arc::clone(door), access::by_known_name))
        .layer(middleware::from_fn_with_state(Arc::clone(door), access::in_full))
        .with_state(Arc::clone(door))
}

async fn render(State(door): State<Arc<Door>>) -> String {
    let service = &door.service;
    let (events, syncs) = service.store.events_and_syncs();
    let head = service.store.head().borrow().0;
    let reached = service.views.checkpoint().borrow().0;
    let gauge = |name: &'static str, value: u64| {
        metrics::gauge!(name).set(u32::try_from(value).map_or(f64::MAX, f64::from));
    };
    metrics::counter!("store_events_total").absolute(events);
    metrics::counter!("store_syncs_total").absolute(syncs);
    metrics::counter!("store_snapshots_ignored_total").absolute(service.store.snapshots_ignored());
    metrics::counter!("store_damaged_reads_total").absolute(service.store.damaged_reads());
    metrics::gauge!("store_takes_appends").set(f64::from(u8::from(service.store.takes_appends())));
    gauge("store_head_position", head);
    let bytes =
        |name: &'static str, value: u64| metrics::gauge!(name).set(telemetry::number(value));
    let room = service.store.room();
    bytes("store_wal_bytes", service.store.wal_bytes());
    bytes("store_disk_reserve_bytes", room.reserve);
    room.free.into_iter().for_each(|free| bytes("store_disk_free_bytes", free));
    gauge("projection_lag_events", head.saturating_sub(reached));
    gauge("accounts_in_memory", service.accounts.in_memory() as u64);
    gauge("orders_open", service.orders.running() as u64);
    gauge("orders_listening", service.orders.listening() as u64);
    gauge("numbers_leased", service.router.leased() as u64);
    gauge("numbers_listening", service.router.listening() as u64);
    let now = service.clock.now();
    for supplier in service.router.suppliers() {
        let name = supplier.name();
        metrics::gauge!("supplier_cut_off", "supplier" => name.to_string())
            .set(f64::from(u8::from(service.router.is_cut_off(name))));
        if let Some(rate) = service.router.success_rate(name, now) {
            metrics::gauge!("supplier_success_ratio", "supplier" => name.to_string()).set(rate);
        }
        let Some(Numbers { known, leased, listening, resting }) = supplier.numbers(now) else {
            continue;
        };
        for (state, count) in [
            ("leased", leased),
            ("listening", listening),
            ("resting", resting),
            ("free", known - leased - listening - resting),
        ] {
            let gauge = metrics::gauge!("supplier_numbers", "supplier" => name.to_string(), "state" => state);
            gauge.set(u32::try_from(count).map_or(f64::MAX, f64::from));
        }
    }
    for load in service.webhooks.loads() {
        for (state, count) in [("under_way", load.under_way), ("waiting", load.waiting)] {
            let gauge =
                metrics::gauge!("webhook_attempts", "receivers" => load.lane, "state" => state);
            gauge.set(u32::try_from(count).map_or(f64::MAX, f64::from));
        }
    }
    for pull in &service.pulls {
        let gauge = metrics::gauge!("supplier_leases_open", "supplier" => pull.name().to_string());
        gauge.set(u32::try_from(pull.kept()).map_or(f64::MAX, f64::from));
    }
    for bind in service.smpp.get().map(Smpp::statuses).unwrap_or_default() {
        metrics::gauge!("smpp_bound", "smsc" => bind.address).set(f64::from(u8::from(bind.bound)));
    }
    metrics::gauge!("clock_log_ahead_seconds").set(service.clock.ahead().as_secs_f64());
    let past = service.history.statistics();
    metrics::counter!("replayed_events_total").absolute(past.events.load(Ordering::Relaxed));
    metrics::counter!("replays_refused_total").absolute(past.refused.load(Ordering::Relaxed));
    deposits::measure(service);
    if let Ok(backlog) = service.views.deliveries_open().await {
        gauge("webhook_backlog", backlog);
    }
    telemetry::process::measure(service.started.elapsed());
    telemetry::with_prefix(&door.metrics.render())
}

fn account(text: &str) -> Result<AccountId, Refusal> {
    text.parse().map_err(|_| {
        refused(
            StatusCode::BAD_REQUEST,
            format!("{text} is not an account id (acc_ and 22 characters)"),
        )
    })
}

/// The world failed; nothing the operator asked for is wrong.
fn failed(error: &dyn Error) -> Refusal {
    refused(StatusCode::INTERNAL_SERVER_ERROR, chain_of(error))
}

/// The views, with everything that is in the log now.
async fn reached(service: &Service) -> Result<&Views, Refusal> {
    reach_head(&service.views, &service.store.head()).await.map_err(|error| failed(&error))?;
    Ok(&service.views)
}

/// What a part of the public API refuses.
fn api_refused(error: ApiError) -> Refusal {
    let text = error.object("")["error"].as_str().unwrap_or_default().to_owned();
    refused(error.status(), text)
}

/// Entries of a page: 50 unless asked otherwise.
fn page_limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(50).clamp(1, 500)
}

/// Leaves `limit` of rows of which one more was asked for; the last that stays, if there is a page
/// after it.
fn cut<T>(rows: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| is_more)
}

fn refused(status: StatusCode, text: String) -> Refusal {
    (status, Json(json!({ "error": text })))
}
