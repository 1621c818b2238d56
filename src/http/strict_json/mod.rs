//! Requests read strictly: one value for each member, objects where objects are meant, errors that
//! name the field.
//!
//! serde's own reading is kind to mistakes that cost money here: it takes an array for an object by
//! position, and the last of two members of one name. Its error texts speak of Rust types and
//! repeat the caller's values. Proved by: the tests below, and `tests/it/errors.rs` over every call
//! with a body.

mod document;
mod typed;

use std::fmt;

use serde_json::Value;

use crate::spelling::unknown;

pub use document::parse;
pub use typed::{from_parameters, from_value};

/// Why a request was not understood: the field it is about, and what is wrong with it in the API's
/// words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as `orders[2].platform`; empty for the body itself.
    pub field: String,
    /// What is wrong, as what follows the field in a sentence.
    pub text: String,
    /// Where the member is one that is not known: those that are.
    known: Option<&'static [&'static str]>,
}

impl Problem {
    fn new(field: impl fmt::Display, text: impl Into<String>) -> Self {
        Self { field: field.to_string(), text: text.into(), known: None }
    }

    /// The problem of a body of which another member is known, too, and was read before.
    pub fn also_knowing(self, member: &'static str) -> Self {
        match self.known.filter(|_| !self.field.contains(['.', '['])) {
            Some(known) => {
                Self { text: unknown(&self.field, &[known, &[member]].concat()), ..self }
            }
            None => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "The request" } else { &self.field };
        let end = if self.text.ends_with('?') { "" } else { "." };
        write!(f, "{field} {}{end}", self.text)
    }
}

/// Characters of a member's name that an error repeats.
const SHOWN_NAME: usize = 64;

/// A name as an error may repeat it: bounded, without control characters.
fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(SHOWN_NAME).collect()
}

