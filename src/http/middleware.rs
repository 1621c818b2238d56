//! What every request passes before its route: it is named, its caller is found out and admitted
//! or not, and what became of it is written down.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actors::account::AccessError;
use actors::kernel::clock::Stopwatch;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::id::AccountId;
use futures_util::FutureExt;

use super::accept_refusal::refused_as;
use super::auth::{self, ApiKey, Caller};
use super::client_address::{ClientAddress, client_address};
use super::error::{ApiError, ErrorCode, Unwritten};
use super::limit::{Allowance, Subject, within};
use super::problem::prefers_problem;
use super::request_id::{REQUEST_ID, RequestId, request_id};
use super::request_log::{RequestRecord, known_method};
use super::{MCP_PATH, Shared, livemode, route};
use crate::serve::{Connection, Reason};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Where suppliers bring messages.
const INBOUND: &str = "/inbound/";
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Marks a call that has been counted before: one of this process's tools, on behalf of a request
/// that was admitted.
#[derive(Debug, Clone, Copy)]
pub struct Counted;

/// Marks an answer to a request that has proved to be a supplier's, whatever is wrong with it: it
/// counts for nobody.
#[derive(Debug, Clone, Copy)]
pub struct Proven;

/// Lets a request through, or answers it here; either way it is named, counted and written down.
pub async fn pass(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let request_id = request_id(&app.service.entropy);
    let as_problem = prefers_problem(request.headers());
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let peer =
        request.extensions().get::<SocketAddr>().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
    let client = client_address(peer, request.headers(), &app.service.config.http.trusted_proxies);
    let is_inbound = request.uri().path().starts_with(INBOUND);
    request.extensions_mut().insert(ClientAddress(client));
    request.extensions_mut().insert(RequestId(request_id.as_str().into()));

    let admitted = admit(&app, client, &mut request).await;
    let livemode = request.extensions().get::<Caller>().map(|caller| !caller.is_test());
    let (account, allowance, response) = match admitted {
        Ok((account, allowance)) => {
            (account, allowance, answered(next.run(request), connection.as_deref()).await)
        }
        Err((allowance, error)) => (None, allowance, error.into_response()),
    };
    let response = if is_inbound { counted(&app, client, response) } else { response };
    let (response, code) = write_error(response, &request_id, as_problem, route == MCP_PATH);
    // The envelope of the tools is their protocol's; the call inside of it has said it.
    let mut response = match livemode.filter(|_| route != MCP_PATH) {
        Some(is_live) => livemode::marked(response, is_live).await,
        None => response,
    };
    let headers = response.headers_mut();
    headers
        .insert(REQUEST_ID, HeaderValue::from_str(&request_id).expect("base62 is a header value"));
    // Keys, codes and money stand in answers: only what says otherwise may be kept by anybody on
    // the way.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(allowance) = allowance {
        put_allowance(headers, allowance);
    }
    let seconds = watch.elapsed().as_secs_f64();
    let record = RequestRecord {
        method: known_method(&method),
        route,
        status: response.status(),
        code,
        seconds: Some(seconds),
        client,
        account,
        request_id: &request_id,
    };
    record.write(&app);
    response
}

/// What the routes answer: in place of a panic, and of whatever they made of a body that did not
/// arrive, the error that it is.
async fn answered(
    routes: impl Future<Output = Response>,
    connection: Option<&Connection>,
) -> Response {
    match AssertUnwindSafe(routes).catch_unwind().await {
        Ok(_) if connection.is_some_and(Connection::is_body_late) => {
            refused_as(Reason::LateBody).into_response()
        }
        Ok(response) => response,
        Err(panic) => {
            metrics::counter!("http_panics_total").increment(1);
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            refused_as(Reason::Panicked)
                .with_fault(format!("a handler panicked: {}", text.unwrap_or("without a text")))
                .into_response()
        }
    }
}

/// Counts a request that is no supplier's for its address, whatever was wrong with it.
fn counted(app: &Shared, client: IpAddr, response: Response) -> Response {
    let is_stranger =
        response.status().is_client_error() && response.extensions().get::<Proven>().is_none();
    match is_stranger.then(|| within(app.per_ip.take(Subject::address(client), app.now()))) {
        Some(Err(error)) => error.into_response(),
        Some(Ok(())) | None => response,
    }
}

type Admitted = (Option<AccountId>, Option<Allowance>);

