//! The OpenAPI document: what the handlers say of themselves, completed with what all of them
//! share: keys, errors, headers, webhooks.

mod examples;
mod links;
mod modes;
mod replies;
mod target;
#[cfg(test)]
mod tests;
mod webhooks;

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use super::error::{ApiError, ErrorCode, value};
use super::openapi_types;
use crate::config::Webhooks;

/// What an operation can be refused with, beyond what any can (400, 429, 500).
struct Refusals {
    operation: &'static str,
    codes: &'static [Refused],
}

/// A refusal as the document shows it: its status and its code.
type Refused = (u16, ErrorCode);

const BAD: Refused = (400, ErrorCode::InvalidRequest);
const PLATFORM: Refused = (400, ErrorCode::UnknownPlatform);
const MONEY: Refused = (402, ErrorCode::InsufficientBalance);
const NO_ORDER: Refused = (404, ErrorCode::OrderNotFound);
const NOTHING: Refused = (404, ErrorCode::InvalidRequest);
const BUSY: Refused = (409, ErrorCode::OrderInProgress);
const CONFLICT: Refused = (409, ErrorCode::InvalidRequest);
const KEY_REUSED: Refused = (422, ErrorCode::InvalidRequest);
const PROVIDER: Refused = (503, ErrorCode::ProviderUnavailable);

const REFUSALS: &[Refusals] = &[
    Refusals { operation: "register", codes: &[PROVIDER] },
    Refusals { operation: "availability", codes: &[PLATFORM] },
    Refusals { operation: "depositAddresses", codes: &[PROVIDER] },
    Refusals { operation: "depositAddressQr", codes: &[NOTHING, PROVIDER] },
    Refusals { operation: "verifyDeposit", codes: &[KEY_REUSED, PROVIDER] },
    Refusals {
        operation: "order",
        codes: &[PLATFORM, MONEY, BUSY, CONFLICT, KEY_REUSED, PROVIDER],
    },
    Refusals {
        operation: "verify",
        codes: &[PLATFORM, MONEY, BUSY, CONFLICT, KEY_REUSED, PROVIDER],
    },
    Refusals { operation: "agent", codes: &[MONEY, BUSY, CONFLICT, KEY_REUSED, PROVIDER] },
    Refusals { operation: "batch", codes: &[BUSY, CONFLICT, KEY_REUSED] },
    Refusals { operation: "listOrders", codes: &[NOTHING, PLATFORM] },
    Refusals { operation: "getOrder", codes: &[NO_ORDER, NOTHING] },
    Refusals { operation: "orderEvents", codes: &[NO_ORDER] },
    Refusals { operation: "streamOrder", codes: &[NO_ORDER] },
    Refusals { operation: "cancel", codes: &[NO_ORDER, CONFLICT, KEY_REUSED] },
    Refusals { operation: "finish", codes: &[NO_ORDER, CONFLICT] },
    Refusals { operation: "report", codes: &[NO_ORDER, CONFLICT] },
    Refusals { operation: "createKey", codes: &[CONFLICT] },
    Refusals { operation: "removeKey", codes: &[NOTHING, CONFLICT] },
    Refusals { operation: "account", codes: &[NOTHING] },
    Refusals { operation: "ledger", codes: &[NOTHING] },
    Refusals { operation: "exportAccount", codes: &[NOTHING] },
    Refusals { operation: "idempotencyKey", codes: &[NOTHING] },
    Refusals { operation: "testWebhook", codes: &[CONFLICT] },
    Refusals { operation: "redeliver", codes: &[NOTHING] },
];

/// Operations without a key; two more take a key or none.
const WITHOUT_KEY: [&str; 5] =
    ["register", "registerChallenge", "listServices", "availability", "health"];
const KEY_OPTIONAL: [&str; 2] = ["depositAddresses", "depositAddressQr"];
/// The contract: the six calls that take an idempotency key.
const KEYED: [&str; 6] = ["order", "verify", "agent", "batch", "cancel", "verifyDeposit"];

