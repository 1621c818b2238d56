//! The API as the tools call it: this process's own routes, or a service elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use url::Url;

use super::own_key::OwnKey;
use crate::http::{ApiError, Counted, ErrorCode};
use suppliers::configuration::Secret;

/// Longer than any call may take.
const TIMEOUT: Duration = Duration::from_secs(330);
/// How often a call follows a service that moves.
const MOVES: usize = 4;
/// How callers send keys, and who they come through: handed on as they came.
const HANDED_ON: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-forwarded-for"),
];

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
    /// The service on a directory that several processes share.
    Shared(Arc<dyn Directory>),
}

/// Where the service on a shared directory is: each process that runs it may leave.
pub trait Directory: Send + Sync {
    /// Where it is now; `lost` is where it was last and cannot be reached any more.
    fn service<'a>(&'a self, lost: Option<&'a str>) -> BoxFuture<'a, Result<Api, String>>;
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
    /// The caller of an HTTP request, which the middleware has counted already.
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
        let value =
            key.and_then(|key| HeaderValue::from_str(&format!("Bearer {}", key.expose())).ok());
        Self {
            headers: value.map(|value| (AUTHORIZATION, value)).into_iter().collect(),
            peer: None,
        }
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
    ///
    /// # Errors
    /// The address is none of a service, or no connection can be made from here.
    pub fn there(url: &str) -> Result<Self, String> {
        let example = "write it as http://127.0.0.1:8080";
        let is_http = |url: &Url| {
            ["http", "https"].contains(&url.scheme())
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let parsed = url
            .parse::<Url>()
            .ok()
            .filter(is_http)
            .ok_or_else(|| format!("{url:?} is not the address of a service; {example}"))?;
        if parsed.path().trim_end_matches('/').ends_with("/api/v1") {
            return Err(format!(
                "{url:?} is the address of the API; the service's own stands before /api/v1: \
                 {example}"
            ));
        }
        let client = actors::kernel::outbound::client(TIMEOUT)?;
        Ok(Self::There { url: url.trim_end_matches('/').to_owned(), client })
    }

    /// Calls a route. What is no answer of a route's becomes an error object like one.
    pub async fn call(&self, caller: &Caller, call: Call) -> Answer {
        match self {
            Self::Here(router) => here(router.clone(), caller, call).await,
            Self::There { url, client } => there(url, client, caller, call)
                .await
                .unwrap_or_else(|unreached| failed(&unreached.text)),
            Self::Shared(directory) => shared(&**directory, caller, call).await,
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

/// Asks again where the service is when it has left; what may have been done already is done again
/// only where that changes nothing.
async fn shared(directory: &dyn Directory, caller: &Caller, call: Call) -> Answer {
    let mut lost: Option<String> = None;
    for _ in 0..MOVES {
        let (url, client) = match directory.service(lost.as_deref()).await {
            Ok(Api::There { url, client }) => (url, client),
            Ok(Api::Here(router)) => return here(router, caller, call).await,
            Ok(Api::Shared(_)) => {
                return failed("The service on the directory is not to be found.");
            }
            Err(text) => return failed(&text),
        };
        match there(&url, &client, caller, call.clone()).await {
            Ok(answer) => return answer,
            Err(unreached) if unreached.before_it_was_asked || call.method == Method::GET => {
                lost = Some(url);
            }
            Err(unreached) => return failed(&unreached.text),
        }
    }
    failed("The service on the directory cannot be reached.")
}

/// A service that did not answer.
struct Unreached {
    text: String,
    /// Whether nothing can have come of the call.
    before_it_was_asked: bool,
}

async fn there(
    url: &str,
    client: &reqwest::Client,
    caller: &Caller,
    call: Call,
) -> Result<Answer, Unreached> {
    let mut request =
        client.request(call.method, format!("{url}{}", call.path)).headers(caller.headers.clone());
    if let Some(body) = call.body {
        request = request.json(&body);
    }
    let response = request.send().await.map_err(|error| {
        let before_it_was_asked = error.is_connect();
        Unreached {
            text: format!("The service at {url} cannot be reached: {}.", error.without_url()),
            before_it_was_asked,
        }
    })?;
    let success = response.status().is_success();
    let broken = |_| Unreached {
        text: "The answer broke off; the call can be repeated.".to_owned(),
        before_it_was_asked: false,
    };
    response.bytes().await.map(|body| read(success, &body)).map_err(broken)
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
