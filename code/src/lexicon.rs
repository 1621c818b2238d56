//! The words that tell what a number beside them is, in the languages that such messages are
//! written in.
//!
//! The lists are in `words/*.txt`. A word is matched folded: lower case, no accents.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::normal::{Text, folded_word};
use super::table;

/// What a word says about a number near it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// "code", "password", "PIN".
    Key,
    /// "code" written together with its digits.
    Glued,
    /// "verify", "log in", "one-time".
    Verify,
    /// "enter", "use": what is done with a code.
    Handle,
    /// "do not share", "valid for".
    Secret,
    /// "valid for": how long a code counts, and a coupon, too.
    Valid,
    /// "order", "invoice", "card": a number right after it is no code.
    Reference,
    /// "ending in": a number right after it ends a card number.
    Ending,
    /// "promo code", "postcode": a code of another kind follows.
    Other,
    /// "purchase code": another kind of code, but for cards and for the service itself.
    Soft,
    /// A longer word that only looks like one of the others.
    Neutral,
    /// "previous", "expired": the code beside it is not the one.
    Old,
    /// A message about orders, payments or journeys.
    Business,
    /// "purchase", "transfer": what a bank sends a code for.
    Payment,
    /// "account code": the number right after it may be a reference.
    Account,
    /// "application", "complaint": what is handed in.
    Filed,
    /// "was received": it has come.
    Came,
    /// "form submitted": the number is that of what was handed in.
    Receipt,
    /// "balance": what an account holds behind a payment that was made.
    Balance,
    /// Somebody at the door: "give the code to the driver".
    Courier,
    /// Somebody or something on the way to the door.
    Delivery,
    /// A message about something to be fetched.
    Parcel,
    /// A door, a meeting, a network.
    Place,
    /// An offer, a prize, a game.
    Ad,
    /// "minutes": a number right before it is a duration.
    Unit,
    /// "call", "reply to": a number after it is to be called or written to.
    Reply,
    /// "with": by means of the number beside it.
    With,
    /// "text … to": the same, where the number follows a bare "to".
    Text,
}

#[cfg(test)]
impl Class {
    /// Whether it says that a number is no code to log in with.
    pub const fn is_other_kind(self) -> bool {
        matches!(self, Self::Other | Self::Soft | Self::Neutral | Self::Reference | Self::Receipt)
    }
}

/// How much of a word must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// Wherever its letters stand.
    Anywhere,
    /// At the end of a word: compounds count.
    End,
    /// At the start of a word: stems count.
    Start,
    /// The whole word.
    Whole,
    /// A root: the article and prepositions of Hebrew and Arabic may stand before it, short endings
    /// behind it.
    Root,
}

/// A word found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index of its first character.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// What it says.
    pub class: Class,
}

const LISTS: [&str; 3] = [
    include_str!("../words/key.txt"),
    include_str!("../words/verify.txt"),
    include_str!("../words/other.txt"),
];
/// Letters that Hebrew and Arabic write together with the word behind them.
const PREFIXES: &str = "הבלשומכالوبكف";
/// Units of so few letters are the beginning of a name (`mBank`) where a capital follows.
const MAX_LETTER_UNIT: usize = 2;
/// Of them together.
const MAX_PREFIX: usize = 3;
/// Longest ending of a root.
const MAX_ENDING: usize = 3;

struct Words {
    automaton: AhoCorasick,
    classes: Vec<(Class, Edges)>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let (mut patterns, mut classes) = (Vec::new(), Vec::new());
    for (header, line) in LISTS.into_iter().flat_map(table::lines) {
        let section = section_of(header).expect("a test reads every header of the word lists");
        for word in line.split(" | ") {
            patterns.push(folded_word(word.trim()));
            classes.push(section);
        }
    }
    for entry in table::entries() {
        patterns.push(folded_word(entry.word));
        classes.push((entry.class, entry.edges));
    }
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(&patterns)
        .expect("some thousand short words make an automaton");
    Words { automaton, classes }
});