/// The document as it is served.
pub fn complete(generated: OpenApi, webhooks_allowed: &Webhooks) -> Value {
    let mut document = value(&generated);
    document["info"] = json!({
        "title": "Telenumerus",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "SMS verification: phone numbers and their codes, for programs.",
        "description": "Register without a human, fund a prepaid balance, order a number for one \
         of 33 platforms, get the code by polling, long-poll, SSE or webhook. The guide is at \
         /llms-full.txt.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["servers"] = json!([{ "url": "/" }]);
    document["tags"] = json!([
        { "name": "account", "description": "Registration, balance, tier, history" },
        { "name": "catalogue", "description": "Platforms, countries, prices, success rates" },
        { "name": "deposits", "description": "Money in" },
        { "name": "orders", "description": "Numbers and codes" },
        { "name": "webhooks", "description": "Pushes to you" },
        { "name": "service", "description": "How the service is" },
    ]);
    document["security"] = json!([{ "bearer": [] }, { "apiKey": [] }]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>",
        },
        "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
    });
    components["schemas"]["Error"] = error_schema();
    for (name, schema) in openapi_types::schemas() {
        components["schemas"][name] = value(&schema);
    }
    components["schemas"]["TargetUrl"]["pattern"] = json!(target::pattern(webhooks_allowed));
    components["headers"] = shared_headers();
    for path in document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for operation in
            path.as_object_mut().into_iter().flat_map(|operations| operations.values_mut())
        {
            complete_operation(operation);
        }
    }
    document["webhooks"] = webhooks::all();
    replies::complete(&mut document);
    modes::put(&mut document);
    document
}

fn complete_operation(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    if WITHOUT_KEY.contains(&id.as_str()) {
        operation["security"] = json!([]);
    } else if KEY_OPTIONAL.contains(&id.as_str()) {
        operation["security"] = json!([{}, { "bearer": [] }, { "apiKey": [] }]);
    }
    if KEYED.contains(&id.as_str()) {
        put_idempotency(operation);
    }
    if modes::ORDERING.contains(&id.as_str()) {
        modes::put_scenario(operation);
    }
    if ["register", "cancel", "finish"].contains(&id.as_str()) {
        operation["requestBody"]["required"] = json!(false);
    }
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        never_null(&mut parameter["schema"]);
        if parameter["name"] == "as_of" {
            parameter["example"] = json!("2026-11-24T12:00:00Z");
        }
    }
    let has_body = !operation["requestBody"].is_null();
    let mut refused: Vec<Refused> = vec![
        BAD,
        (429, ErrorCode::RateLimited),
        (500, ErrorCode::InternalError),
        (401, ErrorCode::InvalidApiKey),
    ];
    if !WITHOUT_KEY.contains(&id.as_str()) {
        refused.push((403, ErrorCode::AccountSuspended));
    }
    if has_body {
        refused.extend([
            (408, ErrorCode::InvalidRequest),
            (413, ErrorCode::InvalidRequest),
            (415, ErrorCode::InvalidRequest),
        ]);
    }
    refused.extend(
        REFUSALS
            .iter()
            .filter(|known| known.operation == id)
            .flat_map(|known| known.codes.iter().copied()),
    );
    if id == "agent" {
        operation["responses"]["422"] = not_understood();
    }
    for success in operation["responses"]
        .as_object_mut()
        .into_iter()
        .flat_map(|responses| responses.values_mut())
    {
        put_headers(success, KEYED.contains(&id.as_str()));
    }
    let statuses: std::collections::BTreeSet<u16> =
        refused.iter().map(|(status, _)| *status).collect();
    for status in statuses {
        let codes =
            refused.iter().filter(|(other, _)| *other == status).map(|(_, code)| *code).collect();
        let response = &mut operation["responses"][status.to_string()];
        if response.is_null() {
            *response = refusal(status, codes);
        }
    }
}

/// A parameter is given or left out; `null` would be a text.
fn never_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    let other = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .and_then(|ways| ways.iter().find(|way| way["type"] != "null").cloned());
    if let Some(other) = other {
        *schema = other;
    }
}

