//! The operator's door: accounts and metrics, on an address of its own, with a token of its own.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path as PathParameter, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};
use axum::{Json, Router};
use events::account::idempotency::{Effect, KeyUse};
use events::account::{Command, Standing};
use events::id::{AccountId, to_base62};
use events::money::Money;
use events::time::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use projections::Views;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use actors::account::AccessError;
use actors::kernel::entity::TransactError;
use actors::numbers::Numbers;
use actors::store::EventStore;
use suppliers::smpp::Smpp;

use crate::boot::Service;
use crate::config;
use crate::feed::{chain_of, reach_head};
use crate::http::limit::Limiter;
use crate::serve::serve;
use crate::telemetry;
use suppliers::configuration::Secret;

mod access;
mod deposits;
mod keys;
mod messages;
mod numbers;
mod purchases;
mod reports;

pub use numbers::{Import, Retire, Row};
pub use purchases::{Buy, GiveBack, Sync};

/// Where the command line finds the running service.
const ADDRESS_FILE: &str = "admin.addr";
const TOKEN_FILE: &str = "admin.token";
const DEFAULT_PORT: u16 = 8081;

/// What an operator wants of an account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Dollars as text, for a credit or a debit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// For a debit: whether it may take more than can be spent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_overdraw: bool,
    /// For a credit or a debit: the same key moves money once, however often it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

struct Door {
    service: Arc<Service>,
    token: Secret,
    /// Wrong tokens, by address.
    wrong_tokens: Limiter,
    metrics: PrometheusHandle,
}

type Refusal = (StatusCode, Json<Value>);

/// Opens the door and serves it until `stopping` turns true: where it is, and its end. An error says in words why it cannot.
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
    let token = token(settings, data_dir, || u128::from_be_bytes(service.entropy.bytes())).map_err(failed)?;
    if !config::is_token(token.expose()) {
        return Err(format!("the token in {TOKEN_FILE} has less than 24 characters of ASCII: remove the file, and a new one is made"));
    }
    let bounds = service.config.http.listener(access::words(service));
    Ok((address, tokio::spawn(serve(listener, router(Arc::clone(service), token, metrics), bounds, stopping))))
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
pub fn token(settings: &config::Admin, data_dir: &Path, fresh: impl FnOnce() -> u128) -> std::io::Result<Secret> {
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
    let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(token.as_bytes())?;
    Ok(Secret::new(token))
}

/// Where the service on `data_dir` has its door.
pub fn address(settings: &config::Admin, data_dir: &Path) -> Option<SocketAddr> {
    let written: Option<SocketAddr> = std::fs::read_to_string(address_path(data_dir)).ok().and_then(|text| text.trim().parse().ok());
    written.or(settings.listen)
}

fn address_path(data_dir: &Path) -> PathBuf {
    data_dir.join(ADDRESS_FILE)
}

/// The routes.
fn router(service: Arc<Service>, token: Secret, metrics: PrometheusHandle) -> Router {
    let door = Arc::new(Door { service, token, wrong_tokens: access::wrong_tokens(), metrics });
    let guarded = Router::new()
        .route("/accounts/{id}", get(show))
        .route("/accounts/{id}/credit", post(credit))
        .route("/accounts/{id}/debit", post(debit))
        .route("/accounts/{id}/suspend", post(suspend))
        .route("/accounts/{id}/rotate-key", post(keys::rotate))
        .route("/accounts/{id}/reinstate", post(reinstate))
        .route("/deposits", get(deposits::of_concern))
        .route("/reports", get(reports::reports))
        .route("/numbers", get(numbers::states))
        .route("/numbers/messages", get(messages::strays))
        .route("/numbers/import", post(numbers::import))
        .route("/numbers/retire", post(numbers::retire))
        .route("/numbers/search", get(purchases::search))
        .route("/numbers/buy", post(purchases::buy))
        .route("/numbers/release", post(purchases::give_back))
        .route("/numbers/sync", post(purchases::sync))
        .layer(middleware::from_fn_with_state(Arc::clone(&door), access::with_token));
    Router::new()
        .nest("/admin/v1", guarded)
        .route("/metrics", get(render))
        .layer(middleware::from_fn_with_state(Arc::clone(&door), access::by_known_name))
        .layer(middleware::from_fn_with_state(Arc::clone(&door), access::in_full))
        .with_state(door)
}