fn section_of(header: &str) -> Option<(Class, Edges)> {
    let (class, edges) = header.split_once(' ')?;
    if (class, edges) == ("key", "glued") {
        return Some((Class::Glued, Edges::Anywhere));
    }
    let edges = match edges {
        "anywhere" => Edges::Anywhere,
        "end" => Edges::End,
        "start" => Edges::Start,
        "whole" => Edges::Whole,
        "root" => Edges::Root,
        _ => return None,
    };
    Some((class_of(class)?, edges))
}

/// The class that a header names.
pub fn class_of(name: &str) -> Option<Class> {
    Some(match name {
        "key" => Class::Key,
        "verify" => Class::Verify,
        "handle" => Class::Handle,
        "secret" => Class::Secret,
        "valid" => Class::Valid,
        "reference" => Class::Reference,
        "ending" => Class::Ending,
        "other" => Class::Other,
        "soft" => Class::Soft,
        "neutral" => Class::Neutral,
        "old" => Class::Old,
        "business" => Class::Business,
        "payment" => Class::Payment,
        "account" => Class::Account,
        "filed" => Class::Filed,
        "came" => Class::Came,
        "receipt" => Class::Receipt,
        "balance" => Class::Balance,
        "courier" => Class::Courier,
        "delivery" => Class::Delivery,
        "parcel" => Class::Parcel,
        "place" => Class::Place,
        "ad" => Class::Ad,
        "unit" => Class::Unit,
        "reply" => Class::Reply,
        "text" => Class::Text,
        "with" => Class::With,
        _ => return None,
    })
}

