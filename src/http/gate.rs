//! The gate every request passes: a name for the request, who calls, whether they may, and what is
//! written down of it.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actors::account::AccessError;
use actors::kernel::clock::Stopwatch;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::id::{AccountId, to_base62};
use futures_util::FutureExt;
use ipnet::IpNet;

use super::auth::{self, ApiKey, Caller};
use super::error::{ApiError, ErrorCode, Unwritten};
use super::limit::{Allowance, Subject};
use super::problem::prefers_problem;
use super::{MCP_PATH, Shared, livemode, route};
use crate::boot::Service;
use crate::serve::{Connection, Reason, Refusal, Refuse, is_in};

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Where suppliers bring messages.
const INBOUND: &str = "/inbound/";
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The address a request counts for.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The request's name in answers and logs.
#[derive(Debug, Clone)]
pub struct RequestId(pub std::sync::Arc<str>);

/// Marks a call that has been counted before: one of this process's tools, on behalf of a request
/// that passed the gate.
#[derive(Debug, Clone, Copy)]
pub struct Counted;

/// Marks an answer to a request that has proved to be a supplier's, whatever is wrong with it: it
/// counts for nobody.
#[derive(Debug, Clone, Copy)]
pub struct Proven;

/// Lets a request through, or answers it here; either way it is named, counted and written down.
pub async fn pass(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let request_id = request_id(&app.service);
    let as_problem = prefers_problem(request.headers());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
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
    metrics::histogram!("http_request_seconds", "route" => route.clone()).record(seconds);
    let said = Said {
        method: known_method(&method),
        route,
        status: response.status(),
        code,
        millis: (seconds * 1_000_000.0).round() / 1_000.0,
        client,
        account,
        request_id,
    };
    said.write_down(&app);
    response
}

/// What is written down of a request. The route, never the path: paths hold order ids, queries may
/// hold what nobody should have sent.
struct Said {
    method: &'static str,
    route: String,
    status: StatusCode,
    code: Option<ErrorCode>,
    millis: f64,
    client: IpAddr,
    account: Option<AccountId>,
    request_id: String,
}

impl Said {
    fn write_down(self, app: &Shared) {
        let Self { method, route, status, code, millis, client, account, request_id } = self;
        let status = status.as_u16();
        metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string()).increment(1);
        if app.service.config.log.access {
            let account = account.map(|account| account.to_string()).unwrap_or_default();
            let code = code.map_or("", ErrorCode::name);
            tracing::info!(target: "access", %method, %route, status, code, millis, %client, account, request_id, "request");
        }
    }
}

/// A fresh name of a request.
pub fn request_id(service: &Service) -> String {
    format!("req_{}", to_base62(u128::from_be_bytes(service.entropy.bytes())))
}

/// An error as the accept loop of a listener answers it.
pub fn refusal(status: StatusCode, error: &ApiError, request_id: &str) -> Refusal {
    let value =
        |text: &str| HeaderValue::from_str(text).expect("base62 and numbers are header values");
    let mut headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REQUEST_ID, value(request_id)),
    ];
    headers.extend(
        error.retry_after_seconds().map(|seconds| (RETRY_AFTER, value(&seconds.to_string()))),
    );
    Refusal { status, headers, body: error.object(request_id).to_string() }
}

/// What the accept loop answers by itself, as this API says it.
pub fn refuse(app: &Shared) -> Refuse {
    let app = Arc::clone(app);
    Arc::new(move |reason: Reason, peer| {
        let request_id = request_id(&app.service);
        let limited = counted_refusal(&app, reason, peer);
        let status =
            if limited.is_some() { StatusCode::TOO_MANY_REQUESTS } else { reason.status() };
        let error = limited.unwrap_or_else(|| refused_as(reason));
        let code = Some(error.code());
        let refusal = refusal(status, &error, &request_id);
        metrics::counter!("http_refusals_total", "reason" => reason.name()).increment(1);
        let route = "refused".to_owned();
        Said {
            method: "other",
            route,
            status,
            code,
            millis: 0.0,
            client: peer,
            account: None,
            request_id,
        }
        .write_down(&app);
        refusal
    })
}