async fn render(State(door): State<Arc<Door>>) -> String {
    let service = &door.service;
    let (events, syncs) = service.store.events_and_syncs();
    let head = service.store.head().borrow().0;
    let reached = service.views.checkpoint().borrow().0;
    let gauge = |name: &'static str, value: u64| metrics::gauge!(name).set(u32::try_from(value).map_or(f64::MAX, f64::from));
    metrics::counter!("store_events_total").absolute(events);
    metrics::counter!("store_syncs_total").absolute(syncs);
    metrics::counter!("store_snapshots_ignored_total").absolute(service.store.snapshots_ignored());
    metrics::counter!("store_damaged_reads_total").absolute(service.store.damaged_reads());
    metrics::gauge!("store_takes_appends").set(f64::from(u8::from(service.store.takes_appends())));
    gauge("store_head_position", head);
    let bytes = |name: &'static str, value: u64| metrics::gauge!(name).set(telemetry::number(value));
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
        metrics::gauge!("supplier_cut_off", "supplier" => name.to_string()).set(f64::from(u8::from(service.router.is_cut_off(name))));
        if let Some(rate) = service.router.success_rate(name, now) {
            metrics::gauge!("supplier_success_ratio", "supplier" => name.to_string()).set(rate);
        }
        let Some(Numbers { known, leased, listening, resting }) = supplier.numbers(now) else { continue };
        for (state, count) in [("leased", leased), ("listening", listening), ("resting", resting), ("free", known - leased - listening - resting)] {
            let gauge = metrics::gauge!("supplier_numbers", "supplier" => name.to_string(), "state" => state);
            gauge.set(u32::try_from(count).map_or(f64::MAX, f64::from));
        }
    }
    for load in service.webhooks.loads() {
        for (state, count) in [("under_way", load.under_way), ("waiting", load.waiting)] {
            let gauge = metrics::gauge!("webhook_attempts", "receivers" => load.lane, "state" => state);
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

async fn show(State(door): State<Arc<Door>>, PathParameter(id): PathParameter<String>) -> Result<Json<Value>, Refusal> {
    shown(&door, account(&id)?).await
}

async fn credit(State(door): State<Arc<Door>>, PathParameter(id): PathParameter<String>, Json(order): Json<Order>) -> Result<Json<Value>, Refusal> {
    let (amount, at, reason) = (amount(&order)?, door.service.clock.now(), order.reason.clone());
    transact(&door, &id, order, Command::Credit { amount, reason, at }).await
}

async fn debit(State(door): State<Arc<Door>>, PathParameter(id): PathParameter<String>, Json(order): Json<Order>) -> Result<Json<Value>, Refusal> {
    let (amount, at, reason, may_overdraw) = (amount(&order)?, door.service.clock.now(), order.reason.clone(), order.may_overdraw);
    transact(&door, &id, order, Command::Debit { amount, reason, may_overdraw, at }).await
}

fn amount(order: &Order) -> Result<Money, Refusal> {
    let text = order.amount.as_deref().unwrap_or_default();
    text.parse().map_err(|error| refused(StatusCode::BAD_REQUEST, format!("amount: {error}")))
}

/// The command under the operator's key, if there is one. Keys of operators and of the owner are told apart by what they begin with.
fn keyed(order: &Order, account: AccountId, command: Command, at: Timestamp) -> Result<Command, Refusal> {
    let Some(key) = &order.idempotency_key else { return Ok(command) };
    let moves = match &command {
        Command::Credit { amount, reason, .. } => format!("credit {amount} {reason}"),
        Command::Debit { amount, reason, may_overdraw, .. } => format!("debit {amount} {may_overdraw} {reason}"),
        _ => return Err(refused(StatusCode::BAD_REQUEST, "an idempotency key goes with a credit or a debit".to_owned())),
    };
    let key = format!("operator:{key}").parse();
    let key = key.map_err(|error| refused(StatusCode::BAD_REQUEST, format!("idempotency_key: {error}, less the 9 of \"operator:\"")))?;
    let fingerprint = Sha256::digest(format!("{account} {moves}")).into();
    Ok(Command::Keyed { used: KeyUse { key, fingerprint, at }, effect: Effect::Operator, command: Some(Box::new(command)) })
}

async fn suspend(State(door): State<Arc<Door>>, PathParameter(id): PathParameter<String>, Json(order): Json<Order>) -> Result<Json<Value>, Refusal> {
    let command = Command::Suspend { reason: order.reason.clone(), at: door.service.clock.now() };
    transact(&door, &id, order, command).await
}

async fn reinstate(
    State(door): State<Arc<Door>>,
    PathParameter(id): PathParameter<String>,
    Json(order): Json<Order>,
) -> Result<Json<Value>, Refusal> {
    let command = Command::Reinstate { reason: order.reason.clone(), at: door.service.clock.now() };
    transact(&door, &id, order, command).await
}

async fn transact(door: &Door, id: &str, order: Order, command: Command) -> Result<Json<Value>, Refusal> {
    let account = account(id)?;
    access::reason(&order.reason)?;
    let operator = access::operator(&order.operator)?;
    let at = door.service.clock.now();
    let command = keyed(&order, account, command, at)?;
    let outcome = door.service.accounts.transact(account, command, operator, at).await;
    match outcome {
        Ok(_) => shown(door, account).await,
        Err(TransactError::Refused(refusal)) => Err(refused(StatusCode::CONFLICT, refusal.to_string())),
        Err(TransactError::Fault(fault)) => Err(failed(&fault)),
    }
}

async fn shown(door: &Door, account: AccountId) -> Result<Json<Value>, Refusal> {
    let published = match door.service.accounts.read(account).await {
        Ok(published) => published,
        Err(AccessError::NotFound) => return Err(refused(StatusCode::NOT_FOUND, "there is no such account".to_owned())),
        Err(AccessError::Fault(fault)) => return Err(failed(&fault)),
    };
    let state = &published.state;
    let suspended = if let Standing::Suspended(reason) = &state.standing { Some(reason) } else { None };
    let open: Vec<Value> = state
        .open
        .values()
        .map(|order| json!({ "order_id": order.id.to_string(), "status": order.status.name(), "platform": order.placed.platform.slug(), "price": order.placed.price.to_string() }))
        .collect();
    Ok(Json(json!({
        "account_id": account.to_string(),
        "standing": if suspended.is_some() { "suspended" } else { "good" },
        "suspended_because": suspended,
        "registered_at": state.registered_at.to_string(),
        "balance": state.balance.to_string(),
        "held": state.held.to_string(),
        "tier": state.tier().name(),
        "completed_orders": state.completed,
        "open_orders": open,
    })))
}

fn account(text: &str) -> Result<AccountId, Refusal> {
    text.parse().map_err(|_| refused(StatusCode::BAD_REQUEST, format!("{text} is not an account id (acc_ and 22 characters)")))
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

fn refused(status: StatusCode, text: String) -> Refusal {
    (status, Json(json!({ "error": text })))
}
