//! `/mcp`: the tools over streamable HTTP, stateless; whoever still initializes is served as well.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rmcp::model::ErrorCode;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use tower::ServiceExt;

use crate::http::json::refuse_compressed;
use crate::http::{ApiError, Shared};
use crate::mcp::{self, Api, Host, Keys, MAX_BYTES, Refusal, Tasks};

/// Pages of this machine may call the tools of a service that only this machine can reach.
const LOCAL_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];
/// The content type of a stream of events.
const EVENTS: &str = "text/event-stream";

type Service = StreamableHttpService<Host, LocalSessionManager>;

/// The tools' endpoint, which calls `routes` on behalf of its callers.
pub fn router(app: &Shared, routes: Router, document: &Value) -> Router<Shared> {
    let service = service(app, routes, document);
    Router::new().route("/mcp", post(move |request| answer(service, request)))
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
        .with_max_request_body_bytes(MAX_BYTES)
        // A page of somebody else's in a browser must not call the tools: every origin is refused
        // that is not listed.
        .with_allowed_origins(origins)
        .enforce_origin_validation();
    if !settings.allowed_hosts.is_empty() {
        config = config.with_allowed_hosts(settings.allowed_hosts.clone());
    } else if !is_local {
        // Names of a service that others reach are the operator's to list; without a list, any name
        // that leads here is taken.
        config = config.disable_allowed_hosts();
    }
    let host = Host::new(Api::Here(routes), Keys::OfRequests, document, Tasks::default());
    StreamableHttpService::new(
        move || Ok(host.clone()),
        Arc::new(LocalSessionManager::default()),
        config,
    )
}

async fn answer(service: Service, mut request: Request) -> Result<Response, Infallible> {
    let wants_events = accepts_both(request.headers_mut());
    let asked = [HOST, ORIGIN].map(|name| text_of(request.headers(), &name));
    let request = match checked(request).await {
        Ok(request) => request,
        Err(refused) => return Ok(refused),
    };
    let response = service.oneshot(request).await?.map(Body::new);
    if !response.status().is_success() && !is_json(response.headers()) {
        return Ok(in_words(response, &asked).await);
    }
    Ok(if wants_events { as_events(response).await } else { response })
}

/// The protocol wants clients to accept JSON and events; those that say less, or nothing, are
/// served all the same. Whether it is events alone.
fn accepts_both(headers: &mut HeaderMap) -> bool {
    let said: Vec<String> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(str::to_ascii_lowercase)
        .collect();
    let said = said.join(",");
    let takes_json = said.trim().is_empty()
        || ["application/json", "application/*", "*/*"].iter().any(|kind| said.contains(kind));
    let takes_events = said.contains(EVENTS);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    takes_events && !takes_json
}

/// A JSON answer as the one event of a stream.
async fn as_events(response: Response) -> Response {
    if !is_json(response.headers()) || !response.status().is_success() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            &Refusal::of_nobody(ErrorCode::INTERNAL_ERROR, "the answer broke off"),
        );
    };
    let bytes = body.to_bytes();
    // A message is one line of data: JSON holds no bare line breaks, but what formats it might.
    let lines = String::from_utf8_lossy(&bytes)
        .lines()
        .fold(String::new(), |lines, line| lines + "data: " + line + "\n");
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    Response::from_parts(head, Body::from(format!("event: message\n{lines}\n")))
}

/// What is no JSON-RPC message is answered as JSON-RPC says, whatever else is wrong with it being
/// the protocol's to say.
async fn checked(request: Request) -> Result<Request, Response> {
    refuse_compressed(request.headers()).map_err(IntoResponse::into_response)?;
    if !is_json(request.headers()) {
        let text = "The body must be a JSON-RPC message, with Content-Type: application/json.";
        return Err(ApiError::invalid(text)
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .into_response());
    }
    let (head, body) = request.into_parts();
    let bytes = match Limited::new(body, MAX_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let refusal =
                Refusal::of_nobody(ErrorCode::INVALID_REQUEST, "the message is too large");
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, &refusal));
        }
        Err(_) => {
            return Err(refused(
                StatusCode::BAD_REQUEST,
                &Refusal::of_nobody(ErrorCode::PARSE_ERROR, "the message broke off"),
            ));
        }
    };
    match mcp::read(&bytes) {
        Ok(message) if mcp::is_response(&message) => {
            let text = "this endpoint asks its callers nothing: there is no request that this \
                could be the response to";
            Err(refused(
                StatusCode::BAD_REQUEST,
                &Refusal::of_nobody(ErrorCode::INVALID_REQUEST, text),
            ))
        }
        Ok(_) => Ok(Request::from_parts(head, Body::from(bytes))),
        // As every answer to a message that is one.
        Err(refusal) if refusal.code == ErrorCode::INVALID_PARAMS => {
            Err(refused(StatusCode::OK, &refusal))
        }
        Err(refusal) => Err(refused(StatusCode::BAD_REQUEST, &refusal)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/json"))
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// A refusal of the protocol's library, which it says in plain text, as an error object that says
/// what to do.
async fn in_words(response: Response, [host, origin]: &[String; 2]) -> Response {
    let (head, body) = response.into_parts();
    let said = match Limited::new(body, MAX_BYTES).collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).trim().to_owned(),
        Err(_) => String::new(),
    };
    let text = if head.status == StatusCode::FORBIDDEN && said.contains("Origin") {
        format!(
            "Pages of the origin {origin} may not call the tools; the operator lists those that \
             may in mcp.allowed_origins."
        )
    } else if head.status == StatusCode::FORBIDDEN {
        format!(
            "The tools may not be called under the host {host}; the operator lists the names in \
             mcp.allowed_hosts."
        )
    } else if said.is_empty() {
        "The request cannot be understood.".to_owned()
    } else {
        said
    };
    ApiError::invalid(text).with_status(head.status).into_response()
}

fn refused(status: StatusCode, refusal: &Refusal) -> Response {
    let mut response = (status, refusal.body().to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
