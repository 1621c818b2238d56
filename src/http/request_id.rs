//! The name of a request: in its answer, in the log, and in the error object.

use actors::kernel::entropy::Entropy;
use axum::http::HeaderName;
use events::id::to_base62;

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request's name in answers and logs.
#[derive(Debug, Clone)]
pub struct RequestId(pub std::sync::Arc<str>);

/// A fresh name of a request.
pub fn request_id(entropy: &Entropy) -> String {
    format!("req_{}", to_base62(u128::from_be_bytes(entropy.bytes())))
}