/// What a JSON value is, in the API's words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Batch {
        orders: Vec<Item>,
        #[serde(default)]
        dry_run: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Item {
        platform: String,
        #[serde(default)]
        wait: Option<u32>,
        #[serde(default)]
        then: Option<Then>,
        #[serde(default)]
        limit: Option<f64>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Then {
        Keep,
        Cancel,
    }

    fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        parse(text.as_bytes())
            .and_then(|value| from_value(&value))
            .map_err(|problem| problem.to_string())
    }

    fn refused(text: &str) -> String {
        read::<Batch>(text).unwrap_err()
    }

    #[test]
    fn what_is_meant_is_read() {
        let batch: Batch =
            read(r#"{"orders":[{"platform":"google","wait":3.0,"then":"cancel","limit":1},{"platform":"x","wait":null}],"dry_run":true}"#).unwrap();
        assert!(batch.dry_run);
        assert_eq!(
            batch.orders[0],
            Item {
                platform: "google".into(),
                wait: Some(3),
                then: Some(Then::Cancel),
                limit: Some(1.0)
            }
        );
        assert_eq!(
            batch.orders[1],
            Item { platform: "x".into(), wait: None, then: None, limit: None }
        );
    }

    #[test]
    fn arrays_are_no_objects_at_any_depth() {
        assert_eq!(
            refused(r#"[[{"platform":"google"}]]"#),
            "The request must be an object, not an array."
        );
        assert_eq!(
            refused(r#"{"orders":[["google"]]}"#),
            "orders[0] must be an object, not an array."
        );
    }

    #[test]
    fn a_member_is_given_once_at_any_depth() {
        assert_eq!(
            refused(r#"{"dry_run":true,"orders":[],"dry_run":false}"#),
            "dry_run is given twice."
        );
        assert_eq!(
            refused(r#"{"orders":[{"platform":"a"},{"platform":"a","platform":"b"}]}"#),
            "orders[1].platform is given twice."
        );
        // Written in another way it is the same name.
        assert_eq!(
            refused(r#"{"dry_run":true,"orders":[],"dry\u005frun":false}"#),
            "dry_run is given twice."
        );
    }

    #[test]
    fn null_says_the_same_as_leaving_a_member_out() {
        let batch: Batch = read(
            r#"{"orders":[{"platform":"a","wait":null,"then":null,"limit":null}],"dry_run":null}"#,
        )
        .unwrap();
        assert!(!batch.dry_run && batch.orders[0].then.is_none());
        assert_eq!(refused(r#"{"orders":[{"platform":null}]}"#), "orders[0].platform is missing.");
        assert_eq!(refused(r#"{"orders":null}"#), "orders is missing.");
        assert_eq!(
            refused(r#"{"orders":[],"dry_rum":null}"#),
            "dry_rum is not known here; did you mean dry_run?"
        );
    }

    #[test]
    fn choices_are_texts() {
        assert_eq!(
            refused(r#"{"orders":[{"platform":"a","then":{"cancel":null}}]}"#),
            "orders[0].then must be a text, not an object."
        );
        assert_eq!(
            refused(r#"{"orders":[{"platform":"a","then":"burn"}]}"#),
            "orders[0].then must be one of keep, cancel."
        );
    }

    #[test]
    fn errors_name_the_field_the_row_and_what_was_meant_and_repeat_no_value() {
        for (text, words) in [
            (r#"{"orders":[{"platform":5}]}"#, "orders[0].platform must be a text, not a number."),
            (r#"{"orders":[{}]}"#, "orders[0].platform is missing."),
            (
                r#"{"orders":[{"plattform":"a"}]}"#,
                "orders[0].plattform is not known here; did you mean platform?",
            ),
            (
                r#"{"orders":[{"platform":"a","colour":1}]}"#,
                "orders[0].colour is not known here; known are platform, wait, then, limit.",
            ),
            (
                r#"{"orders":[{"platform":"a","wait":1.5}]}"#,
                "orders[0].wait must be a whole number from 0 to 4294967295.",
            ),
            (
                r#"{"orders":[{"platform":"a","wait":-1}]}"#,
                "orders[0].wait must be a whole number from 0 to 4294967295.",
            ),
            (
                r#"{"orders":[{"platform":"a","wait":"1"}]}"#,
                "orders[0].wait must be a whole number, not a text.",
            ),
            (r#"{"orders":[],"dry_run":"yes"}"#, "dry_run must be true or false, not a text."),
            (
                r#"{"orders":[{"platform":"a","wait":1e400}]}"#,
                "orders[0].wait is a number out of range.",
            ),
            (
                r#"{"orders":[{"platform":"a","wait":-1e999999}]}"#,
                "orders[0].wait is a number out of range.",
            ),
            ("1e400", "The request is a number out of range."),
            (
                r#"{"orders":[{"platform":"a","wait":1e40}]}"#,
                "orders[0].wait must be a whole number from 0 to 4294967295.",
            ),
            (r#"{"orders":{}}"#, "orders must be an array, not an object."),
            (r#""google""#, "The request must be an object, not a text."),
            ("null", "The request must be an object, not null."),
        ] {
            assert_eq!(refused(text), words, "{text}");
        }
        assert!(refused("{\"orders\":[}").starts_with("The request is not JSON: "));
        assert!(refused("{} {}").starts_with("The request is not JSON: "));
        assert!(
            refused(&"[".repeat(100_000)).starts_with("The request is nested too deeply at line 1")
        );
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Query {
        limit: Option<u32>,
        from: Option<String>,
        all: Option<bool>,
    }

    #[test]
    fn parameters_are_texts_that_are_read_as_what_is_meant() {
        let query: Query = from_parameters("limit=5&from=a%20b+c&all=true").unwrap();
        assert_eq!(query, Query { limit: Some(5), from: Some("a b c".into()), all: Some(true) });
        assert_eq!(
            from_parameters::<Query>("").unwrap(),
            Query { limit: None, from: None, all: None }
        );
        let refused = |text: &str| from_parameters::<Query>(text).unwrap_err().to_string();
        assert_eq!(refused("limit=5&limit=6"), "limit is given twice.");
        assert_eq!(refused("limit=five"), "limit must be a whole number from 0 to 4294967295.");
        assert_eq!(refused("limt=5"), "limt is not known here; did you mean limit?");
        assert_eq!(refused("all=maybe"), "all must be true or false.");
    }

    proptest! {
        #[test]
        fn whatever_is_read_without_duplicates_is_what_serde_reads(
            text in ".{0,64}", number in any::<i32>(), flag in any::<bool>(),
        ) {
            let value = json!({ "a": [text, number, { "b": flag, "c": null }] });
            prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes).and_then(|value| from_value::<Batch>(&value));
            let _ = from_parameters::<Query>(&String::from_utf8_lossy(&bytes));
        }
    }
}