/// Finds out who calls and counts the call; the error also says how the caller stands with the
/// limits.
async fn admit(
    app: &Shared,
    client: IpAddr,
    request: &mut Request,
) -> Result<Admitted, (Option<Allowance>, ApiError)> {
    let now = app.now();
    let path = request.uri().path();
    // Suppliers sign their messages: what proves to be none is counted once that is known. What
    // load balancers and the pages of the documentation ask for is nobody's call.
    let is_message = path.starts_with(INBOUND) && request.method() != Method::OPTIONS;
    if is_message || is_uncounted(request.method(), path) {
        return Ok((None, None));
    }
    let is_counted = request.extensions().get::<Counted>().is_some();
    let by_address =
        || if is_counted { None } else { app.per_ip.take(Subject::address(client), now) };
    if path == MCP_PATH && auth::is_placeholder(request.headers()) {
        // A host that was set up from the documentation has no key yet: it gets one by a tool, as
        // over stdio.
        for name in [AUTHORIZATION, HeaderName::from_static("x-api-key")] {
            request.headers_mut().remove(name);
        }
    }
    let key = match auth::key_of(request.headers(), request.uri()) {
        Ok(key) => key,
        Err(error) => return Err(limited(by_address(), error)),
    };
    let Some(key) = key else {
        let allowance = by_address();
        return within(allowance).map(|()| (None, allowance)).map_err(|error| (allowance, error));
    };
    let Some(key) = ApiKey::parse(&key) else {
        return Err(limited(by_address(), AccessError::NotFound.into()));
    };
    match verified(app, client, &key).await {
        Ok(caller) => {
            let account = caller.account;
            app.key_uses.note(account, caller.key, app.service.clock.now());
            let is_funded = caller.was_ever_funded();
            // Accounts are opened for nothing: those that never had money have the budget of one,
            // together, per address.
            let subject =
                if is_funded { Subject::Account(account.0) } else { Subject::unfunded(client) };
            let allowance = if is_counted { None } else { app.per_key.take(subject, now) };
            within(allowance).map_err(|error| (allowance, error))?;
            if let Some(connection) = request.extensions().get::<Arc<Connection>>() {
                connection.shows_key(account.0, is_funded);
            }
            if let Err(error) = livemode::check_key(app, &caller) {
                return Err((allowance, error));
            }
            request.extensions_mut().insert(caller);
            Ok((Some(account), allowance))
        }
        Err(error @ AccessError::NotFound) => Err(limited(by_address(), error.into())),
        Err(AccessError::Fault(fault)) => Err((None, fault.into())),
    }
}

/// Who has this key. An account that is not in memory has to be looked for in the store: an address
/// that has used up what strangers may ask is told so before that, and only so many are looked for
/// at a time.
async fn verified(app: &Shared, client: IpAddr, key: &ApiKey) -> Result<Caller, AccessError> {
    if app.service.accounts.is_in_memory(key.account()) {
        return auth::verify(&app.service.accounts, key).await;
    }
    if app.per_ip.is_exhausted(Subject::address(client), app.now()) {
        return Err(AccessError::NotFound);
    }
    let _turn = app.look_ups.acquire().await;
    auth::verify(&app.service.accounts, key).await
}

/// Whether anybody may ask for this as often as they like: it costs nothing, and is the same for
/// all.
fn is_uncounted(method: &Method, path: &str) -> bool {
    if ![Method::GET, Method::HEAD].contains(method) {
        return false;
    }
    let documents = ["/docs", "/openapi.json", "/api/v1/openapi.json"];
    path == route::health::LIVE
        || path == route::health::READY
        || documents.contains(&path)
        || path.starts_with("/docs/")
}

/// `error`, unless the caller may not even be told that.
fn limited(allowance: Option<Allowance>, error: ApiError) -> (Option<Allowance>, ApiError) {
    (allowance, within(allowance).err().unwrap_or(error))
}

/// `RateLimit` and `RateLimit-Policy`, as the IETF's draft writes them.
fn put_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    let value = |text: String| HeaderValue::from_str(&text).expect("numbers are header values");
    headers.insert(
        RATE_LIMIT_POLICY,
        value(format!("\"default\";q={};w={}", allowance.limit, allowance.window.as_secs())),
    );
    headers.insert(
        RATE_LIMIT,
        value(format!("\"default\";r={};t={}", allowance.remaining, allowance.reset_seconds)),
    );
}

fn write_error(
    response: Response,
    request_id: &str,
    as_problem: bool,
    is_mcp: bool,
) -> (Response, Option<ErrorCode>) {
    let unwritten = match response.extensions().get::<Unwritten>() {
        Some(Unwritten(error)) => error.clone(),
        // The protocol of the tools has errors of its own, for what is a message of its own.
        None if is_mcp && is_json(&response) => return (response, None),
        None if response.status().is_client_error() || response.status().is_server_error() => {
            // A refusal of the framework's own (a path that is no UTF-8, say): same object, its
            // status.
            ApiError::invalid("The request cannot be understood.").with_status(response.status())
        }
        None => return (response, None),
    };
    if let Some(fault) = unwritten.fault() {
        tracing::error!(request_id, fault, "a request failed");
    }
    let mut written = unwritten.write(request_id, as_problem);
    for (name, value) in response.headers() {
        if name == axum::http::header::ALLOW {
            written.headers_mut().insert(name.clone(), value.clone());
        }
    }
    (written, Some(unwritten.code()))
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| {
        kind.starts_with(b"application/json") || kind.starts_with(b"text/event-stream")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_an_internal_error() {
        let response = answered(async { panic!("at the disco") }, None).await;
        let Unwritten(error) = response.extensions().get::<Unwritten>().unwrap();
        assert_eq!((response.status().as_u16(), error.code()), (500, ErrorCode::InternalError));
        assert_eq!(error.fault(), Some("a handler panicked: at the disco"));
    }
}
