//! Names that nobody knows, and what was meant perhaps: the same words for requests and for the
//! configuration.

/// Names at least so alike are one misspelt.
const ALIKE: f64 = 0.8;

/// What is said of a name that is none of those that are known: follows the name in a sentence.
pub fn unknown(name: &str, known: &[&str]) -> String {
    let closest = known
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match closest {
        Some((likeness, other)) if likeness >= ALIKE => {
            format!("is not known here; did you mean {other}?")
        }
        Some(_) => format!("is not known here; known are {}", known.join(", ")),
        None => "is not known here: nothing is to be given".to_owned(),
    }
}
