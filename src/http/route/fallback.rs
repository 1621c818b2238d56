//! Paths and methods that do not exist.

use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::http::error::ApiError;

/// No such path. What the service as a whole takes (`OPTIONS *`) is every path's to say.
pub async fn unknown_path(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS && uri.path() == "*" {
        return StatusCode::NO_CONTENT.into_response();
    }
    let hint = if uri.path().starts_with("/api/v1") {
        ""
    } else {
        " All paths of the API start with /api/v1/."
    };
    ApiError::invalid(format!("There is nothing at this path.{hint}"))
        .with_status(StatusCode::NOT_FOUND)
        .into_response()
}

/// The path exists, for other methods: `OPTIONS` is told which, in `Allow`. There are no headers of
/// CORS: a key in a page is everybody's.
pub async fn wrong_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    ApiError::invalid(format!("This path does not take {method}."))
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .into_response()
}
