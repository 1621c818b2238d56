//! What an operator sees of a caller's secrets before they are revealed: that there is something,
//! and nothing of it.

use events::phone::Phone;
use serde_json::{Value, json};

/// In the place of a text or a code.
pub const HIDDEN: &str = "hidden";

/// Members that hold what callers keep to themselves: codes, texts and their senders.
const SECRETS: [&str; 5] = ["code", "sms", "text", "from", "sender"];

/// Masks phone numbers, codes and texts in an answer, however deep they stand.
pub fn cover(answer: &mut Value) {
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(text) = value.as_str() {
                    if name == "phone" || name == "number" {
                        *value = json!(number(text));
                    } else if SECRETS.contains(&name.as_str()) && !text.is_empty() {
                        *value = json!(HIDDEN);
                    }
                } else {
                    cover(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(cover),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A phone number with its middle taken out.
pub fn number(text: &str) -> String {
    text.parse::<Phone>().map_or_else(|_| HIDDEN.to_owned(), |phone| phone.masked())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_left_however_deep_it_stands() {
        let mut answer = json!({
            "phone": "+12025550123", "code": "482913", "codes": [{ "code": "482913" }],
            "sms": "Your code is 482913", "status": "completed",
            "messages": [{
                "from": "Google", "text": "482913",
                "candidates": [{ "code": "482913", "score": 5 }],
            }],
            "price": 0.5, "number": 3,
        });
        cover(&mut answer);
        let text = answer.to_string();
        for secret in ["2025550123", "482913", "Google"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(
            (answer["phone"].as_str(), answer["status"].as_str(), answer["number"].as_u64()),
            (Some("+120***23"), Some("completed"), Some(3))
        );
    }
}
