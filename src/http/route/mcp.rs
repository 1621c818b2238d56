//! `/mcp`: the tools over streamable HTTP, stateless; whoever still initializes is served as well.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::{Shared, strict_json};
use crate::mcp::{Api, Host, Keys, Tasks};

/// Larger than any call of a tool.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Pages of this machine may call the tools of a service that only this machine can reach.
const LOCAL_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];
/// JSON-RPC's own codes.
const PARSE_ERROR: i32 = -32_700;
const INVALID_REQUEST: i32 = -32_600;
const INTERNAL_ERROR: i32 = -32_603;
/// The content type of a stream of events.
const EVENTS: &str = "text/event-stream";

type Service = StreamableHttpService<Host, LocalSessionManager>;

/// The tools' door, which calls `routes` on behalf of those who come through it.
pub fn router(app: &Shared, routes: Router, document: &Value) -> Router<Shared> {
    let service = service(app, routes, document);
    Router::new().route("/mcp", any(move |request| answer(service, request)))
}

fn service(app: &Shared, routes: Router, document: &Value) -> Service {
    let settings = &app.service.config.mcp;
    let is_local = app.service.config.http.listen.ip().is_loopback();
    let mut origins = settings.allowed_origins.clone();
    if is_local {
        origins.extend(LOCAL_ORIGINS.map(str::to_owned));
    }
    let mut config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY_BYTES)
        // A page of somebody else's in a browser must not call the tools: every origin is refused that is not listed.
        .with_allowed_origins(origins)
        .enforce_origin_validation();
    if !settings.allowed_hosts.is_empty() {
        config = config.with_allowed_hosts(settings.allowed_hosts.clone());
    } else if !is_local {
        // Names of a service that others reach are the operator's to list; without a list, any name that leads here is taken.
        config = config.disable_allowed_hosts();
    }
    let host = Host::new(Api::Here(routes), Keys::OfRequests, document, Tasks::default());
    StreamableHttpService::new(move || Ok(host.clone()), Arc::new(LocalSessionManager::default()), config)
}

async fn answer(service: Service, mut request: Request) -> Result<Response, Infallible> {
    let wants_events = request.method() == Method::POST && accepts_both(request.headers_mut());
    let request = match checked(request).await {
        Ok(request) => request,
        Err(refused) => return Ok(refused),
    };
    let response = service.oneshot(request).await?.map(Body::new);
    Ok(if wants_events { as_events(response).await } else { response })
}

/// The protocol wants clients to accept JSON and events; those that say less, or nothing, are served all the same. Whether it is events alone.
fn accepts_both(headers: &mut HeaderMap) -> bool {
    let said: Vec<String> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).map(str::to_ascii_lowercase).collect();
    let said = said.join(",");
    let takes_json = said.trim().is_empty() || ["application/json", "application/*", "*/*"].iter().any(|kind| said.contains(kind));
    let takes_events = said.contains(EVENTS);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    takes_events && !takes_json
}

/// A JSON answer as the one event of a stream.
async fn as_events(response: Response) -> Response {
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json || !response.status().is_success() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return refused(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_ERROR, "the answer broke off") };
    let bytes = body.to_bytes();
    // A message is one line of data: JSON holds no bare line breaks, but what formats it might.
    let lines = String::from_utf8_lossy(&bytes).lines().fold(String::new(), |lines, line| lines + "data: " + line + "\n");
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    Response::from_parts(head, Body::from(format!("event: message\n{lines}\n")))
}

/// What is no JSON-RPC message is answered as JSON-RPC says, whatever else is wrong with it being the protocol's to say.
async fn checked(request: Request) -> Result<Request, Response> {
    let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if request.method() != Method::POST || !is_json {
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let bytes = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST, "the message is too large"));
        }
        Err(_) => return Err(refused(StatusCode::BAD_REQUEST, PARSE_ERROR, "the message broke off")),
    };
    let message = match strict_json::parse(&bytes) {
        Ok(message) => message,
        Err(problem) => return Err(refused(StatusCode::BAD_REQUEST, PARSE_ERROR, &problem.to_string())),
    };
    let is_message =
        message["jsonrpc"] == "2.0" && (message["method"].is_string() || message.get("result").is_some() || message.get("error").is_some());
    if !is_message {
        return Err(refused(StatusCode::BAD_REQUEST, INVALID_REQUEST, "the message is not one JSON-RPC 2.0 message"));
    }
    Ok(Request::from_parts(head, Body::from(bytes)))
}

fn refused(status: StatusCode, code: i32, text: &str) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": text } });
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
