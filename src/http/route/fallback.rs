//! Paths and methods that do not exist.

use axum::http::{Method, StatusCode, Uri};

use crate::http::error::ApiError;

/// No such path.
pub async fn unknown_path(uri: Uri) -> ApiError {
    let hint = if uri.path().starts_with("/api/v1") { "" } else { " All paths of the API start with /api/v1/." };
    ApiError::invalid(format!("There is nothing at this path.{hint}")).with_status(StatusCode::NOT_FOUND)
}

/// The path exists, for other methods.
pub async fn wrong_method(method: Method) -> ApiError {
    ApiError::invalid(format!("This path does not take {method}.")).with_status(StatusCode::METHOD_NOT_ALLOWED)
}