/// What is malformed counts for its address like any other call of a stranger; the error is what is
/// said once that has no more of them.
fn counted_refusal(app: &Shared, reason: Reason, peer: IpAddr) -> Option<ApiError> {
    let is_malformed =
        matches!(reason, Reason::Malformed | Reason::Host | Reason::LongTarget | Reason::LargeHead);
    // Behind a proxy nobody knows whose it was.
    if !is_malformed || is_in(&app.service.config.http.trusted_proxies, peer) {
        return None;
    }
    within(app.per_ip.take(Subject::address(peer), app.now())).err()
}

fn refused_as(reason: Reason) -> ApiError {
    let code = match reason {
        Reason::Panicked => ErrorCode::InternalError,
        Reason::TooManyOfAddress | Reason::TooManyInAll => ErrorCode::RateLimited,
        Reason::Malformed
        | Reason::Host
        | Reason::LateHead
        | Reason::LateBody
        | Reason::LongTarget
        | Reason::LargeHead => ErrorCode::InvalidRequest,
    };
    ApiError::new(code, reason.text()).with_status(reason.status())
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

/// A caller may send any word as a method; the metrics must not grow with them.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
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

/// Whether a call is within what its subject may ask.
pub fn within(allowance: Option<Allowance>) -> Result<(), ApiError> {
    match allowance {
        Some(Allowance { allowed: false, limit, window, reset_seconds, .. }) => {
            let text = format!(
                "Too many requests: at most {limit} in {} seconds. Wait {reset_seconds} seconds.",
                window.as_secs()
            );
            Err(ApiError::new(ErrorCode::RateLimited, text).retry_after(reset_seconds))
        }
        Some(_) | None => Ok(()),
    }
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

/// The socket's address, or, behind trusted proxies, the right-most hop that is not one of them.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','));
    let hops: Vec<&str> = hops.map(str::trim).collect();
    for hop in hops.iter().rev() {
        if !is_in(trusted, client) {
            break;
        }
        match hop_address(hop) {
            Some(address) => client = address,
            // A trusted proxy does not write this; whoever did is behind the last address that is
            // known.
            None => break,
        }
    }
    client
}

/// An address as proxies write it: alone, with a port, in brackets, in quotes.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"')).unwrap_or(hop);
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_forwarding_header_counts_only_from_a_trusted_proxy() {
        assert_eq!(client("198.51.100.7", &["192.0.2.1"], &[]), "198.51.100.7");
        assert_eq!(client("198.51.100.7", &["192.0.2.1"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn the_right_most_untrusted_hop_counts_whatever_the_caller_wrote_before_it() {
        assert_eq!(
            client("10.0.0.1", &["1.1.1.1, 192.0.2.1, 10.0.0.2"], &["10.0.0.0/8"]),
            "192.0.2.1"
        );
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn a_hop_counts_however_a_proxy_writes_it() {
        for (hop, address) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[hop], &["10.0.0.0/8"]), address, "{hop}");
            assert_eq!(
                client("10.0.0.1", &[&format!("203.0.113.9, {hop}, 10.0.0.2:80")], &["10.0.0.0/8"]),
                address,
                "{hop}"
            );
        }
        for nonsense in
            ["", "[192.0.2.1", "192.0.2.1:", "192.0.2.1:99999", "unknown", "_hidden", "[[::1]]"]
        {
            assert_eq!(client("10.0.0.1", &[nonsense], &["10.0.0.0/8"]), "10.0.0.1", "{nonsense}");
        }
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_an_internal_error() {
        let response = answered(async { panic!("at the disco") }, None).await;
        let Unwritten(error) = response.extensions().get::<Unwritten>().unwrap();
        assert_eq!((response.status().as_u16(), error.code()), (500, ErrorCode::InternalError));
        assert_eq!(error.fault(), Some("a handler panicked: at the disco"));
    }
}
