//! Who may come in: by a known name, with the token, and with a name that can stand in the log.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Stopwatch;
use actors::kernel::entropy::Entropy;
use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::envelope::Actor;
use events::phone::Phone;
use events::text::{LONGEST_REASON, is_shown, is_within};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use suppliers::configuration::Secret;

use super::{Refusal, TOKEN_FILE, refused, token};
use crate::config::{self, AdminRole};
use crate::console;
use crate::http::accept_refusal::refusal;
use crate::http::limit::{Limiter, Subject};
use crate::http::request_id::{REQUEST_ID, request_id};
use crate::http::{ApiError, ErrorCode};
use crate::serve::{Reason, Refuse};

/// Wrong tokens from one address in a minute; then it is not asked any more.
const WRONG_TOKENS: u32 = 10;
/// Longest texts that stand in the log.
const LONGEST_NAME: usize = 100;

/// Who may come in, and under which names this listener is known.
pub struct AdminTokens {
    settings: config::Admin,
    token: Secret,
    /// Wrong tokens, by address.
    wrong_tokens: Limiter,
    started: Stopwatch,
}

impl AdminTokens {
    /// As configured; the token is that of the directory where the configuration has none.
    pub fn of(settings: &config::Admin, data_dir: &Path) -> Result<Self, String> {
        let fresh = || u128::from_be_bytes(Entropy::System.bytes());
        let token = token(settings, data_dir, fresh)
            .map_err(|error| format!("cannot open the admin api: {error}"))?;
        if !config::is_token(token.expose()) {
            return Err(format!(
                "the token in {TOKEN_FILE} has less than 24 characters of ASCII: remove the file, \
                 and a new one is made"
            ));
        }
        let wrong_tokens = Limiter::new(WRONG_TOKENS, Duration::from_mins(1));
        Ok(Self { settings: settings.clone(), token, wrong_tokens, started: Stopwatch::start() })
    }

    /// Whether this is the fingerprint of the shared token, as the console's sessions keep it.
    pub fn is_shared_token(&self, fingerprint: &str) -> bool {
        console::fingerprint(self.token.expose()) == fingerprint
    }
}

/// Who calls, and what they may see: among the extensions of every request behind the token.
#[derive(Debug, Clone)]
pub struct Access {
    /// The name of the token's holder; `None` with the shared token, whose holders say their names
    /// themselves.
    pub name: Option<Arc<str>>,
    /// What they may.
    pub role: AdminRole,
    /// Whether phone numbers are shown in full where they are nobody's secret but the operator's.
    pub numbers: bool,
    /// Whether phone numbers of orders, texts and codes are shown: only what was revealed, and the
    /// reveal recorded.
    pub reveals: bool,
}

impl Access {
    /// Of a token of the configuration, or of the shared one.
    pub fn of_token(keys: &AdminTokens, given: &str) -> Option<Self> {
        if keys.token.is(given) {
            return Some(Self {
                name: None,
                role: AdminRole::Operator,
                numbers: true,
                reveals: false,
            });
        }
        let tokens = &keys.settings.tokens;
        let held = tokens.iter().find(|held| held.token.is(given))?;
        Some(Self {
            name: Some(held.name.as_str().into()),
            role: held.role,
            numbers: held.role == AdminRole::Operator,
            reveals: false,
        })
    }

    /// The operator's name as it stands in the log: that of the token, or else the one that was
    /// given.
    pub fn operator(&self, given: &str) -> Result<Actor, Refusal> {
        match &self.name {
            Some(name) => Ok(Actor::Operator(Arc::clone(name))),
            None => operator(given),
        }
    }

    /// A number as this caller sees it.
    pub fn number(&self, phone: &Phone) -> String {
        if self.numbers || self.reveals { phone.as_str().to_owned() } else { phone.masked() }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            refused(StatusCode::UNAUTHORIZED, "the admin token is needed".to_owned())
        })
    }
}

/// Of an answer's body: refusals are short.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// What the accept loop answers by itself, as this listener says it.
pub(super) fn words() -> Refuse {
    Arc::new(|reason: Reason, _| {
        let request_id = request_id(&Entropy::System);
        let error = of_status(reason.status(), reason.text().to_owned());
        refusal(reason.status(), &error, &request_id)
    })
}

/// The error object's code, of a status.
fn of_status(status: StatusCode, text: String) -> ApiError {
    let code = match status {
        StatusCode::UNAUTHORIZED => ErrorCode::InvalidApiKey,
        StatusCode::TOO_MANY_REQUESTS => ErrorCode::RateLimited,
        StatusCode::SERVICE_UNAVAILABLE => ErrorCode::ProviderUnavailable,
        status if status.is_server_error() => ErrorCode::InternalError,
        _ => ErrorCode::InvalidRequest,
    };
    ApiError::new(code, text).with_status(status)
}

/// Names each request, and has every refusal be the error object, whoever made it: a route, the
/// router, or what reads bodies.
pub(super) async fn in_full(request: Request, next: Next) -> Response {
    let request_id = request_id(&Entropy::System);
    let response = next.run(request).await;
    let mut response = if response.status().is_client_error() || response.status().is_server_error()
    {
        full(response, &request_id).await
    } else {
        response
    };
    response
        .headers_mut()
        .insert(REQUEST_ID, HeaderValue::from_str(&request_id).expect("base62 is a header value"));
    response
}

