//! What describes the API, to programs and people: `/openapi.json`, `/docs`, `/llms.txt`,
//! `/llms-full.txt`.

use std::borrow::Cow;
use std::fmt::Write;
use std::io::Read;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use serde_json::Value;
use utoipa_swagger_ui::Config;

use crate::http::documents;
use crate::http::error::ApiError;

/// The project's own guide: served to agents, and checked against the service by
/// `tests/it/contract.rs`.
pub const GUIDE: &str = include_str!("../../../docs/guide.md");
/// Nothing from elsewhere, no inline script: the page works offline and can be put behind anything.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Pages that never change while the service runs.
#[derive(Debug, Clone)]
pub struct Pages {
    openapi: Bytes,
    index: Bytes,
}

impl Pages {
    /// The pages of this description.
    pub fn of(openapi: &Value) -> Self {
        Self { openapi: format!("{openapi:#}").into(), index: index(openapi).into() }
    }
}

/// Their routes.
pub fn router<S: Clone + Send + Sync + 'static>(pages: Pages) -> Router<S> {
    let Pages { openapi, index } = pages;
    let swagger = Arc::new(Config::from("/openapi.json"));
    let document = move || async move { page("application/json", openapi) };
    let documents = Router::new()
        .route("/openapi.json", get(document.clone()))
        // The guide says that all paths are prefixed: whoever takes it at its word finds the
        // document, too.
        .route("/api/v1/openapi.json", get(document))
        .route("/llms.txt", get(move || async move { page("text/plain; charset=utf-8", index) }))
        .route(
            "/llms-full.txt",
            get(|| async {
                page("text/plain; charset=utf-8", Bytes::from_static(GUIDE.as_bytes()))
            }),
        )
        .layer(middleware::from_fn(documents::serve));
    Router::new()
        .merge(documents)
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route(
            "/docs/",
            get({
                let swagger = Arc::clone(&swagger);
                move |headers: HeaderMap| async move { asset("index.html", &headers, swagger) }
            }),
        )
        .route(
            "/docs/{file}",
            get(move |Path(file): Path<String>, headers: HeaderMap| async move {
                asset(&file, &headers, swagger)
            }),
        )
}

/// Readers share the text: ten thousand that do not read cost no copy each.
fn page(content_type: &'static str, text: Bytes) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A file of the page about the API. Most lie packed in the binary, and are unpacked for the few
/// who do not take them so.
fn asset(file: &str, caller: &HeaderMap, swagger: Arc<Config<'static>>) -> Response {
    let missing = || {
        ApiError::invalid("There is nothing at this path.")
            .with_status(StatusCode::NOT_FOUND)
            .into_response()
    };
    let Ok(Some(asset)) = utoipa_swagger_ui::serve(file, swagger) else { return missing() };
    let Ok(content_type) = HeaderValue::from_str(&asset.content_type) else { return missing() };
    let bytes = match asset.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let stays_packed = asset.gzpipped && documents::takes_gzip(caller);
    let mut response = if asset.gzpipped && !stays_packed {
        let mut unpacked = Vec::with_capacity(bytes.len() * 4);
        if GzDecoder::new(&*bytes).read_to_end(&mut unpacked).is_err() {
            return missing();
        }
        unpacked.into_response()
    } else {
        bytes.into_response()
    };
    let headers = response.headers_mut();
    if asset.gzpipped {
        headers.insert(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
    }
    if stays_packed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}

/// The link list of the llms.txt convention: what there is, in one screen.
fn index(openapi: &Value) -> String {
    let mut text = String::from(
        "# Telenumerus\n\n> SMS verification API: register without a human, fund a prepaid balance, order a phone number for one of 33 platforms, \
         and get the code out of the SMS it receives.\n\n## Read\n\n- [Guide](/llms-full.txt): everything, in one page\n\
         - [OpenAPI 3.1](/openapi.json): every call, every error, every header\n- [Reference](/docs/): the same, to click through\n\n## Calls\n\n",
    );
    for (path, operations) in openapi["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            let _ = writeln!(text, "- `{} {path}`: {summary}", method.to_uppercase());
        }
    }
    text
}
