//! A sentence cut into spans of known meaning, the longest first; what is left is unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::dictionary::{Dictionary, Kind, LONGEST, Meaning, join};
use super::fold::{Text, Word, is_unspaced};

/// Words of a sentence that mean something together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its first word.
    pub start: usize,
    /// Behind its last word.
    pub end: usize,
    /// What it may mean.
    pub meanings: Vec<Meaning>,
}

impl Span {
    /// Whether it may be a platform's name.
    pub fn is_platform(&self) -> bool {
        self.meanings.iter().any(|meaning| matches!(meaning, Meaning::Platform(_)))
    }

    /// Whether it may be a place's name.
    pub fn is_place(&self) -> bool {
        self.meanings.iter().any(|meaning| matches!(meaning, Meaning::Place(_)))
    }

    /// Whether it may be a word of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.meanings.iter().any(|meaning| matches!(meaning, Meaning::Word(_, own) if *own == kind))
    }
}

/// What scripts write in front of a word without a space.
const JOINED: [(std::ops::RangeInclusive<char>, &[&str]); 3] = [
    ('\u{600}'..='\u{6ff}', &["وال", "بال", "كال", "فال", "ال", "لل", "ل", "ب", "و", "ف", "ك"]),
    ('\u{5d0}'..='\u{5ea}', &["וה", "של", "מה", "ב", "ל", "מ", "ה", "ו", "ש", "כ"]),
    ('\u{1200}'..='\u{137f}', &["ለ", "ከ", "የ", "በ"]),
];
/// Signs that no name goes across.
const STOPS: &[char] = &[
    ',', '.', ';', ':', '!', '?', '(', ')', '/', '|', '&', '+', '_', '=', '"', '{', '}', '。',
    '、', '،', '؟', '『', '』', '「', '」',
];

/// The spans of a sentence, in its order; words that are taken already are left out.
pub fn spans(text: &Text, taken: &[bool]) -> Vec<Span> {
    let mut candidates = candidates(text, taken);
    candidates.sort_by_key(|(weight, span)| (std::cmp::Reverse(*weight), span.start));
    let mut free: Vec<bool> = taken.iter().map(|taken| !taken).collect();
    let mut spans = Vec::new();
    for (_, span) in candidates {
        if free[span.start..span.end].iter().all(|free| *free) {
            free[span.start..span.end].fill(false);
            spans.push(span);
        }
    }
    spans.sort_by_key(|span| span.start);
    in_their_language(text, &mut spans);
    without_names(text, &mut spans);
    spans
}

/// The language that writes every noun with a capital.
const CAPITAL_NOUNS: &str = "de";

/// A word that only begins like a known one is a name where it has a capital within the sentence
/// (Koduvir is no inflected `kod`), or where the words known as a whole are of another language:
/// all that it may be taken for is what speaks against an order.
fn without_names(text: &Text, spans: &mut Vec<Span>) {
    let dictionary = Dictionary::get();
    let before_places: Vec<usize> =
        spans.iter().filter(|span| span.is(Kind::BeforePlace)).map(|span| span.end).collect();
    let is_stem = |span: &Span| {
        let word = &text.words[span.start];
        span.end == span.start + 1
            && span.meanings.iter().all(|meaning| language(*meaning).is_some())
            && dictionary.phrase(&word.lower, &word.folded).is_empty()
    };
    let is_name = |span: &Span| {
        text.has_capital_within(span.start)
            && (!text.is_titled || before_places.contains(&span.start))
    };
    let spoken = most_spoken(spans.iter().filter(|span| !is_stem(span)));
    for span in spans.iter_mut().filter(|span| is_stem(span)) {
        let is_named = is_name(span);
        let own: Vec<u8> = span.meanings.iter().filter_map(|meaning| language(*meaning)).collect();
        let is_spoken = |language: u8| {
            spoken.is_empty()
                || (spoken.contains(&language) && spoken.iter().all(|other| own.contains(other)))
        };
        span.meanings.retain(|meaning| match meaning {
            Meaning::Word(_, kind) if kind.is_against() => true,
            Meaning::Word(language, _) if is_named => {
                dictionary.languages[usize::from(*language)] == CAPITAL_NOUNS
            }
            Meaning::Word(language, _) => is_spoken(*language),
            Meaning::Platform(_) | Meaning::Place(_) | Meaning::Brand => true,
        });
    }
    spans.retain(|span| !span.meanings.is_empty());
}