async fn full(response: Response, request_id: &str) -> Response {
    let (mut head, body) = response.into_parts();
    let said = Limited::new(body, LONGEST_REFUSAL)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let written: Option<Value> = serde_json::from_slice(&said).ok();
    let text = match written.as_ref().and_then(|written| written["error"].as_str()) {
        Some(text) => text.to_owned(),
        None => match std::str::from_utf8(&said).map(str::trim) {
            Ok(text) if !text.is_empty() => text.to_owned(),
            _ => match head.status {
                StatusCode::NOT_FOUND => "there is no such path here".to_owned(),
                StatusCode::METHOD_NOT_ALLOWED => {
                    "this path does not take that method; Allow names those that it does".to_owned()
                }
                status => status.canonical_reason().unwrap_or("refused").to_owned(),
            },
        },
    };
    let mut error = of_status(head.status, text);
    let after = head.headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    if let Some(seconds) = after {
        error = error.retry_after(seconds);
    }
    let mut object = error.object(request_id);
    // The members of a refusal beside its text stay.
    for (name, value) in written.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if object.get(name).is_none() {
            object[name.as_str()] = value.clone();
        }
    }
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = error.retry_after_seconds() {
        head.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Response::from_parts(head, Body::from(object.to_string()))
}

/// A page in an operator's browser can be made to send its requests here, under its own name: only
/// names that are ours are served.
pub(super) async fn by_known_name(
    State(keys): State<Arc<AdminTokens>>,
    request: Request,
    next: Next,
) -> Response {
    // HTTP/1.0 may name us in its target alone.
    let named = request.uri().authority().map(|named| named.as_str().as_bytes());
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes).or(named).unwrap_or_default();
    if is_known(host, &keys.settings.allowed_hosts) {
        return next.run(request).await;
    }
    let text = "this name is not known here: use an address or localhost, or list the name in \
        admin.allowed_hosts";
    refused(StatusCode::MISDIRECTED_REQUEST, text.to_owned()).into_response()
}

/// Addresses cannot be made to lead here by anybody's name server. HTTP/1.0 knows no names, and
/// browsers do not speak it.
pub(crate) fn is_known(host: &[u8], allowed: &[String]) -> bool {
    if host.is_empty() {
        return true;
    }
    let Ok(authority) = Authority::try_from(host) else { return false };
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    bare.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

/// The token is needed. The right one is always taken: whoever guesses must not lock the operator
/// out.
pub(super) async fn with_token(
    State(keys): State<Arc<AdminTokens>>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "));
    if let Some(access) = given.and_then(|given| Access::of_token(&keys, given)) {
        if access.role == AdminRole::Viewer
            && ![Method::GET, Method::HEAD].contains(request.method())
        {
            return refused(
                StatusCode::FORBIDDEN,
                "a viewer's token changes and reveals nothing".to_owned(),
            )
            .into_response();
        }
        request.extensions_mut().insert(access);
        return next.run(request).await;
    }
    let client =
        request.extensions().get::<SocketAddr>().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
    metrics::counter!("admin_wrong_tokens_total").increment(1);
    let counted = keys.wrong_tokens.take(Subject::address(client), keys.started.elapsed());
    match counted.filter(|counted| !counted.allowed) {
        None => {
            tracing::warn!(
                %client, is_given = given.is_some(),
                "an operator's call without the right token was refused"
            );
            (StatusCode::UNAUTHORIZED, Json(json!({ "error": "the admin token is needed" })))
                .into_response()
        }
        Some(counted) => {
            let mut response = refused(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong tokens from this address".to_owned(),
            )
            .into_response();
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(counted.reset_seconds));
            response
        }
    }
}

/// An operator's name, as it stands in the log.
pub fn operator(name: &str) -> Result<Actor, Refusal> {
    line(name, LONGEST_NAME).map_err(|what| {
        refused(
            StatusCode::BAD_REQUEST,
            format!("an operator is needed, and stands in the log: {what}"),
        )
    })?;
    Ok(Actor::Operator(name.into()))
}

/// A reason, as it stands in the log.
pub fn reason(text: &str) -> Result<(), Refusal> {
    line(text, LONGEST_REASON).map_err(|what| {
        refused(
            StatusCode::BAD_REQUEST,
            format!("a reason is needed, and stands in the log: {what}"),
        )
    })
}

/// What a refusal says.
pub fn in_words((_, object): Refusal) -> String {
    object["error"].as_str().unwrap_or_default().to_owned()
}

/// One line that shows as what it is, and why it is none.
fn line(text: &str, longest: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if !is_shown(text) {
        return Err("it has characters that cannot be seen".to_owned());
    }
    if !is_within(text, longest) {
        return Err(format!("it has more than {longest} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_listed_names_are_known() {
        let allowed = ["metrics.internal".to_owned()];
        for host in [
            "127.0.0.1:8081",
            "10.1.2.3",
            "[::1]:8081",
            "localhost",
            "LOCALHOST:8081",
            "metrics.internal:80",
            "",
        ] {
            assert!(is_known(host.as_bytes(), &allowed), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "metrics.internal.evil",
            "a b",
            "127.0.0.1@evil.example",
            "0x7f.1",
        ] {
            assert!(!is_known(host.as_bytes(), &allowed), "{host}");
        }
    }

    #[test]
    fn names_and_reasons_are_one_line_that_shows_as_what_it_is() {
        for good in ["ada", "Ada Lovelace (night shift)", "Ждан", "王", "ops@example.com"] {
            assert!(operator(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "a\nb",
            "a\u{1b}[2Jb",
            "a\0",
            "a\u{85}",
            "a\u{202e}b",
            "a\u{200b}",
            "a\u{2028}b",
            "\u{feff}a",
            &"x".repeat(101),
        ] {
            assert!(operator(bad).is_err(), "{bad:?}");
        }
        assert!(
            reason(&"x".repeat(1_000)).is_ok()
                && reason("because\tof").is_err()
                && reason(&"x".repeat(1_001)).is_err()
        );
    }
}
