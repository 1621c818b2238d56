//! JSON in and out: strict and bounded on the way in, dollars as numbers on the way out.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use events::money::Money;
use events::time::Timestamp;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use url::form_urlencoded;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::Shared;
use super::error::ApiError;
use super::strict_json::{self, Problem};
use crate::moment::of_date;

/// A request's JSON body. An empty one counts as `{}`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        Ok(Self(typed(&json_body(request, app).await?)?))
    }
}

/// A call that takes nothing: its body is empty, or an object without members. Anything else is a
/// mistake that is told before anything happens.
pub struct NoBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl FromRequest<Shared> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let Nothing {} = typed(&json_body(request, app).await?)?;
        Ok(Self)
    }
}

/// Letters of a parameter's name that an error repeats.
const LONGEST_NAME: usize = 40;

/// A parameter in the address of a call that takes everything in its body: whoever wrote it there
/// believes that it counts, and some of these calls spend money.
fn refuse_parameters(request: &Request) -> Result<(), ApiError> {
    let query = request.uri().query().unwrap_or_default();
    let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).next() else { return Ok(()) };
    let name: String =
        name.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    Err(ApiError::of_field(
        &name,
        format!(
            "This call takes nothing in its address; {name} belongs into the body, if the call \
             knows it."
        ),
    ))
}

/// Bodies are read as they come.
pub fn refuse_compressed(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        let text = "The body must not be compressed: send it without Content-Encoding.";
        return Err(ApiError::invalid(text).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Ok(())
}

/// The body's bytes, said to be JSON; `{}` for an empty one.
async fn json_bytes(request: Request, app: &Shared) -> Result<Vec<u8>, ApiError> {
    let is_json = request.headers().get(CONTENT_TYPE).map(|value| {
        let mime = value
            .to_str()
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        mime == "application/json" || (mime.starts_with("application/") && mime.ends_with("+json"))
    });
    refuse_compressed(request.headers())?;
    let bytes = read_body(request, app).await?;
    if bytes.is_empty() {
        return Ok(b"{}".to_vec());
    }
    if is_json != Some(true) {
        let text = "The body must be JSON, with Content-Type: application/json.";
        return Err(ApiError::invalid(text).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Ok(bytes)
}

/// The body as JSON, in which each object has each member once.
pub async fn json_body(request: Request, app: &Shared) -> Result<Value, ApiError> {
    refuse_parameters(&request)?;
    strict_json::parse(&json_bytes(request, app).await?).map_err(ApiError::from)
}

/// What the call takes, in the body that was sent.
pub fn typed<T: DeserializeOwned>(body: &Value) -> Result<T, ApiError> {
    strict_json::from_value(body).map_err(ApiError::from)
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let error = Self::invalid(problem.to_string());
        if problem.field.is_empty() {
            error
        } else {
            error.with_detail(json!({ "field": problem.field }))
        }
    }
}

/// The body as bytes, within the size that is allowed; the accept loop sees to the time.
pub async fn read_body(request: Request, app: &Shared) -> Result<Vec<u8>, ApiError> {
    let http = &app.service.config.http;
    let limit = match request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) {
        Some(path) if path.ends_with("/batch") => http.max_batch_bytes,
        Some(path) if path.starts_with("/inbound/") => http.max_inbound_bytes,
        Some(_) | None => http.max_body_bytes,
    };
    let too_large = || {
        ApiError::invalid(format!("The body is larger than {limit} bytes."))
            .with_status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    // One that is announced too long need not come.
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), limit);
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(ApiError::invalid("The body could not be read to its end.")),
    }
}

/// A request's query parameters; unknown ones are errors, so that a misspelt filter does not go
/// unnoticed.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(Self(strict_json::from_parameters(parts.uri.query().unwrap_or_default())?))
    }
}

/// A whole number with the bounds of its field, of which a refusal speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const LEAST: u64, const MOST: u64>(pub u64);

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wanted = format!("a whole number from {LEAST} to {MOST}");
        let refused = || {
            serde::de::Error::invalid_value(
                serde::de::Unexpected::Other("another value"),
                &wanted.as_str(),
            )
        };
        // A type's own bounds, and what was given in their place, are no news to the caller.
        let number = u64::deserialize(deserializer).map_err(|_| refused())?;
        if (LEAST..=MOST).contains(&number) { Ok(Self(number)) } else { Err(refused()) }
    }
}

/// The largest amount that a caller may name.
const LARGEST: Money = Money::from_cents(100_000_000_000);

