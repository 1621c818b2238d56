//! The operator's API: accounts and metrics, on an address of its own, with a token of its own.

use std::error::Error;
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

use actors::Fault;
use actors::kernel::entity::TransactError;
use actors::store::EventStore;

use crate::boot::Service;
use crate::config;
use crate::console;
use crate::http::ApiError;
use crate::read_model::{chain_of, reach_head};
use crate::serve::serve;
use suppliers::configuration::Secret;

pub mod access;
mod accounts;
mod decisions;
mod deliveries;
mod deposits;
mod document;
mod erasure;
mod export;
mod invites;
mod keys;
mod log;
mod masks;
mod measurements;
mod messages;
mod node;
mod numbers;
mod orders;
mod overview;
mod places;
mod policy;
mod provenance;
mod purchases;
mod reports;
mod reveal;
pub mod standby;

pub use access::AdminTokens;
pub use accounts::AccountAction;
pub use erasure::EraseNumber;
pub use invites::{Invitation, Said};
pub use masks::HIDDEN;
pub use node::StepDown;
pub use numbers::{Import, Retire, Row};
pub use policy::{Apply, Classify, policy_shown};
pub use provenance::{Statement, Withdrawal};
pub use purchases::{Buy, GiveBack, Sync};

/// Where the command line finds the running service.
const ADDRESS_FILE: &str = "admin.addr";
const TOKEN_FILE: &str = "admin.token";
const DEFAULT_PORT: u16 = 8081;

/// What the routes share.
pub struct AdminApi {
    pub service: Arc<Service>,
    /// Where the log is.
    pub data_dir: PathBuf,
    /// Who may come in.
    pub keys: Arc<AdminTokens>,
    metrics: PrometheusHandle,
    /// True once the service is stopping: streams end.
    pub stopping: watch::Receiver<bool>,
    /// The audit that runs, or the last one.
    verification: log::Verification,
    /// Where pages of numbers begin.
    places: places::Places,
    /// Held while a policy is tried on the log.
    replaying: Arc<tokio::sync::Mutex<()>>,
    /// Held while an export is made and given out.
    exporting: Arc<tokio::sync::Mutex<()>>,
}

type Refusal = (StatusCode, Json<Value>);

/// Serves it on its listener until `stopping` turns true; the end of that. An error says in words
/// why it cannot.
pub fn open(
    service: &Arc<Service>,
    data_dir: &Path,
    listener: TcpListener,
    metrics: PrometheusHandle,
    stopping: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, String> {
    let keys = Arc::new(AdminTokens::of(&service.config.admin, data_dir)?);
    let bounds = service.config.http.listener(access::words());
    let api = Arc::new(AdminApi {
        service: Arc::clone(service),
        data_dir: data_dir.to_owned(),
        keys: Arc::clone(&keys),
        metrics,
        stopping: stopping.clone(),
        verification: log::Verification::default(),
        places: places::Places::new(service.entropy.bytes())
            .ok_or("no key can be made for the places of pages")?,
        replaying: Arc::default(),
        exporting: Arc::default(),
    });
    let pages =
        console::operators(&api).layer(middleware::from_fn_with_state(keys, access::by_known_name));
    // Of two routers that have no fallback of their own the second's answers: the error object, for
    // whatever is no path here.
    let all = pages.merge(router(&api));
    Ok(tokio::spawn(serve(listener, all, bounds, stopping)))
}

/// Binds where it was told to, or else at its usual port, or else at any.
pub async fn bind(settings: &config::Admin, data_dir: &Path) -> Result<TcpListener, String> {
    bound(settings, data_dir).await.map_err(|error| format!("cannot open the admin api: {error}"))
}

async fn bound(settings: &config::Admin, data_dir: &Path) -> std::io::Result<TcpListener> {
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

/// Where the service on `data_dir` has its admin API.
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
fn routes() -> OpenApiRouter<Arc<AdminApi>> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(overview::overview))
        .routes(routes!(overview::usage))
        .routes(routes!(overview::suppliers))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::show))
        .routes(routes!(accounts::ledger))
        .routes(routes!(accounts::keys))
        .routes(routes!(accounts::deposits))
        .routes(routes!(accounts::credit))
        .routes(routes!(accounts::debit))
        .routes(routes!(accounts::suspend))
        .routes(routes!(accounts::reinstate))
        .routes(routes!(invites::approve))
        .routes(routes!(invites::decline))
        .routes(routes!(invites::list, invites::make))
        .routes(routes!(invites::revoke))
        .routes(routes!(policy::classify))
        .routes(routes!(policy::show, policy::apply))
        .routes(routes!(policy::diff))
        .routes(routes!(policy::reviews))
        .routes(routes!(provenance::list))
        .routes(routes!(provenance::state))
        .routes(routes!(provenance::withdraw))
        .routes(routes!(keys::rotate))
        .routes(routes!(orders::list))
        .routes(routes!(orders::show))
        .routes(routes!(erasure::erase_order))
        .routes(routes!(erasure::erase_account))
        .routes(routes!(erasure::erase_number))
        .routes(routes!(erasure::place_hold))
        .routes(routes!(erasure::lift_hold))
        .routes(routes!(decisions::holds))
        .routes(routes!(decisions::erasures))
        .routes(routes!(decisions::exports))
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
        .routes(routes!(export::make))
        .routes(routes!(node::show))
        .routes(routes!(node::step_down))
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
pub fn inner(api: &Arc<AdminApi>) -> Router {
    routes().split_for_parts().0.with_state(Arc::clone(api))
}

/// The routes.
fn router(api: &Arc<AdminApi>) -> Router {
    let (guarded, described) = routes().split_for_parts();
    let document = document::complete(described).to_string();
    let guarded =
        guarded.layer(middleware::from_fn_with_state(Arc::clone(&api.keys), access::with_token));
    let openapi = move || async move { ([(CONTENT_TYPE, "application/json")], document) };
    Router::new()
        .merge(guarded)
        .route("/admin/v1/openapi.json", get(openapi))
        .route("/metrics", get(measurements::render))
        .layer(middleware::from_fn_with_state(Arc::clone(&api.keys), access::by_known_name))
        .layer(middleware::from_fn(access::in_full))
        .with_state(Arc::clone(api))
}

fn account(text: &str) -> Result<AccountId, Refusal> {
    text.parse().map_err(|_| {
        refused(
            StatusCode::BAD_REQUEST,
            format!("{text} is not an account id (acc_ and 22 characters)"),
        )
    })
}

/// Why an operator's command was not carried out: it is refused as things are, or the world failed.
fn undone<R: Display>(error: &TransactError<R>) -> Refusal {
    match error {
        TransactError::Refused(refusal) => refused(StatusCode::CONFLICT, refusal.to_string()),
        TransactError::Fault(fault) => failed(fault),
    }
}

/// The world failed; nothing the operator asked for is wrong.
fn failed(error: &(dyn Error + 'static)) -> Refusal {
    let status = match error.downcast_ref() {
        Some(Fault::Away(_)) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, chain_of(error))
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
