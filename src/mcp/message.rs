//! One message of the protocol, read strictly: what it is refused for before anything comes of it,
//! over HTTP and stdio alike.

use rmcp::model::ErrorCode;
use serde_json::{Value, json};

use crate::http::strict_json::{self, kind};

/// Larger than any call of a tool.
pub const MAX_BYTES: usize = 64 * 1024;

/// What the params of a request must hold: a text of this name, and perhaps an object of that one.
const PARAMS: [(&str, &str, Option<&str>); 6] = [
    ("tools/call", "name", Some("arguments")),
    ("prompts/get", "name", Some("arguments")),
    ("resources/read", "uri", None),
    ("tasks/get", "taskId", None),
    ("tasks/cancel", "taskId", None),
    ("tasks/update", "taskId", None),
];

/// Whether a message answers a request: it names no method.
pub fn is_response(message: &Value) -> bool {
    message.get("method").is_none()
}

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// JSON-RPC's own.
    pub code: ErrorCode,
    /// The message's, where it can be told.
    pub id: Value,
    /// What is wrong.
    pub text: String,
}

impl Refusal {
    /// Of what is no message with an id.
    pub fn of_nobody(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, id: Value::Null, text: text.into() }
    }

    /// As an error of the protocol.
    pub fn body(&self) -> Value {
        json!({
            "jsonrpc": "2.0", "id": self.id, "error": { "code": self.code, "message": self.text },
        })
    }
}

/// One message; of a request, the params are of the kind that its method takes.
pub fn read(bytes: &[u8]) -> Result<Value, Refusal> {
    let message = strict_json::parse(bytes).map_err(|problem| {
        // The id is told where the text is JSON and another member is given twice: whoever waits
        // for an answer has one.
        let lenient = if problem.field.is_empty() || problem.field == "id" {
            Value::Null
        } else {
            serde_json::from_slice(bytes).unwrap_or_default()
        };
        Refusal { code: ErrorCode::PARSE_ERROR, id: id_of(&lenient), text: problem.to_string() }
    })?;
    let is_message = message["jsonrpc"] == "2.0"
        && (message["method"].is_string()
            || message.get("result").is_some()
            || message.get("error").is_some());
    if !is_message {
        let text = "the message is not one JSON-RPC 2.0 message";
        return Err(Refusal {
            code: ErrorCode::INVALID_REQUEST,
            id: id_of(&message),
            text: text.to_owned(),
        });
    }
    if let Some(id) = message.get("id").filter(|id| !is_id(id)) {
        return Err(Refusal::of_nobody(
            ErrorCode::INVALID_REQUEST,
            format!("id must be a text or an integer, not {}", shown_id(id)),
        ));
    }
    match wrong_params(&message) {
        Some(text) if message.get("id").is_some() => {
            Err(Refusal { code: ErrorCode::INVALID_PARAMS, id: id_of(&message), text })
        }
        Some(_) | None => Ok(message),
    }
}

/// The id, if it is one that the protocol knows.
fn id_of(message: &Value) -> Value {
    message.get("id").filter(|id| is_id(id)).cloned().unwrap_or_default()
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64()
}

fn shown_id(id: &Value) -> &'static str {
    if id.is_number() { "another number" } else { kind(id) }
}

fn wrong_params(message: &Value) -> Option<String> {
    let method = message["method"].as_str()?;
    let params = &message["params"];
    let needs = PARAMS.iter().find(|(name, ..)| *name == method);
    if !params.is_object() {
        let is_missing = params.is_null();
        return (needs.is_some() || !is_missing).then(|| {
            if is_missing {
                format!("{method} needs params")
            } else {
                format!("params must be an object, not {}", kind(params))
            }
        });
    }
    let (_, text, object) = needs?;
    match &params[*text] {
        Value::String(_) => {}
        Value::Null => return Some(format!("params.{text} is missing")),
        other => return Some(format!("params.{text} must be a text, not {}", kind(other))),
    }
    let given = &params[(*object)?];
    (!given.is_object() && !given.is_null()).then(|| {
        format!("params.{} must be an object, not {}", object.unwrap_or_default(), kind(given))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a message is refused so.
    fn assert_refused(text: &str, code: i32, id: &Value, words: &str) {
        let refusal = read(text.as_bytes()).unwrap_err();
        assert_eq!((refusal.code.0, &refusal.id), (code, id), "{text}");
        assert!(refusal.text.contains(words), "{text}: {}", refusal.text);
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_reason_and_its_id_where_it_has_one() {
        let cases = [
            ("hello", -32_700, Value::Null, "not JSON"),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}"#,
                -32_700,
                Value::Null,
                "not JSON",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
                -32_700,
                Value::Null,
                "id is given twice.",
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":[{"b":1,"b":1}]}}"#,
                -32_700,
                json!(7),
                "params.a[0].b is given twice.",
            ),
            ("[]", -32_600, Value::Null, "not one JSON-RPC"),
            (r#"{"id":"x","method":"ping"}"#, -32_600, json!("x"), "not one JSON-RPC"),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
                -32_600,
                Value::Null,
                "id must be a text or an integer, not null",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
                -32_600,
                Value::Null,
                "not another number",
            ),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32_600, Value::Null, "not an object"),
        ];
        for (text, code, id, words) in cases {
            assert_refused(text, code, &id, words);
        }
    }

    #[test]
    fn params_that_do_not_fit_are_refused_with_their_member() {
        let cases = [
            (r#"{"jsonrpc":"2.0","id":3,"method":"tools/call"}"#, "needs params"),
            (
                r#"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":[]}"#,
                "params must be an object, not an array",
            ),
            (
                r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":5}}"#,
                "params.name must be a text, not a number",
            ),
            (
                r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{}}"#,
                "params.name is missing",
            ),
            (
                r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a","arguments":"{}"}}"#,
                "params.arguments must be an object, not a text",
            ),
        ];
        for (text, words) in cases {
            assert_refused(text, -32_602, &json!(3), words);
        }
    }

    #[test]
    fn messages_are_taken() {
        for text in [
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a","arguments":null}}"#,
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":3,"result":{}}"#,
        ] {
            assert!(read(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
