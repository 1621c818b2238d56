//! Messages that are nobody else's business: a bank's transaction, a password to be set anew, a
//! person's name.
//!
//! Told by the words in `words/sensitive.txt`, in any language that they are written in; a name by
//! what stands before or behind it (`person.rs`). Linear in the text.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::lexicon::{is_inside_word, opens_behind_prefix};
use super::money;
use super::normal::{Text, folded_word};
use super::person;
use super::table;

/// What makes a message one that may be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitive {
    /// It speaks of a payment, a transfer or a card: its code moves money.
    BankTransaction,
    /// It lets somebody into an account that exists: a password is set anew, or the account
    /// recovered.
    PasswordReset,
    /// It addresses or names a person.
    PersonName,
}

impl Sensitive {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::BankTransaction, Self::PasswordReset, Self::PersonName];

    /// The number it is recorded under, for ever.
    pub const fn number(self) -> u8 {
        match self {
            Self::BankTransaction => 1,
            Self::PasswordReset => 2,
            Self::PersonName => 3,
        }
    }

    /// The word callers and operators use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BankTransaction => "bank_transaction",
            Self::PasswordReset => "password_reset",
            Self::PersonName => "person_name",
        }
    }
}

/// What in `text` is sensitive, each kind once, in the order of `Sensitive::ALL`.
pub fn sensitive(text: &str) -> Vec<Sensitive> {
    let text = Text::new(text);
    let words = find(&text);
    let is = |kind: Sensitive| match kind {
        Sensitive::BankTransaction => is_transaction(&text, &words),
        Sensitive::PasswordReset => is_reset(&text, &words),
        Sensitive::PersonName => person::is_named(&text, &words),
    };
    Sensitive::ALL.into_iter().filter(|kind| is(*kind)).collect()
}

const LIST: &str = include_str!("../words/sensitive.txt");
/// Characters between a word for "password" and what is done with it.
const REACH: usize = 40;
/// Words of either kind looked at: more is no message but an attack.
const MAX_WORDS: usize = 32;

/// What a word tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// "payment", "transfer".
    Moved,
    /// "IBAN", "confirm the payment".
    Bank,
    /// "password".
    Password,
    /// "reset", "forgot".
    Reset,
    /// "account recovery".
    Recovery,
    /// "hello", "dear".
    Greeting,
    /// "Mrs".
    Title,
    /// "様", "先生".
    Honorific,
    /// "customer".
    Nobody,
    /// "Maria".
    Given,
    /// "to", "for".
    Towards,
    /// "Hospital".
    Place,
    /// "KES".
    Currency,
}

impl Section {
    fn named(header: &str) -> Option<Self> {
        Some(match header {
            "moved" => Self::Moved,
            "bank" => Self::Bank,
            "password" => Self::Password,
            "reset" => Self::Reset,
            "recovery" => Self::Recovery,
            "greeting" => Self::Greeting,
            "title" => Self::Title,
            "honorific" => Self::Honorific,
            "nobody" => Self::Nobody,
            "given" => Self::Given,
            "towards" => Self::Towards,
            "place" => Self::Place,
            "currency" => Self::Currency,
            _ => return None,
        })
    }
}

/// A word found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// Index of its first character.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// What it tells.
    pub section: Section,
}

struct Words {
    automaton: AhoCorasick,
    /// What each tells, and whether it may go on.
    told: Vec<(Section, bool)>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let (mut patterns, mut told) = (Vec::new(), Vec::new());
    for (header, line) in table::lines(LIST) {
        let section = Section::named(header).expect("a test reads every header of the word list");
        for written in line.split(" | ") {
            let (word, goes_on) =
                written.strip_suffix('*').map_or((written, false), |stem| (stem, true));
            patterns.push(folded_word(word.trim()));
            told.push((section, goes_on));
        }
    }
    let automaton =
        AhoCorasick::new(&patterns).expect("some thousand short words make an automaton");
    Words { automaton, told }
});

