//! The API as the tools call it: this process's own routes, or a service elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::own_key::OwnKey;
use crate::http::{ApiError, Counted, ErrorCode};
use crate::secret::Secret;

/// Longer than any call may take.
const TIMEOUT: Duration = Duration::from_secs(330);
/// How callers send keys, and who they come through: handed on as they came.
const HANDED_ON: [HeaderName; 3] = [AUTHORIZATION, HeaderName::from_static("x-api-key"), HeaderName::from_static("x-forwarded-for")];

/// Whose key a call is made with.
#[derive(Clone)]
pub enum Keys {
    /// Each request's own, in its headers.
    OfRequests,
    /// The one of this process: from its environment, or from its own registration.
    Own(Arc<OwnKey>),
}

/// Where calls go.
#[derive(Clone)]
pub enum Api {
    /// The routes of this process.
    Here(Router),
    /// A service elsewhere.
    There {
        /// Its base URL.
        url: String,
        /// How it is reached.
        client: reqwest::Client,
    },
}

/// One call of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The body of a `POST`.
    pub body: Option<Value>,
}

/// What the route answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Whether it was a success.
    pub success: bool,
    /// Its JSON.
    pub body: Value,
}

impl Answer {
    /// The error object for what no route has answered.
    pub fn error(error: &ApiError) -> Self {
        Self { success: false, body: error.object("req_none") }
    }
}

/// Who a call is made for.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    headers: HeaderMap,
    peer: Option<SocketAddr>,
}

impl Caller {
    /// The caller of an HTTP request, which its gate has counted already.
    pub fn of_request(headers: &HeaderMap, peer: Option<SocketAddr>) -> Self {
        let mut handed_on = HeaderMap::new();
        for name in HANDED_ON {
            for value in headers.get_all(&name) {
                handed_on.append(name.clone(), value.clone());
            }
        }
        Self { headers: handed_on, peer }
    }

    /// A caller with a key, or without.
    pub fn with_key(key: Option<&Secret>) -> Self {
        let value = key.and_then(|key| HeaderValue::from_str(&format!("Bearer {}", key.expose())).ok());
        Self { headers: value.map(|value| (AUTHORIZATION, value)).into_iter().collect(), peer: None }
    }

    /// What tells callers apart: whose tasks are whose.
    pub fn fingerprint(&self) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let mut digest = Sha256::new();
        for name in &HANDED_ON[..2] {
            for value in self.headers.get_all(name) {
                digest.update(value.as_bytes());
                digest.update([0]);
            }
        }
        digest.finalize().into()
    }
}

impl Api {
    /// A service elsewhere.
    pub fn there(url: &str) -> Result<Self, String> {
        let client = actors::outbound::client(TIMEOUT)?;
        Ok(Self::There { url: url.trim_end_matches('/').to_owned(), client })
    }

    /// Calls a route. What is no answer of a route's becomes an error object like one.
    pub async fn call(&self, caller: &Caller, call: Call) -> Answer {
        match self {
            Self::Here(router) => here(router.clone(), caller, call).await,
            Self::There { url, client } => there(url, client, caller, call).await,
        }
    }
}

async fn here(router: Router, caller: &Caller, call: Call) -> Answer {
    let body = call.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut request = Request::new(body);
    *request.method_mut() = call.method;
    let Ok(uri) = call.path.parse() else { return failed("The path is not one.") };
    *request.uri_mut() = uri;
    *request.headers_mut() = caller.headers.clone();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.extensions_mut().insert(Counted);
    if let Some(peer) = caller.peer {
        request.extensions_mut().insert(peer);
    }
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let success = response.status().is_success();
    match response.into_body().collect().await {
        Ok(body) => read(success, &body.to_bytes()),
        Err(_) => failed("The answer could not be read."),
    }
}

async fn there(url: &str, client: &reqwest::Client, caller: &Caller, call: Call) -> Answer {
    let mut request = client.request(call.method, format!("{url}{}", call.path)).headers(caller.headers.clone());
    if let Some(body) = call.body {
        request = request.json(&body);
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return failed(&format!("The service at {url} cannot be reached: {}.", error.without_url())),
    };
    let success = response.status().is_success();
    match response.bytes().await {
        Ok(body) => read(success, &body),
        Err(_) => failed("The answer broke off; the call can be repeated."),
    }
}

fn read(success: bool, body: &[u8]) -> Answer {
    match serde_json::from_slice(body) {
        Ok(body) => Answer { success, body },
        Err(_) => failed("The answer is not JSON: is TELENUMERUS_URL the address of this service?"),
    }
}

/// What failed on the way to a route.
fn failed(text: &str) -> Answer {
    Answer::error(&ApiError::new(ErrorCode::InternalError, text))
}
