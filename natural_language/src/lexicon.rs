//! Names in a sentence: all of a lexicon's at once, in one pass; the longest wins where they overlap.

use aho_corasick::{AhoCorasick, MatchKind};

use super::fold::{comparable, fold, is_unspaced, is_word};

/// From how many letters on a name counts without its accents: shorter ones are other words then (Vietnamese Ý is Spanish y).
const FOLDED_FROM: usize = 5;

/// What scripts write in front of a name without a space, letters last to first.
const JOINED: [(std::ops::RangeInclusive<char>, &[&str]); 2] =
    [('\u{600}'..='\u{6ff}', &["لا", "ل", "لل", "ب", "لاب", "و", "ف", "ك", "لاو", "لاك"]), ('\u{5d0}'..='\u{5ea}', &["ה", "ו", "ב", "ל", "מ"])];

/// Names, each of one thing.
#[derive(Debug)]
pub struct Lexicon {
    exact: AhoCorasick,
    folded: AhoCorasick,
    exact_names: Vec<(String, usize)>,
    folded_names: Vec<(String, usize)>,
    /// What the names are of.
    pub things: Vec<String>,
    /// From how many letters on a name may be the beginning of a longer word; `None`: never.
    prefix_from: Option<usize>,
}

/// A name found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Of what.
    pub thing: String,
    /// The name.
    pub name: String,
    start: usize,
    end: usize,
}

impl Lexicon {
    /// A lexicon of files: `thing<TAB>name|name`, `#` for remarks. A name in an earlier file is not another's in a later one.
    pub fn of(files: &[&str], prefix_from: Option<usize>) -> Self {
        let mut things: Vec<String> = Vec::new();
        let mut exact_names: Vec<(String, usize)> = Vec::new();
        let mut known = std::collections::BTreeMap::new();
        for line in files.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('#')) {
            let Some((thing, names)) = line.split_once('\t') else { continue };
            let place = things.iter().position(|other| other == thing).unwrap_or_else(|| {
                things.push(thing.to_owned());
                things.len() - 1
            });
            for name in names.split('|').filter(|name| !name.is_empty()).map(comparable) {
                if let std::collections::btree_map::Entry::Vacant(entry) = known.entry(name.clone()) {
                    entry.insert(place);
                    exact_names.push((name, place));
                }
            }
        }
        let mut folded_known = std::collections::BTreeMap::new();
        for (name, place) in &exact_names {
            if name.chars().filter(|character| is_word(*character)).count() >= FOLDED_FROM || name.chars().any(is_unspaced) {
                folded_known.entry(fold(name)).or_insert(*place);
            }
        }
        let folded_names: Vec<(String, usize)> = folded_known.into_iter().collect();
        let automaton = |names: &[(String, usize)]| {
            let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(names.iter().map(|(name, _)| name.as_str()));
            automaton.expect("a few thousand names make an automaton")
        };
        Self { exact: automaton(&exact_names), folded: automaton(&folded_names), exact_names, folded_names, things, prefix_from }
    }

    /// Every name in the sentence that is no part of a longer one.
    pub fn find(&self, lower: &str, folded: &str) -> Vec<Found> {
        let mut found = self.find_in(&self.exact, &self.exact_names, lower);
        for other in self.find_in(&self.folded, &self.folded_names, folded) {
            if !found.iter().any(|known| known.thing == other.thing) {
                found.push(other);
            }
        }
        found
    }

    fn find_in(&self, automaton: &AhoCorasick, names: &[(String, usize)], text: &str) -> Vec<Found> {
        let mut matches: Vec<_> = automaton.find_overlapping_iter(text).filter(|found| self.stands_alone(text, found.start(), found.end())).collect();
        matches.sort_by_key(|found| (std::cmp::Reverse(found.len()), found.start()));
        let mut taken: Vec<Found> = Vec::new();
        for found in matches {
            if taken.iter().any(|other| found.start() < other.end && other.start < found.end()) {
                continue;
            }
            let (name, place) = &names[found.pattern().as_usize()];
            taken.push(Found { thing: self.things[*place].clone(), name: name.clone(), start: found.start(), end: found.end() });
        }
        taken
    }

    /// Whether a name is a word of its own there, or the beginning of one where it may be.
    fn stands_alone(&self, text: &str, start: usize, end: usize) -> bool {
        let name = &text[start..end];
        let (Some(first), Some(last)) = (name.chars().next(), name.chars().next_back()) else { return false };
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        // A script without spaces has no word ends; beside another script, a name is a word (`LINE認証`).
        let joins = |neighbour: Option<char>, own: char| {
            neighbour.is_some_and(|neighbour| is_word(neighbour) && !is_unspaced(neighbour) && !is_unspaced(own))
        };
        if joins(before, first) && !(name.chars().count() >= 4 && is_joined_word(&text[..start])) {
            return false;
        }
        if !joins(after, last) {
            return true;
        }
        let letters = name.chars().count();
        self.prefix_from.is_some_and(|from| letters >= if first.is_ascii() { from } else { from - 1 })
    }
}

/// Whether what stands right in front of a name is no part of it: Arabic writes its article and prepositions so (`للواتساب`), Hebrew its
/// one-letter ones (`לגוגל`).
fn is_joined_word(before: &str) -> bool {
    let is_of = |script: &std::ops::RangeInclusive<char>| before.chars().next_back().is_some_and(|letter| script.contains(&letter));
    let reversed: String = before.chars().rev().take_while(|character| is_word(*character)).collect();
    JOINED.iter().any(|(script, words)| is_of(script) && words.contains(&reversed.as_str()))
}