/// Every word found, in the order of their starts. A word within a longer one that says something
/// else about it is not found.
pub fn find(text: &Text) -> Vec<Hit> {
    let mut hits: Vec<Hit> = WORDS
        .automaton
        .find_overlapping_iter(&text.folded)
        .filter_map(|found| {
            let (class, edges) = WORDS.classes[found.pattern().as_usize()];
            let (start, last) =
                (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
            // The mark or copula behind a word tells which it is ("码:", "码是"), and is no part of
            // it: "取件码:" holds no "码:".
            let marks = text.chars[start..last]
                .iter()
                .rev()
                .take_while(|character| matches!(character, ':' | '是' | '为' | '為'))
                .count();
            let end = last - marks;
            // A stem of this class takes its ending along: "davet kodunuz" holds no "kodunuz".
            let grows = class == Class::Other && edges == Edges::Start;
            let ending = if grows {
                text.chars[end..].iter().take_while(|letter| is_spaced_letter(**letter)).count()
            } else {
                0
            };
            fits(text, start, end, class, edges).then_some(Hit { start, end: end + ending, class })
        })
        .collect();
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    // A hit that a longer one of these classes covers belongs to it: "promo code" holds no "code".
    let mut covered_to = [0usize; 2];
    hits.retain(|hit| {
        let covers = matches!(
            hit.class,
            Class::Other
                | Class::Soft
                | Class::Neutral
                | Class::Reference
                | Class::Reply
                | Class::Ending
                | Class::Receipt
        );
        let [end, start] = covered_to;
        let inside = hit.start >= start && hit.end <= end && hit.end - hit.start < end - start;
        if covers && !inside && hit.end > end {
            covered_to = [hit.end, hit.start];
        }
        !inside
    });
    hits
}

fn fits(text: &Text, start: usize, end: usize, class: Class, edges: Edges) -> bool {
    // A name in two capitals (`ChatGPT`) is one word, but a word for "code" may have lost the space
    // or line behind it.
    let speaks = matches!(
        class,
        Class::Key
            | Class::Glued
            | Class::Verify
            | Class::Handle
            | Class::Secret
            | Class::Valid
            | Class::Neutral
    ) || (class == Class::Unit && end - start > MAX_LETTER_UNIT);
    let inside =
        |index: usize| is_inside_word(text, index) || (!speaks && is_in_camel_case(text, index));
    let starts = || !inside(start);
    let ends = || !inside(end);
    // In India and Sri Lanka a word may begin within another only where it says "code".
    let cut = !speaks && table::is_inside_spaced_word(text, start);
    match edges {
        Edges::Anywhere => true,
        Edges::Whole => starts() && ends() && !cut,
        Edges::End => ends(),
        Edges::Start => starts() && !cut,
        Edges::Root => {
            let after = text.chars[end..]
                .iter()
                .take(MAX_ENDING + 1)
                .take_while(|character| is_spaced_letter(**character))
                .count();
            opens_behind_prefix(text, start) && after <= MAX_ENDING
        }
    }
}

/// Whether nothing but the article and prepositions of Hebrew or Arabic stands before a word.
pub fn opens_behind_prefix(text: &Text, start: usize) -> bool {
    let before = text.chars[..start].iter().rev().take(MAX_PREFIX + 1);
    let prefix = before.take_while(|character| is_spaced_letter(**character));
    prefix.clone().count() <= MAX_PREFIX
        && prefix.clone().all(|character| PREFIXES.contains(*character))
}

/// Whether the edge at `index` cuts a word in two. Scripts without spaces between words have no
/// such edges.
pub fn is_inside_word(text: &Text, index: usize) -> bool {
    let (Some(before), Some(after)) = (text.before(index), text.at(index)) else { return false };
    // A small letter and a capital: two words that lost their space or line.
    let lost_space = before.is_ascii_lowercase() && after.is_ascii_uppercase();
    (is_spaced_letter(before) && is_spaced_letter(after) && !lost_space)
        || is_beside_apostrophe(text, index, before, after)
}

fn is_in_camel_case(text: &Text, index: usize) -> bool {
    matches!((text.before(index), text.at(index)), (Some(before), Some(after)) if before.is_ascii_lowercase() && after.is_ascii_uppercase())
}

/// Words that end in an apostrophe before the word that they belong to, in the Romance languages.
const ELIDED: [&str; 12] = [
    "all", "dall", "dell", "nell", "sull", "coll", "quell", "un", "jusqu", "lorsqu", "puisqu",
    "quoiqu",
];

/// Whether the edge at `index` lies at an apostrophe within a word: before the ending of a name
/// (`Dominos'tan`), or within `won't`.
fn is_beside_apostrophe(text: &Text, index: usize, before: char, after: char) -> bool {
    let is_mark = |character: char| matches!(character, '\'' | '’');
    if is_mark(after) {
        return before == 'n' && text.at(index + 1) == Some('t');
    }
    if !is_mark(before) || !is_spaced_letter(after) {
        return false;
    }
    let head: Vec<char> = text.chars[..index - 1]
        .iter()
        .rev()
        .take(9)
        .take_while(|character| character.is_alphabetic())
        .copied()
        .collect();
    let head: String = head.into_iter().rev().flat_map(char::to_lowercase).collect();
    head.chars().count() > 2 && !ELIDED.contains(&head.as_str())
}

/// Whether it is a letter of a script that writes spaces between words.
pub fn is_spaced_letter(character: char) -> bool {
    let point = u32::from(character);
    character.is_alphabetic()
        && (point < 0x0780
            || (0x10a0..0x1100).contains(&point)
            || (0x1200..0x1380).contains(&point)
            || (0x1e00..0x2000).contains(&point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_of_the_lists_is_known_and_no_word_is_empty() {
        for line in LISTS
            .iter()
            .flat_map(|list| list.lines())
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            if let Some(header) = line.strip_prefix('[') {
                assert!(section_of(header.trim_end_matches(']')).is_some(), "{line}");
            } else {
                assert!(
                    line.split(" | ").all(|word| !folded_word(word.trim()).trim().is_empty()),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn a_root_takes_prefixes_but_is_not_found_inside_another_word() {
        let classes =
            |text: &str| find(&Text::new(text)).iter().map(|hit| hit.class).collect::<Vec<_>>();
        assert!(classes("הקוד שלך").contains(&Class::Key));
        assert!(!classes("בנקודת").contains(&Class::Key));
    }
}