fn find(text: &Text) -> Vec<Word> {
    let found = WORDS.automaton.find_overlapping_iter(&text.folded).filter_map(|found| {
        let (section, goes_on) = WORDS.told[found.pattern().as_usize()];
        let (start, end) = (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
        let spaced = !text.chars[start].is_alphabetic() || has_spaces(text.chars[start]);
        let opens = !is_inside_word(text, start) || opens_behind_prefix(text, start);
        // A currency clings to its sum.
        let closes = goes_on || !is_inside_word(text, end) || section == Section::Currency;
        let whole = !spaced || (opens && closes);
        whole.then_some(Word { start, end, section })
    });
    let mut words: Vec<Word> = found.collect();
    words.sort_by_key(|word| (word.start, std::cmp::Reverse(word.end)));
    words
}

/// Whether the script of a letter sets spaces between words.
pub(super) const fn has_spaces(letter: char) -> bool {
    !matches!(letter,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}')
}

fn of(words: &[Word], section: Section) -> impl Iterator<Item = &Word> {
    words.iter().filter(move |word| word.section == section).take(MAX_WORDS)
}

/// A bank's own word, or a movement of money or a masked account together with a sum.
fn is_transaction(text: &Text, words: &[Word]) -> bool {
    let speaks = || of(words, Section::Moved).next().is_some() || has_masked_number(text);
    of(words, Section::Bank).next().is_some() || (speaks() && names_a_sum(text, words))
}

/// Digits of a masked number that are shown.
const SHOWN: std::ops::RangeInclusive<usize> = 3..=5;

/// Whether a card or an account is named by its last digits: `*4410`, `XX4410`.
fn has_masked_number(text: &Text) -> bool {
    let chars = &text.chars;
    let mask = |place: usize| matches!(text.at(place), Some('*' | 'X' | 'x' | '•' | '#'));
    (1..chars.len()).any(|place| {
        chars[place].is_ascii_digit()
            && mask(place - 1)
            && (chars[place - 1] == '*'
                || chars[place - 1] == '•'
                || (place > 1 && mask(place - 2)))
            && SHOWN
                .contains(&chars[place..].iter().take_while(|digit| digit.is_ascii_digit()).count())
    })
}

/// Whether a number of the text is a sum of money.
fn names_a_sum(text: &Text, words: &[Word]) -> bool {
    let is_blank = |place: usize| text.at(place) == Some(' ');
    let is_digit = |place: usize| text.at(place).is_some_and(|digit| digit.is_ascii_digit());
    let in_currency = |word: &Word| {
        let behind = word.end + usize::from(is_blank(word.end));
        let before = word.start.saturating_sub(1);
        let before = before.saturating_sub(usize::from(is_blank(before)));
        is_digit(behind) || (word.start > 0 && is_digit(before))
    };
    if of(words, Section::Currency).any(in_currency) {
        return true;
    }
    let mut place = 0;
    while place < text.chars.len() {
        if !text.chars[place].is_ascii_digit() {
            place += 1;
            continue;
        }
        let is_part = |letter: &&char| letter.is_ascii_digit() || matches!(letter, '.' | ',');
        let length = text.chars[place..].iter().take_while(is_part).count();
        let digits = text.chars[place..place + length]
            .iter()
            .rev()
            .skip_while(|letter| !letter.is_ascii_digit())
            .count();
        let is_share = text.at(place + digits) == Some('%');
        if !is_share && money::stands_beside(text, place, place + digits) {
            return true;
        }
        place += length;
    }
    false
}

/// A password and what is done with a lost one, side by side; or an account that is recovered.
fn is_reset(text: &Text, words: &[Word]) -> bool {
    let beside = |password: &Word, done: &Word| {
        let (first, last) =
            if password.start <= done.start { (password, done) } else { (done, password) };
        let between = &text.chars[first.end.min(last.start)..last.start];
        between.len() <= REACH && !between.iter().any(|mark| is_end_of_sentence(*mark))
    };
    of(words, Section::Recovery).next().is_some()
        || of(words, Section::Password)
            .any(|password| of(words, Section::Reset).any(|done| beside(password, done)))
}

const fn is_end_of_sentence(mark: char) -> bool {
    matches!(mark, '.' | '!' | '?' | '\n' | '。' | '！' | '？' | '।' | '؟')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_of_the_word_list_is_known_and_no_word_is_empty() {
        for (header, line) in table::lines(LIST) {
            assert!(Section::named(header).is_some(), "{header}");
            let empty = |word: &str| folded_word(word.trim_end_matches('*')).is_empty();
            assert!(!line.split(" | ").any(empty), "{line}");
        }
    }

    #[test]
    fn numbers_and_names_are_one_for_each_kind() {
        let numbers: Vec<u8> = Sensitive::ALL.into_iter().map(Sensitive::number).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
}
