//! The table of concepts: what such messages speak of, a word or more in every language.
//!
//! `words/languages.txt` holds it, a section a concept. The other lists hold what a language says
//! beside that.

use super::lexicon::{Class, Edges, class_of};
use super::normal::Text;

const TABLE: &str = include_str!("../words/languages.txt");

/// The class of a section whose words say nothing.
const FILLER: &str = "filler";
/// The scripts of India and Sri Lanka: words stand apart, and take endings.
const INDIC: std::ops::Range<char> = '\u{900}'..'\u{e00}';

/// A word of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its language, as a short code.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests walk the languages"))]
    pub language: &'static str,
    /// The header of its section: the concept and its class.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests walk the concepts"))]
    pub concept: &'static str,
    /// What it says about a number.
    pub class: Class,
    /// How much of a word it is: all of it, or its beginning.
    pub edges: Edges,
    /// As it is written.
    pub word: &'static str,
}

/// Every word of the table that says something. A section of an unknown class has none; a test
/// reads every header.
pub fn entries() -> impl Iterator<Item = Entry> {
    rows().filter_map(|(language, concept, written)| {
        let (_, class) = concept.rsplit_once(' ')?;
        let (word, starts) =
            written.strip_suffix('*').map_or((written, false), |stem| (stem, true));
        let edges = if starts { Edges::Start } else { Edges::Whole };
        Some(Entry { language, concept, class: class_of(class)?, edges, word })
    })
}

/// Every word that says nothing, and whether it tells that something was sent to somebody.
pub fn fillers() -> impl Iterator<Item = (&'static str, bool)> {
    rows()
        .filter(|(_, concept, _)| concept.ends_with(FILLER))
        .map(|(_, concept, word)| (word, concept.starts_with("sent")))
}

/// Lines of a word list, each behind the header of its section, without comments.
pub fn lines(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut header = "";
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(move |line| {
        if let Some(next) = line.strip_prefix('[') {
            header = next.trim_end_matches(']');
            return None;
        }
        Some((header, line))
    })
}

/// Language, header and word, as they are written.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rows = lines(TABLE).filter_map(|(concept, line)| {
        line.split_once(' ').map(|(language, words)| (language, concept, words))
    });
    rows.flat_map(|(language, concept, words)| {
        words.split(" | ").map(move |word| (language, concept, word.trim()))
    })
}

/// Whether the edge at `index` cuts a word of India or Sri Lanka in two.
pub fn is_inside_spaced_word(text: &Text, index: usize) -> bool {
    let is_indic = |place: Option<char>| place.is_some_and(|letter| INDIC.contains(&letter));
    let ends = |place: Option<char>| matches!(place, Some('।' | '॥'));
    let (before, after) = (text.before(index), text.at(index));
    is_indic(before) && is_indic(after) && !ends(before) && !ends(after)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::lexicon;
    use super::super::message::Message;
    use super::super::verdict::{Verdict, extract};
    use super::*;

    #[test]
    fn no_language_lacks_a_concept() {
        let headers = TABLE.lines().filter(|line| line.starts_with('[')).count();
        let mut spoken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (language, concept, _) in rows() {
            spoken.entry(concept).or_default().insert(language);
        }
        let known = spoken.keys().filter(|concept| {
            concept
                .rsplit_once(' ')
                .is_some_and(|(_, class)| class == FILLER || class_of(class).is_some())
        });
        assert_eq!(known.count(), headers, "a header names no class");
        let all: BTreeSet<&str> = spoken.values().flatten().copied().collect();
        assert!(all.len() >= 100, "{}", all.len());
        for (concept, languages) in spoken {
            let missing: Vec<_> = all.difference(&languages).collect();
            assert!(missing.is_empty(), "{concept} lacks {missing:?}");
        }
    }

    #[test]
    fn every_word_of_the_table_is_found_in_a_sentence() {
        let deaf: Vec<String> = entries()
            .filter(|entry| {
                let text = Text::new(&format!("x {} 481207", entry.word));
                let hits = lexicon::find(&text);
                // A longer word of another list may say more of it than the table does.
                let says = |hit: &lexicon::Hit| hit.class == entry.class;
                !hits.iter().any(says) && !hits.iter().any(|hit| hit.class.is_other_kind())
            })
            .map(|entry| format!("{} {}: {}", entry.language, entry.concept, entry.word))
            .collect();
        assert!(deaf.is_empty(), "{deaf:#?}");
    }

    /// The first word of each language for `concept`.
    fn first(concept: &str) -> BTreeMap<&'static str, &'static str> {
        let mut words = BTreeMap::new();
        for entry in entries().filter(|entry| entry.concept == concept) {
            words.entry(entry.language).or_insert(entry.word);
        }
        words
    }

    #[test]
    fn what_is_fetched_opened_or_won_has_no_code_to_log_in_with_in_any_language() {
        // A word for "code" that says what it verifies is none of a door.
        let mut keys = first("code key");
        let verifies = |word: &str| {
            lexicon::find(&Text::new(word)).iter().any(|hit| hit.class == Class::Verify)
        };
        for (language, word) in first("password key") {
            keys.entry(language).and_modify(|key| {
                if verifies(key) {
                    *key = word;
                }
            });
        }
        let mut claimed = Vec::new();
        for concept in ["parcel parcel", "door place", "locker place", "prize ad", "discount ad"] {
            for (language, word) in first(concept) {
                let key = keys[language];
                for text in [
                    format!("{word}: {key} 4812"),
                    format!("{key} {word}: 481207, 12/3"),
                    format!("{word}. {key}: 58120"),
                ] {
                    if matches!(extract(&Message::new(&text), None).verdict, Verdict::Code(_)) {
                        claimed.push(format!("{language} {concept}: {text}"));
                    }
                }
            }
        }
        assert!(claimed.is_empty(), "{}:\n{}", claimed.len(), claimed.join("\n"));
    }

    #[test]
    fn a_code_to_be_kept_secret_is_read_in_every_language() {
        let (keys, secrets, verify) =
            (first("code key"), first("secret secret"), first("verify verify"));
        let mut missed = Vec::new();
        for (language, key) in keys {
            let (secret, verify) = (secrets[language], verify[language]);
            for text in [
                format!("Zeta {key}: 481207. {secret}."),
                format!("{verify} {key}: 5812"),
                format!("Zeta: {key} 48120. {secret}!"),
            ] {
                let verdict = extract(&Message::new(&text), None).verdict;
                if !matches!(&verdict, Verdict::Code(code) if text.contains(code.as_str())) {
                    missed.push(format!("{language}: {text} {verdict:?}"));
                }
            }
        }
        assert!(missed.is_empty(), "{}:\n{}", missed.len(), missed.join("\n"));
    }
}