/// The languages that most of these spans are of.
fn most_spoken<'a>(spans: impl Iterator<Item = &'a Span>) -> Vec<u8> {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    for span in spans {
        let languages: BTreeSet<u8> =
            span.meanings.iter().filter_map(|meaning| language(*meaning)).collect();
        for language in languages {
            *counts.entry(language).or_default() += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or_default();
    counts.into_iter().filter(|(_, count)| *count == most).map(|(language, _)| language).collect()
}

fn candidates(text: &Text, taken: &[bool]) -> Vec<(usize, Span)> {
    let dictionary = Dictionary::get();
    let mut found = Vec::new();
    for start in 0..text.words.len() {
        let (mut lower, mut folded) = (String::new(), String::new());
        for (place, is_taken) in taken.iter().enumerate().skip(start).take(LONGEST) {
            let is_cut = place > start && is_cut(&text.words[place - 1]);
            if *is_taken || is_cut {
                break;
            }
            join(&mut lower, &text.words[place].lower);
            join(&mut folded, &text.words[place].folded);
            let mut meanings = dictionary.phrase(&lower, &folded);
            if meanings.is_empty() {
                meanings = without_what_is_joined(&folded)
                    .flat_map(|rest| dictionary.phrase(rest, rest))
                    .collect();
            }
            if place == start
                && !meanings.is_empty()
                && meanings.iter().all(|meaning| language(*meaning).is_some())
            {
                // A word of one language may be an inflected one of another.
                let knows = |meaning: &Meaning| {
                    meanings.iter().any(|known| language(*known) == language(*meaning))
                };
                let inflected = dictionary
                    .beginning(&folded)
                    .into_iter()
                    .filter(|meaning| language(*meaning).is_some());
                let inflected: Vec<Meaning> = inflected.filter(|meaning| !knows(meaning)).collect();
                meanings.extend(inflected);
            }
            if meanings.is_empty() && place == start && !folded.chars().any(is_unspaced) {
                meanings = dictionary.beginning(&folded);
                if meanings.is_empty() {
                    meanings = without_what_is_joined(&folded)
                        .map(|rest| dictionary.beginning(rest))
                        .find(|found| !found.is_empty())
                        .unwrap_or_default();
                }
            }
            if !meanings.is_empty() {
                found.push((folded.chars().count(), Span { start, end: place + 1, meanings }));
            }
        }
    }
    found
}

/// Whether no name goes on behind a word; a point inside of an abbreviation ends nothing: `u.k.`,
/// `St. John's`.
fn is_cut(before: &Word) -> bool {
    let is_abbreviated = before.gap.trim_end() == "." && before.folded.chars().count() <= 2;
    before.gap.contains(STOPS) && !is_abbreviated
}

/// A phrase without what its script joins to a word: `للواتساب`, `לגוגל`.
fn without_what_is_joined(folded: &str) -> impl Iterator<Item = &str> {
    let first = folded.chars().next();
    let joined = JOINED
        .iter()
        .find(|(script, _)| first.is_some_and(|first| script.contains(&first)))
        .map_or(&[][..], |(_, words)| words);
    joined
        .iter()
        .filter_map(move |word| folded.strip_prefix(word))
        .filter(|rest| rest.chars().count() >= 3)
}

/// A word of several languages is one of the sentence's: the language that knows most of its words.
fn in_their_language(text: &Text, spans: &mut Vec<Span>) {
    let mut known: BTreeMap<u8, usize> = BTreeMap::new();
    for span in spans.iter() {
        let mut languages: Vec<u8> =
            span.meanings.iter().filter_map(|meaning| language(*meaning)).collect();
        languages.sort_unstable();
        languages.dedup();
        for language in languages {
            *known.entry(language).or_default() += span.end - span.start;
        }
    }
    let most = known.values().copied().max().unwrap_or_default();
    let is_best = |meaning: &Meaning| {
        language(*meaning).is_some_and(|language| known.get(&language) == Some(&most))
    };
    *spans =
        std::mem::take(spans).into_iter().flat_map(|span| in_words(text, span, is_best)).collect();
    let mixed = mixed_in(spans, is_best);
    let denies = |meaning: &Meaning| {
        let Meaning::Word(language, kind) = meaning else { return false };
        matches!(kind, Kind::Negated | Kind::Cancel) && mixed.contains(language)
    };
    for span in spans {
        let own = span.end - span.start;
        if span.meanings.iter().any(|meaning| language(*meaning).is_none()) {
            // A name is a word only where other words are of that language, too.
            let is_word = |meaning: &Meaning| {
                language(*meaning)
                    .is_some_and(|language| known.get(&language).is_some_and(|known| *known > own))
            };
            span.meanings.retain(|meaning| {
                language(*meaning).is_none() || (is_best(meaning) && is_word(meaning))
            });
        } else if span.meanings.iter().any(is_best) {
            span.meanings.retain(|meaning| is_best(meaning) || denies(meaning));
        }
    }
}

/// A phrase of another language is none where the sentence's language knows each of its words:
/// French `on a` in `on a US number`.
fn in_words(text: &Text, span: Span, is_best: impl Fn(&Meaning) -> bool) -> Vec<Span> {
    let is_strange = span.end > span.start + 1
        && span.meanings.iter().all(|meaning| language(*meaning).is_some() && !is_best(meaning));
    if !is_strange {
        return vec![span];
    }
    let word = |place: usize| {
        let word = &text.words[place];
        let meanings: Vec<Meaning> = Dictionary::get()
            .phrase(&word.lower, &word.folded)
            .into_iter()
            .filter(&is_best)
            .collect();
        (!meanings.is_empty()).then_some(Span { start: place, end: place + 1, meanings })
    };
    (span.start..span.end).map(word).collect::<Option<Vec<Span>>>().unwrap_or_else(|| vec![span])
}

/// Languages that say something in the sentence which its own does not know: what they deny counts,
/// too.
fn mixed_in(spans: &[Span], is_best: impl Fn(&Meaning) -> bool) -> BTreeSet<u8> {
    let strange = spans.iter().filter(|span| {
        span.meanings.iter().all(|meaning| language(*meaning).is_some() && !is_best(meaning))
    });
    let speaks = |meaning: &Meaning| match meaning {
        Meaning::Word(language, kind) if *kind != Kind::Filler => Some(*language),
        _ => None,
    };
    strange.flat_map(|span| span.meanings.iter().filter_map(speaks)).collect()
}

fn language(meaning: Meaning) -> Option<u8> {
    match meaning {
        Meaning::Word(language, _) => Some(language),
        _ => None,
    }
}

/// The languages that know most of these spans' words.
pub fn is_english(spans: &[Span]) -> bool {
    let dictionary = Dictionary::get();
    let words: Vec<&Span> = spans
        .iter()
        .filter(|span| span.meanings.iter().any(|meaning| language(*meaning).is_some()))
        .collect();
    let english = words.iter().filter(|span| {
        let of = |meaning: &Meaning| {
            language(*meaning)
                .is_some_and(|language| dictionary.languages[usize::from(language)] == "en")
        };
        span.meanings.iter().any(of)
    });
    english.count() * 2 >= words.len()
}
