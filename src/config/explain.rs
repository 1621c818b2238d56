//! What is wrong with a configuration, in the operator's words: the file's line and key, or the
//! variable's own name; what was meant, perhaps.
//!
//! A value may be a secret: it is never repeated.

use std::path::Path;

use figment::Source;
use figment::error::{Actual, Error, Kind};

use crate::spelling::unknown;

/// What variables begin with.
const PREFIX: &str = "TELENUMERUS_";

/// Every mistake, one a line.
pub fn explain(errors: Error) -> String {
    let told: Vec<String> = errors
        .into_iter()
        .map(|error| {
            format!(
                "{}: {}",
                place(&error),
                mistaken_variable(&error).unwrap_or_else(|| what(&error.kind))
            )
        })
        .map(|told| without_source(&told))
        .collect();
    told.join("\n")
}

/// What does not fit together, each with the place of the key that its text begins with: the
/// variable's own name, or the file and its line.
pub fn placed(contradictions: &[String], file: Option<&Path>) -> Vec<String> {
    contradictions.iter().map(|text| text_placed(text, file)).collect()
}

fn text_placed(text: &str, file: Option<&Path>) -> String {
    let key = text.split([' ', ';']).next().unwrap_or_default().trim_end_matches(':');
    let path = parts(key);
    let Some(rest) = text.strip_prefix(key).filter(|_| path.len() > 1) else {
        return text.to_owned();
    };
    let rest = rest.trim_start_matches(':').trim_start();
    let variable = format!("{PREFIX}{}", path.join("__").to_uppercase());
    if std::env::var_os(&variable).is_some() {
        return format!("{variable}: {rest}");
    }
    let line = file
        .and_then(|file| std::fs::read_to_string(file).ok())
        .and_then(|written| line_of(&written, &path));
    match (file, line) {
        (Some(file), Some(line)) => format!("{}:{line}, {key}: {rest}", shown(file)),
        _ => text.to_owned(),
    }
}

/// Where a file is no TOML, its parser shows the line with all that stands on it, a secret perhaps:
/// the place and the reason remain.
fn without_source(told: &str) -> String {
    let Some((file, parsed)) = told.split_once("TOML parse error at line ") else {
        return told.to_owned();
    };
    let mut lines = parsed.lines();
    let place = lines.next().unwrap_or_default();
    let (line, column) = place.split_once(", column ").unwrap_or((place, ""));
    // `4 | xpub = …` and `  | ^^^` before it.
    let is_source = |line: &&str| {
        line.split_once('|')
            .is_none_or(|(number, _)| !number.trim().bytes().all(|byte| byte.is_ascii_digit()))
    };
    let reason: Vec<&str> =
        lines.filter(is_source).map(str::trim).filter(|line| !line.is_empty()).collect();
    format!(
        "{}:{line}, column {column}: {}",
        file.trim_end().trim_end_matches(':'),
        reason.join("; ")
    )
}

/// Where the mistake stands.
fn place(error: &Error) -> String {
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    let key = path.join(".");
    let metadata = error.metadata.as_ref();
    match metadata.and_then(|metadata| metadata.source.as_ref()) {
        Some(Source::File(file)) => {
            let line = std::fs::read_to_string(file).ok().and_then(|text| line_of(&text, &path));
            let line = line.map_or_else(String::new, |line| format!(":{line}"));
            let key = if key.is_empty() { String::new() } else { format!(", {key}") };
            format!("{}{line}{key}", shown(file))
        }
        _ if metadata.is_some_and(|metadata| metadata.name.contains("environment")) => {
            format!("{PREFIX}{}", path.join("__").to_uppercase())
        }
        _ if key.is_empty() => "the configuration".to_owned(),
        _ => key,
    }
}