/// An amount as a JSON number of dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dollars(pub Money);

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The float closest to the decimal prints as the decimal: exact up to 15 digits, a billion
        // dollars to the micro-dollar.
        let dollars: f64 = self.0.to_string().parse().map_err(serde::ser::Error::custom)?;
        serializer.serialize_f64(dollars)
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        // The number's own text, never its sum: `0.1` is a tenth. An exponent is written out first.
        let text = number.to_string();
        let text = number
            .as_f64()
            .filter(|_| text.contains(['e', 'E']))
            .map_or(text, |number| number.to_string());
        // A limit finer than a micro-dollar is the micro-dollar below.
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let fraction: String = fraction.chars().take(6).collect();
        let amount: Money =
            format!("{whole}.{fraction}").parse().map_err(serde::de::Error::custom)?;
        if amount.is_negative() || amount > LARGEST {
            return Err(serde::de::Error::custom("an amount is from 0 to 1000000000 dollars"));
        }
        Ok(Self(amount))
    }
}

impl PartialSchema for Dollars {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::Number)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)));
        schema
            .description(Some("US dollars, exact to the micro-dollar."))
            .minimum(Some(0))
            .maximum(Some(1_000_000_000))
            .into()
    }
}

impl ToSchema for Dollars {}

/// An amount that may be owed: as a JSON number of dollars, below zero where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedDollars(pub Money);

impl Serialize for SignedDollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Dollars(self.0).serialize(serializer)
    }
}

impl PartialSchema for SignedDollars {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("US dollars; below zero for what goes out."))
            .into()
    }
}

impl ToSchema for SignedDollars {}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        schema.description(Some("RFC 3339, UTC, with milliseconds.")).into()
    }
}

impl ToSchema for Moment {}

/// A moment as RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A moment in a query parameter: a time, or a date in UTC, of which the end may be meant.
pub fn moment(name: &str, text: &str, end_of_day: bool) -> Result<Timestamp, ApiError> {
    // A plus sign that was not encoded has become a space on its way.
    if let Ok(moment) = text.replace(' ', "+").parse::<Timestamp>() {
        return Ok(moment);
    }
    of_date(text, end_of_day).ok_or_else(|| {
        ApiError::of_field(
            name,
            format!(
                "{name} is a date or a time in UTC, such as 2026-11-24 or 2026-11-24T12:00:00Z."
            ),
        )
    })
}

/// Whole seconds, rounded up: what is left of something.
pub fn seconds_up(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_numbers_exact_to_the_micro_dollar() {
        for (micros, text) in [
            (500_000, "0.5"),
            (425_000, "0.425"),
            (283_300, "0.2833"),
            (10_000_000, "10.0"),
            (1, "1e-6"),
            (999_999_999_999_999, "999999999.999999"),
        ] {
            assert_eq!(serde_json::to_string(&Dollars(Money::from_micros(micros))).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Dollars>("0.1").unwrap().0, Money::from_cents(10));
        assert_eq!(serde_json::from_str::<Dollars>("1e-6").unwrap().0, Money::from_micros(1));
        assert_eq!(
            serde_json::from_str::<Dollars>("0.1234567").unwrap().0,
            Money::from_micros(123_456)
        );
        assert_eq!(serde_json::from_str::<Dollars>("1e3").unwrap().0, Money::from_cents(100_000));
        for wrong in ["1e300", "1000000001", "-1", "\"1\"", "null"] {
            assert!(serde_json::from_str::<Dollars>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_whole_number_s_refusal_speaks_of_its_field_s_bounds() {
        for text in ["0", "301", "3.5", "-1", "\"7\"", "true", "[]", "1e30"] {
            let refused =
                strict_json::from_value::<Whole<1, 300>>(&serde_json::from_str(text).unwrap())
                    .unwrap_err();
            assert_eq!(refused.text, "must be a whole number from 1 to 300", "{text}");
        }
        for (text, number) in [("1", 1), ("300", 300), ("120.0", 120)] {
            assert_eq!(
                strict_json::from_value::<Whole<1, 300>>(&serde_json::from_str(text).unwrap()),
                Ok(Whole(number)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_date_as_end_counts_whole() {
        assert_eq!(
            moment("to", "2026-11-24", true).unwrap().to_string(),
            "2026-11-25T00:00:00.000Z"
        );
        for text in ["", "yesterday", "2026-13-01", "24.11.2026"] {
            assert!(moment("to", text, true).is_err(), "{text}");
        }
    }
}
