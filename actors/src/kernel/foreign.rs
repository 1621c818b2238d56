//! What others send, read so that no word of theirs reaches a log: an error names the place and the
//! kind, never the value.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};
use thiserror::Error;

/// Longest name of a field that is shown.
const MAX_NAME: usize = 40;
/// Longest word of another's explanation that is shown: keys, hashes and addresses are longer.
const MAX_WORD: usize = 24;
/// Digits of a word that is shown: numbers of phones and codes have more.
const MAX_DIGITS: usize = 3;

/// A body is not what it should be. Its words are ours alone: serde's own would repeat the value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Reads a JSON body.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| unreadable(error.path(), error.inner()))?;
    deserializer.end().map_err(|error| Unreadable(kind(&error)))?;
    Ok(value)
}

/// Reads a JSON value that stood in a body.
pub fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, Unreadable> {
    serde_path_to_error::deserialize(value).map_err(|error| unreadable(error.path(), error.inner()))
}

/// Another's explanation of its refusal, without what could be a number, a code, a key or an
/// address.
pub fn explanation(said: &str, most: usize) -> String {
    let shown: Vec<&str> =
        said.split_whitespace().map(|word| if is_plain(word) { word } else { "…" }).collect();
    shown.join(" ").chars().filter(|letter| !letter.is_control()).take(most).collect()
}

fn is_plain(word: &str) -> bool {
    word.len() <= MAX_WORD && word.chars().filter(char::is_ascii_digit).count() <= MAX_DIGITS
}

fn unreadable(path: &Path, error: &serde_json::Error) -> Unreadable {
    let kind = kind(error);
    // What is no JSON has no place either: a path would end at a name of theirs.
    let place = if error.classify() == Category::Data { shown(path) } else { String::new() };
    Unreadable(if place.is_empty() { kind } else { format!("{place}: {kind}") })
}

/// The path in names of ours: only fields that are read can be wrong.
fn shown(path: &Path) -> String {
    path.iter().fold(String::new(), |shown, segment| match segment {
        Segment::Seq { index } => format!("{shown}[{index}]"),
        Segment::Map { key } => joined(&shown, key),
        Segment::Enum { variant } => joined(&shown, variant),
        Segment::Unknown => joined(&shown, "?"),
    })
}

fn joined(shown: &str, name: &str) -> String {
    let name = if is_name(name) { name } else { "?" };
    if shown.is_empty() { name.to_owned() } else { format!("{shown}.{name}") }
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(is_letter)
}

/// What is wrong, without the value: serde's texts begin with the kind and end with what was
/// expected.
fn kind(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Syntax => return "not JSON".to_owned(),
        Category::Eof => return "JSON that breaks off".to_owned(),
        Category::Io => return "a body that breaks off".to_owned(),
        Category::Data => {}
    }
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    for known in ["missing field", "duplicate field"] {
        let field = text
            .strip_prefix(known)
            .map(|rest| rest.trim_matches([' ', '`']))
            .filter(|field| is_name(field));
        if let Some(field) = field {
            return format!("{known} {field}");
        }
    }
    let known =
        ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];
    let Some(known) = known.into_iter().find(|known| text.starts_with(known)) else {
        return "a value that is none".to_owned();
    };
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{known}, expected {expected}"),
        None => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Shape {
        id: String,
        #[serde(default)]
        part: Option<u8>,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default)]
        cost: Option<Box<RawValue>>,
        #[serde(default)]
        by_name: BTreeMap<String, u8>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Line {
        number: u64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two,
    }

    fn wrong(body: &str) -> String {
        read::<Shape>(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_place_and_kind() {
        for (body, said) in [
            ("{}", "missing field id"),
            (r#"{"id": 482913}"#, "id: invalid type, expected a string"),
            (r#"{"id": "x", "part": 482913}"#, "part: invalid value, expected u8"),
            (
                r#"{"id": "x", "lines": [{"number": 1}, {"number": "G-482913"}]}"#,
                "lines[1].number: invalid type, expected u64",
            ),
            (r#"{"id": "x", "lines": [{}]}"#, "lines[0]: missing field number"),
            (
                r#"{"id": "x", "kind": "482913, expected nothing"}"#,
                "kind: unknown variant, expected `one` or `two`",
            ),
            (
                r#"{"id": "x", "by_name": {"482913": "code"}}"#,
                "by_name.?: invalid type, expected u8",
            ),
            (r#"{"id": "x", "id": "482913"}"#, "duplicate field id"),
            (r#"{"482913": 482913 482913}"#, "not JSON"),
            (r#"{"id": "482913"#, "JSON that breaks off"),
            (r#"{"id": "x"} 482913"#, "not JSON"),
            ("482913", "invalid type, expected struct Shape"),
        ] {
            assert_eq!(wrong(body), said, "{body}");
        }
        let value = serde_json::json!({ "id": "x", "lines": [{ "number": "482913" }] });
        assert_eq!(
            read_value::<Shape>(value).unwrap_err().to_string(),
            "lines[0].number: invalid type, expected u64"
        );
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        let shape: Shape =
            read(br#"{"id": "x", "kind": "one", "cost": 0.10000000000000001, "more": [1]}"#)
                .unwrap();
        assert_eq!(shape.cost.unwrap().get(), "0.10000000000000001");
    }

    #[test]
    fn an_explanation_shows_words_and_no_values() {
        assert_eq!(
            explanation(
                "The number +12025550123 has\nno SMS (code 21422): G-482913 of sk_live_abcdefghijklmnopqrstuvwxyz",
                200
            ),
            "The number … has no SMS (code … … of …"
        );
        assert_eq!(explanation(&"word ".repeat(100), 12), "word word wo");
    }

    proptest::proptest! {
        #[test]
        fn no_value_is_ever_said(value in "[A-Z0-9]{8,30}", place in 0usize..8) {
            let body = match place {
                0 => format!(r#"{{"id": ["{value}"]}}"#),
                1 => format!(r#"{{"id": "x", "part": "{value}"}}"#),
                2 => format!(r#"{{"id": "x", "kind": "{value}"}}"#),
                3 => format!(r#"{{"id": "x", "kind": {{"{value}": 1}}}}"#),
                4 => format!(r#"{{"id": "x", "lines": "{value}"}}"#),
                5 => format!(r#"{{"id": "x", "by_name": {{"{value}1": []}}}}"#),
                6 => format!(r#"{{"{value}": {value}, "{value}""#),
                _ => format!(r#""{value}""#),
            };
            proptest::prop_assert!(!wrong(&body).contains(&value), "{}", wrong(&body));
        }
    }
}