/// Of a variable that no key is named by: the one that has two underscores between a table and its
/// key.
fn mistaken_variable(error: &Error) -> Option<String> {
    let Kind::UnknownField(name, known) = &error.kind else { return None };
    let is_variable =
        error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment"));
    let (table, rest) = known
        .iter()
        .find_map(|table| Some((table, name.strip_prefix(table)?.strip_prefix('_')?)))?;
    let meant = format!("{PREFIX}{}__{}", table.to_uppercase(), rest.to_uppercase());
    (is_variable && !rest.is_empty()).then(|| format!("is not known here; did you mean {meant}?"))
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// The line on which a key is written, from 1: under its table's header, or as a dotted key.
fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let (mut table, mut closest) = (Vec::new(), None);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            table = parts(header.trim_start_matches('[').split(']').next().unwrap_or_default());
            if !table.is_empty() && path.starts_with(&table) {
                closest = Some(index + 1);
            }
        } else if let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let written: Vec<String> = table.iter().cloned().chain(parts(key)).collect();
            // Elements of arrays have numbers in the path and none in the file.
            let meant: Vec<&String> =
                path.iter().filter(|part| part.parse::<usize>().is_err()).collect();
            if meant.len() >= written.len()
                && written.iter().zip(&meant).all(|(written, meant)| written == *meant)
            {
                if meant.len() == written.len() {
                    return Some(index + 1);
                }
                // A value that holds what is meant; or a key that another one begins with.
                closest = Some(index + 1);
            }
        }
    }
    closest
}

fn parts(dotted: &str) -> Vec<String> {
    dotted
        .split('.')
        .map(|part| part.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

fn what(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(actual, expected) => {
            format!("is {}, and must be {}", kind_of(actual), meant(expected))
        }
        Kind::InvalidValue(_, expected) | Kind::InvalidLength(_, expected) => {
            format!("must be {}", meant(expected))
        }
        Kind::UnknownField(name, known) => unknown(name, known),
        Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
        Kind::MissingField(name) => format!("{name} is missing"),
        Kind::DuplicateField(name) => format!("{name} is written twice"),
        Kind::Message(text) if text == "invalid socket address syntax" => {
            "must be an address and a port, such as 127.0.0.1:8080".to_owned()
        }
        // Also what a TOML file is not: its parser names line and column.
        Kind::Message(text) => text.trim_end().to_owned(),
        Kind::Unsupported(_)
        | Kind::UnsupportedKey(..)
        | Kind::ISizeOutOfRange(_)
        | Kind::USizeOutOfRange(_) => "is a value that cannot stand here".to_owned(),
    }
}

fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => "a text",
        Actual::Seq => "an array",
        Actual::Map => "a table",
        _ => "something else",
    }
}

/// serde's names of types, in words.
fn meant(expected: &str) -> String {
    match expected {
        "a string" | "string" | "a borrowed string" => "a text".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below 0".to_owned(),
        "i64" | "i32" => "a whole number".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "a sequence" => "an array".to_owned(),
        "enum HeldKind" => {
            "a text: \"bank_transaction\", \"password_reset\" or \"person_name\"".to_owned()
        }
        other if other.starts_with("enum ") => "a text: one of its words".to_owned(),
        other if other.starts_with("struct ") || other == "a map" => "a table".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_toml_is_told_without_what_stands_there() {
        for text in [
            "[deposits.btc]\nxpub=xprv9xpXFhFpqdQK3swordfish\n",
            "[admin]\ntoken = \"swordfish\n",
            "[admin]\ntoken = \"a\"\ntoken = \"swordfish\"\n",
            "swordfish",
            "[admin]\ntoken = 'sword' fish swordfish",
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let config: Result<figment::value::Dict, _> = figment::Figment::new()
                .merge(<figment::providers::Toml as figment::providers::Format>::file(file.path()))
                .extract();
            let told = explain(config.unwrap_err());
            assert!(!told.contains("swordfish") && !told.contains('\n'), "{told}");
            assert!(
                told.starts_with(&file.path().display().to_string()) && told.contains(", column "),
                "{told}"
            );
        }
    }

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "# a = 1\n[http]\nlisten = \"x\"\n\n[[suppliers.own.numbers]]\nnumber = \"+1\"\n[orders]\nlifetime_seconds = 1\nlog.level = \"x\"\n";
        let line =
            |path: &str| line_of(text, &path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(line("http.listen"), Some(3));
        assert_eq!(line("suppliers.own.numbers.0.number"), Some(6));
        assert_eq!(line("orders.lifetime_seconds"), Some(8));
        assert_eq!(line("http"), Some(2), "a table alone");
        assert_eq!(line("webhooks.url"), None);
    }
}
