//! Live or test: which of the two a caller's account is, said in every reply, and what a test order
//! does.

use axum::body::{Body, to_bytes};
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::response::Response;
use events::order::Scenario;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Shared;
use super::auth::Caller;
use super::error::{ApiError, ErrorCode};

/// The member of replies, stream messages and webhooks.
pub const MEMBER: &str = "livemode";
/// The header that chooses what a test order does, for callers who cannot change the body.
pub const SCENARIO_HEADER: &str = "telenumerus-scenario";

/// Whose orders are real, and whose are tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountMode)]
pub enum ModeWanted {
    /// Orders cost money and have the operator's numbers.
    #[default]
    Live,
    /// Orders are free, have made-up numbers and follow scenarios.
    Test,
}

/// What a call orders: a real number, or a scenario with a test key. A live key with a scenario is
/// a mistake that would cost money, and is refused.
pub fn scenario_of(caller: &Caller, text: Option<&str>) -> Result<Option<Scenario>, ApiError> {
    let known: Vec<&str> = Scenario::ALL.map(Scenario::name).into();
    let unknown = || {
        ApiError::invalid(format!("scenario is one of {}.", known.join(", ")))
            .with_detail(json!({ "field": "scenario", "supported_scenarios": known }))
    };
    let scenario = text
        .map(|text| Scenario::named(&text.to_ascii_lowercase()).ok_or_else(unknown))
        .transpose()?;
    match (caller.is_test(), scenario) {
        (true, scenario) => Ok(Some(scenario.unwrap_or(Scenario::Code))),
        (false, None) => Ok(None),
        // The request is right in itself: it is the key that it does not go with.
        (false, Some(_)) => Err(ApiError::of_field(
            "scenario",
            "Scenarios are for test keys, and this key is live; nothing was ordered. POST \
             /api/v1/keys with {\"mode\": \"test\"} makes a test key.",
        )
        .with_status(StatusCode::CONFLICT)),
    }
}

/// Refuses what is for tests where the operator has switched test mode off.
pub fn check_offered(app: &Shared) -> Result<(), ApiError> {
    if app.service.config.test_mode.enabled {
        Ok(())
    } else {
        Err(ApiError::invalid("Test mode is switched off at this service."))
    }
}

/// A test key where the operator has switched test mode off opens nothing.
pub fn check_key(app: &Shared, caller: &Caller) -> Result<(), ApiError> {
    if caller.is_test() && !app.service.config.test_mode.enabled {
        return Err(ApiError::new(
            ErrorCode::InvalidApiKey,
            "This is a test key, and test mode is switched off at this service.",
        ));
    }
    Ok(())
}

/// The reply with its mode, if it is a JSON object. Documents that are the same for everybody have
/// an `ETag`, and stay as they are.
pub async fn marked(response: Response, is_live: bool) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_json =
        kind.is_some_and(|kind| kind == b"application/json" || kind == b"application/problem+json");
    if !is_json || response.headers().contains_key(ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A reply of ours is whole before it is sent.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let Some(members) = bytes.strip_suffix(b"}").filter(|members| members.starts_with(b"{")) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let separator = if members == b"{" { "" } else { "," };
    let mark = format!("{separator}\"{MEMBER}\":{is_live}}}");
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from([members, mark.as_bytes()].concat()))
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::response::IntoResponse;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn objects_are_marked_and_nothing_else_is() {
        let after = |value: Value| async move {
            to_bytes(marked(Json(value).into_response(), false).await.into_body(), 1_024)
                .await
                .unwrap()
        };
        assert_eq!(after(json!({ "a": 1 })).await, r#"{"a":1,"livemode":false}"#);
        assert_eq!(after(json!({})).await, r#"{"livemode":false}"#);
        assert_eq!(after(json!([1])).await, "[1]");
        let page =
            to_bytes(marked("{}".into_response(), false).await.into_body(), 1_024).await.unwrap();
        assert_eq!(page, "{}");
    }
}
