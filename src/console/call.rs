//! Calls of the two APIs on behalf of who is logged in: pages and forms do nothing that a route
//! does not.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::http::said;

/// What a route has refused.
#[derive(Debug, Clone)]
pub struct Refused {
    pub status: StatusCode,
    pub text: String,
}

/// One call.
pub struct Call<'a> {
    pub method: Method,
    pub path: &'a str,
    pub body: Option<Value>,
}

impl<'a> Call<'a> {
    /// A question.
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: None }
    }

    /// A command.
    pub fn post(path: &'a str, body: Value) -> Self {
        Self { method: Method::POST, path, body: Some(body) }
    }
}

/// What a route answers, as it comes.
pub async fn raw(routes: &Router, who: Extensions, call: Call<'_>) -> Result<Response, Refused> {
    let unknown = || Refused {
        status: StatusCode::NOT_FOUND,
        text: "There is nothing at this path.".to_owned(),
    };
    let mut request =
        Request::new(call.body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
    *request.method_mut() = call.method;
    *request.uri_mut() = call.path.parse().map_err(|_| unknown())?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *request.extensions_mut() = who;
    let Ok(response) = routes.clone().oneshot(request).await;
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, unwritten) = (response.status(), said(&response));
    let bytes = bytes(response).await;
    let body = unwritten.unwrap_or_else(|| serde_json::from_slice(&bytes).unwrap_or(Value::Null));
    let text = match body["error"].as_str() {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(&bytes).trim().to_owned(),
    };
    let text = if text.is_empty() {
        status.canonical_reason().unwrap_or("refused").to_owned()
    } else {
        text
    };
    Err(Refused { status, text })
}

/// What a route answers, as JSON.
pub async fn json(routes: &Router, who: Extensions, call: Call<'_>) -> Result<Value, Refused> {
    let response = raw(routes, who, call).await?;
    Ok(serde_json::from_slice(&bytes(response).await).unwrap_or(Value::Null))
}

/// The body of an answer.
pub async fn bytes(response: Response) -> Bytes {
    response
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default()
}
