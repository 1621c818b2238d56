//! Scripts, styles and the icon, in the binary: nothing is fetched from anywhere else.

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Of the version of the service: what a browser keeps is asked for again after an update.
const TAG: &str = concat!("\"", env!("CARGO_PKG_VERSION"), "-", env!("CARGO_PKG_NAME"), "\"");

macro_rules! embedded {
    ($($name:literal $kind:literal)+) => {
        const FILES: &[(&str, &str, &[u8])] =
            &[$(($name, $kind, include_bytes!(concat!("assets/", $name)))),+];
    };
}

embedded! {
    "console.css" "text/css; charset=utf-8"
    "console.js" "text/javascript; charset=utf-8"
    "htmx.min.js" "text/javascript; charset=utf-8"
    "uplot.min.js" "text/javascript; charset=utf-8"
    "uplot.min.css" "text/css; charset=utf-8"
    "icon.svg" "image/svg+xml"
    "LICENSES.txt" "text/plain; charset=utf-8"
}

/// One of them.
pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&name, &headers)
}

/// The icon, where browsers look for it by themselves.
pub async fn icon(headers: HeaderMap) -> Response {
    file("icon.svg", &headers)
}

fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some((_, kind, bytes)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == TAG.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let put = response.headers_mut();
    put.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    put.insert(ETAG, HeaderValue::from_static(TAG));
    // Asked for again each time, and answered with 304: an update shows at once.
    put.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    put.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
