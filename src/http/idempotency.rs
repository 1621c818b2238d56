//! Idempotency keys in requests: where they stand, and what makes two requests the same.

use axum::extract::{FromRequest, OriginalUri, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use events::account::idempotency::{Key, KeyUse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Shared;
use super::error::ApiError;
use super::json::json_body;
use super::livemode::SCENARIO_HEADER;
use super::strict_json::{self, Problem};

/// The calls that order, and so take a scenario.
const ORDERING: [&str; 4] = ["/order", "/verify", "/agent", "/batch"];
const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A body that may come with an idempotency key, in it or in the header.
pub struct Keyed<T> {
    /// The body, without the key.
    pub body: T,
    /// The key, and what it is used for.
    pub key: Option<KeyUse>,
}

impl<T: DeserializeOwned> FromRequest<Shared> for Keyed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let header = header_key(request.headers())?;
        // As the caller wrote it: the order's id in it is part of what the key is used for.
        let path = request
            .extensions()
            .get::<OriginalUri>()
            .map_or_else(|| request.uri().path().to_owned(), |uri| uri.path().to_owned());
        let call = format!("{} {path}", request.method());
        let scenario = ORDERING
            .iter()
            .any(|ordering| path.ends_with(ordering))
            .then(|| header_scenario(request.headers()))
            .transpose()?
            .flatten();
        let mut body = json_body(request, app).await?;
        if let Some(scenario) = scenario {
            put_scenario(&mut body, scenario)?;
        }
        let in_body = body.as_object_mut().and_then(|object| object.remove("idempotency_key"));
        let in_body = match in_body {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.parse::<Key>().map_err(|error| {
                ApiError::of_field("idempotency_key", format!("idempotency_key: {error}."))
            })?),
            Some(_) => {
                return Err(ApiError::of_field("idempotency_key", "idempotency_key is a text."));
            }
        };
        let key = match (header, in_body) {
            (Some(header), Some(in_body)) if header != in_body => {
                return Err(ApiError::invalid(
                    "The Idempotency-Key header and idempotency_key in the body differ; send one, \
                     or the same.",
                ));
            }
            (header, in_body) => header.or(in_body),
        };
        let at = app.service.clock.now();
        let key = key.map(|key| KeyUse { key, fingerprint: fingerprint(&call, &body), at });
        let body = strict_json::from_value(&body)
            .map_err(|problem: Problem| problem.also_knowing("idempotency_key"))?;
        Ok(Self { body, key })
    }
}

/// A test order's scenario, by its header.
fn header_scenario(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(SCENARIO_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(|text| Some(text.trim().to_owned()))
        .ok_or_else(|| ApiError::invalid("Telenumerus-Scenario is the name of one scenario."))
}

/// The header says the same as the member of the body: what a key is used for does not hang on
/// where it stands.
fn put_scenario(body: &mut Value, scenario: String) -> Result<(), ApiError> {
    let Some(members) = body.as_object_mut() else { return Ok(()) };
    match members.get("scenario") {
        None | Some(Value::Null) => {
            drop(members.insert("scenario".to_owned(), Value::String(scenario)));
        }
        Some(Value::String(text)) if *text != scenario => {
            return Err(ApiError::invalid(
                "The Telenumerus-Scenario header and scenario in the \
                body differ; send one, or the same.",
            )
            .with_status(StatusCode::CONFLICT));
        }
        Some(_) => {}
    }
    Ok(())
}

fn header_key(headers: &HeaderMap) -> Result<Option<Key>, ApiError> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::invalid("There is more than one Idempotency-Key header."));
    }
    let text = value.to_str().map_err(|_| {
        ApiError::invalid(
            "Idempotency-Key: an idempotency key is 1 to 255 printable ASCII characters.",
        )
    })?;
    // The IETF's draft writes it as a quoted string; without quotes it is the same key.
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    text.parse().map(Some).map_err(|error| ApiError::invalid(format!("Idempotency-Key: {error}.")))
}

/// SHA-256 of the call and its body: the same however its members are ordered and spaced.
pub fn fingerprint(call: &str, body: &Value) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(call.as_bytes());
    digest.update([0]);
    digest.update(canonical(body).to_string().as_bytes());
    digest.finalize().into()
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            // A member that is null says the same as one that is absent.
            Value::Object(
                sorted
                    .into_iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (name.clone(), canonical(value)))
                    .collect(),
            )
        }
        Value::Array(elements) => Value::Array(elements.iter().map(canonical).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// An answer that may be one given before.
#[derive(Debug)]
pub struct Answer<T> {
    /// The answer.
    pub body: T,
    /// Whether its effect was there before, under the same key.
    pub replayed: bool,
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.body).into_response();
        mark(&mut response, self.replayed);
        response
    }
}

/// Says in the header that this is the answer given before.
pub fn mark(response: &mut Response, replayed: bool) {
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_and_nulls_do_not_make_another_request() {
        let one = json!({ "platform": "google", "country": "US", "orders": [{ "b": 1, "a": 2 }] });
        let same: Value = serde_json::from_str(
            r#"{"orders": [{"a":2,"b":1}], "max_price": null, "country":"US","platform":"google"}"#,
        )
        .unwrap();
        assert_eq!(fingerprint("POST /order", &one), fingerprint("POST /order", &same));
    }

    #[test]
    fn another_call_or_value_is_another_request() {
        let body = json!({ "platform": "google" });
        assert_ne!(fingerprint("POST /order", &body), fingerprint("POST /verify", &body));
        assert_ne!(
            fingerprint("POST /order", &body),
            fingerprint("POST /order", &json!({ "platform": "Google" }))
        );
        assert_ne!(
            fingerprint("POST /order", &json!({ "a": [1, 2] })),
            fingerprint("POST /order", &json!({ "a": [2, 1] }))
        );
    }

    #[test]
    fn keys_in_headers_are_read_plain_and_quoted_and_hostile_ones_refused() {
        let key = |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).ok()?;
            let headers: HeaderMap =
                [(HeaderName::from_static(HEADER), value)].into_iter().collect();
            header_key(&headers).ok().flatten().map(|key| key.as_str().to_owned())
        };
        assert_eq!(key(b"abc").as_deref(), Some("abc"));
        assert_eq!(key(b"\"abc\"").as_deref(), Some("abc"));
        for hostile in [b"".as_slice(), b"\"\"", "é".as_bytes(), &[b'k'; 256]] {
            assert_eq!(key(hostile), None);
        }
    }
}
