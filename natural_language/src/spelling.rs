//! Words a slip away from known ones. A slip that could be read in several ways is read in all of
//! them, and what speaks against an order counts.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use strsim::osa_distance;

use super::dictionary::{Dictionary, Kind, Meaning};
use super::fold::is_unspaced;
use super::segment::{Span, is_english};

/// Words with their letters' number and their meanings.
type Known = Vec<(&'static str, usize, &'static [Meaning])>;

/// Single words of languages that have letters, by the first one.
static WORDS: LazyLock<HashMap<char, Known>> = LazyLock::new(|| {
    let mut words: HashMap<char, Known> = HashMap::new();
    for (key, meanings) in Dictionary::get().words() {
        let is_word = meanings
            .iter()
            .any(|meaning| matches!(meaning, Meaning::Word(_, kind) if *kind != Kind::Filler));
        if let Some(first) = key.chars().next().filter(|_| {
            is_word && key.len() >= 5 && !key.contains(' ') && !key.chars().any(is_unspaced)
        }) {
            words.entry(first).or_default().push((key, key.chars().count(), meanings));
        }
    }
    words
});

/// What a word is probably meant as, in a language that other words of the sentence are of; in
/// English, too, where none is known.
pub fn meant(word: &str, spans: &[Span]) -> Vec<Meaning> {
    let letters = word.chars().count();
    if letters < 5 || word.chars().any(|character| is_unspaced(character) || character.is_numeric())
    {
        return Vec::new();
    }
    let dictionary = Dictionary::get();
    let english = dictionary.languages.iter().position(|language| language == "en");
    let words = spans.iter().flat_map(|span| &span.meanings);
    let mut spoken: BTreeSet<u8> = words
        .filter_map(
            |meaning| if let Meaning::Word(language, _) = meaning { Some(*language) } else { None },
        )
        .collect();
    if let Some(english) =
        english.and_then(|place| u8::try_from(place).ok()).filter(|_| is_english(spans))
    {
        spoken.insert(english);
    }
    let is_spoken = |meaning: &&Meaning| {
        let Meaning::Word(language, _) = meaning else { return false };
        spoken.contains(language)
    };
    let allowed = if letters >= 8 { 2 } else { 1 };
    let first = word.chars().next().unwrap_or_default();
    let near = WORDS.get(&first).into_iter().flatten().filter(|(known, length, meanings)| {
        length.abs_diff(letters) <= allowed
            && meanings.iter().any(|meaning| is_spoken(&meaning))
            && osa_distance(known, word) <= allowed
    });
    // Of short words too many are a letter apart: nobody orders who leaves.
    let is_asking = |kind: Kind| matches!(kind, Kind::Want | Kind::Give | Kind::Polite);
    let is_sure = |meaning: &&Meaning| {
        letters >= 6
            || !matches!(
                meaning,
                Meaning::Word(language, kind)
                    if is_asking(*kind) && english == Some(usize::from(*language))
            )
    };
    let mut meant: Vec<Meaning> = near
        .flat_map(|(_, _, meanings)| meanings.iter())
        .filter(is_spoken)
        .filter(is_sure)
        .copied()
        .collect();
    meant.sort_unstable();
    meant.dedup();
    meant
}