fn put_idempotency(operation: &mut Value) {
    let parameter = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Makes retries safe: the same key and body give the same answer and no \
         second effect, for 7 days. May stand in the body as idempotency_key instead.",
        "schema": {
            "type": "string", "minLength": 1, "maxLength": 255,
            "pattern": "^[!#-~]([ -~]{0,253}[!#-~])?$",
        },
    });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

fn put_headers(response: &mut Value, keyed: bool) {
    let names = ["X-Request-Id", "RateLimit", "RateLimit-Policy"];
    for name in names {
        response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
    if keyed {
        response["headers"]["Idempotency-Replayed"] =
            json!({ "$ref": "#/components/headers/Idempotency-Replayed" });
    }
}

fn refusal(status: u16, codes: Vec<ErrorCode>) -> Value {
    let examples: serde_json::Map<String, Value> = codes
        .iter()
        .map(|code| {
            (
                code.name().to_owned(),
                json!({
                    "value": ApiError::new(*code, code.meaning()).object(
                        "req_0000000000000000000000",
                    ),
                }),
            )
        })
        .collect();
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let mut response = json!({
        "description": names.join(" or "),
        "content": {
            "application/json": {
                "schema": { "$ref": "#/components/schemas/Error" }, "examples": examples,
            },
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Error" } },
        },
    });
    put_headers(&mut response, false);
    if codes.iter().any(|code| ApiError::new(*code, "").retry_after_seconds().is_some()) {
        response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" });
    }
    if status == 401 {
        response["headers"]["WWW-Authenticate"] =
            json!({ "$ref": "#/components/headers/WWW-Authenticate" });
    }
    response
}

fn not_understood() -> Value {
    let example = ApiError::invalid("No platform was understood; name exactly one.")
        .with("understood", json!(false))
        .with("suggestions", json!(["Get a Google number in US"]))
        .object("req_0000000000000000000000");
    json!({
        "description": "INVALID_REQUEST: not understood, with suggestions; or the idempotency key \
         was used for another request",
        "content": {
            "application/json": {
                "schema": { "$ref": "#/components/schemas/Error" },
                "examples": { "INVALID_REQUEST": { "value": example } },
            },
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Error" } },
        },
    })
}

fn error_schema() -> Value {
    let codes: Vec<&str> = ErrorCode::ALL.map(ErrorCode::name).into();
    json!({
        "type": "object",
        "description": "Every answer that is not a success. With Accept: \
         application/problem+json, the same members as an RFC 9457 problem.",
        "required": [
            "error", "error_code", "retryable", "retry_after_seconds", "service", "request_id",
        ],
        "properties": {
            "error": { "type": "string", "description": "For people." },
            "error_code": { "type": "string", "enum": codes },
            "retryable": {
                "type": "boolean",
                "description": "Whether the same call may succeed later, and is safe to repeat.",
            },
            "retry_after_seconds": { "type": ["integer", "null"], "minimum": 0 },
            "service": { "type": "string", "const": "Telenumerus" },
            "request_id": { "type": "string" },
            "detail": { "description": "What a program can read about it." },
            "order": { "$ref": "#/components/schemas/Order" },
            "understood": {
                "type": "boolean", "description": "False where a query was not understood.",
            },
            "suggestions": { "type": "array", "items": { "type": "string" } },
        },
    })
}

fn shared_headers() -> Value {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "X-Request-Id": text("The request's name in our logs."),
        "RateLimit": text("What is left, as in the IETF draft: \"default\";r=<calls \
         left>;t=<seconds until the oldest call leaves the window>."),
        "RateLimit-Policy": text("The limit, as in the IETF draft: \"default\";q=<calls>;w=60."),
        "Idempotency-Replayed": text(
            "true where the answer is that of an earlier call under the same key.",
        ),
        "WWW-Authenticate": text("How to authenticate."),
        "Retry-After": {
            "description": "Seconds after which another try makes sense.",
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}
