//! What the owner of a suspended account may still do: see an order that runs, and give it up.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::auth::Caller;
use super::error::ApiError;

/// Who is calling, also where the account is suspended.
///
/// An operator's suspension stops orders and whatever waits for news of them. An order that runs
/// has its number and its hold: it ends by its own rule, as if nothing had happened (completed by
/// its code, or expired and paid back), and its owner may look at it and cancel it until then.
#[derive(Clone)]
pub struct Owner(pub Caller);

impl Owner {
    /// Whether the account was suspended when the call arrived.
    pub fn is_suspended(&self) -> bool {
        self.0.is_suspended()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Caller>() {
            Some(caller) if caller.is_suspended() => Ok(Self(caller.clone())),
            Some(_) | None => Caller::from_request_parts(parts, state).await.map(Self),
        }
    }
}
