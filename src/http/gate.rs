//! The gate every request passes: a name for the request, who calls, whether they may, and what is written down of it.

use std::net::{IpAddr, SocketAddr};

use actors::account::AccessError;
use actors::clock::Stopwatch;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::id::to_base62;
use ipnet::IpNet;

use super::auth;
use super::error::{ApiError, ErrorCode, Unwritten};
use super::limit::{Allowance, Subject};
use super::{MCP_PATH, Shared};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The address a request counts for.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The request's name in answers and logs.
#[derive(Debug, Clone)]
pub struct RequestId(pub std::sync::Arc<str>);

/// Marks a call that its own door has counted before: one of this process's tools, on behalf of a request that passed the gate.
#[derive(Debug, Clone, Copy)]
pub struct Counted;

/// Lets a request through, or answers it here; either way it is named, counted and written down.
pub async fn pass(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let request_id = format!("req_{}", to_base62(u128::from_be_bytes(app.service.entropy.bytes())));
    let as_problem = accepts_problem(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let peer = request.extensions().get::<SocketAddr>().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
    let client = client_address(peer, request.headers(), &app.service.config.http.trusted_proxies);
    request.extensions_mut().insert(ClientAddress(client));
    request.extensions_mut().insert(RequestId(request_id.as_str().into()));

    let (account, allowance, response) = match admit(&app, client, &mut request).await {
        Ok((account, allowance)) => (account, allowance, next.run(request).await),
        Err((allowance, error)) => (None, allowance, error.into_response()),
    };
    let (mut response, code) = write_error(response, &request_id, as_problem, route == MCP_PATH);
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&request_id).expect("base62 is a header value"));
    if let Some(allowance) = allowance {
        put_allowance(headers, allowance);
    }
    let status = response.status().as_u16();
    let seconds = watch.elapsed().as_secs_f64();
    metrics::counter!("http_requests_total", "method" => known_method(&method), "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("http_request_seconds", "route" => route.clone()).record(seconds);
    if app.service.config.log.access {
        let account = account.map(|account| account.to_string()).unwrap_or_default();
        let code = code.map_or("", ErrorCode::name);
        let millis = seconds * 1_000.0;
        // The route, never the path: paths hold order ids, queries may hold what nobody should have sent.
        tracing::info!(target: "access", %method, %route, status, code, millis, %client, account, request_id, "request");
    }
    response
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

type Admitted = (Option<events::id::AccountId>, Option<Allowance>);

/// Finds out who calls and counts the call; the error also says how the caller stands with the limits.
async fn admit(app: &Shared, client: IpAddr, request: &mut Request) -> Result<Admitted, (Option<Allowance>, ApiError)> {
    let now = app.service.clock.now().millis();
    let is_counted = request.extensions().get::<Counted>().is_some();
    let by_address = || if is_counted { None } else { app.per_ip.take(Subject::address(client), now) };
    // Sources sign their messages; their door counts what is not signed.
    if request.uri().path().starts_with("/inbound/") {
        return Ok((None, None));
    }
    let key = match auth::key_of(request.headers(), request.uri()) {
        Ok(key) => key,
        Err(error) => return Err(limited(by_address(), error)),
    };
    let Some(key) = key else {
        let allowance = by_address();
        return within(allowance).map(|()| (None, allowance)).map_err(|error| (allowance, error));
    };
    match auth::verify(&app.service.accounts, &key).await {
        Ok(caller) => {
            let account = caller.account;
            let allowance = if is_counted { None } else { app.per_key.take(Subject::Account(account.0), now) };
            within(allowance).map_err(|error| (allowance, error))?;
            request.extensions_mut().insert(caller);
            Ok((Some(account), allowance))
        }
        Err(error @ AccessError::NotFound) => Err(limited(by_address(), error.into())),
        Err(AccessError::Fault(fault)) => Err((None, fault.into())),
    }
}

/// `error`, unless the caller may not even be told that.
fn limited(allowance: Option<Allowance>, error: ApiError) -> (Option<Allowance>, ApiError) {
    (allowance, within(allowance).err().unwrap_or(error))
}

fn within(allowance: Option<Allowance>) -> Result<(), ApiError> {
    match allowance {
        Some(allowance) if !allowance.allowed => {
            let text = format!("Too many requests: at most {} a minute. Wait {} seconds.", allowance.limit, allowance.reset_seconds);
            Err(ApiError::new(ErrorCode::RateLimited, text).retry_after(allowance.reset_seconds))
        }
        Some(_) | None => Ok(()),
    }
}

/// Counts a call that its own door has found to be nobody's.
pub fn count_stranger(app: &Shared, client: ClientAddress) -> Result<(), ApiError> {
    within(app.per_ip.take(Subject::address(client.0), app.service.clock.now().millis()))
}

/// `RateLimit` and `RateLimit-Policy`, as the IETF's draft writes them.
fn put_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    let value = |text: String| HeaderValue::from_str(&text).expect("numbers are header values");
    headers.insert(RATE_LIMIT_POLICY, value(format!("\"default\";q={};w=60", allowance.limit)));
    headers.insert(RATE_LIMIT, value(format!("\"default\";r={};t={}", allowance.remaining, allowance.reset_seconds)));
}

fn write_error(response: Response, request_id: &str, as_problem: bool, is_mcp: bool) -> (Response, Option<ErrorCode>) {
    let unwritten = match response.extensions().get::<Unwritten>() {
        Some(Unwritten(error)) => error.clone(),
        // The protocol of the tools has errors of its own.
        None if is_mcp => return (response, None),
        None if response.status().is_client_error() || response.status().is_server_error() => {
            // A refusal of the framework's own (a path that is no UTF-8, say): same object, its status.
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

fn accepts_problem(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|accept| accept.contains("application/problem+json")))
}

/// The socket's address, or, behind trusted proxies, the right-most hop that is not one of them.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()) || network.contains(&address));
    let mut client = peer;
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(','));
    let hops: Vec<&str> = hops.map(str::trim).collect();
    for hop in hops.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        match hop.parse() {
            Ok(address) => client = address,
            // A trusted proxy does not write this; whoever did is behind the last address that is known.
            Err(_) => break,
        }
    }
    client
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
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 192.0.2.1, 10.0.0.2"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
    }
}
