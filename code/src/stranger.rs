//! Names that no list has, where the sentence makes them the sender's: `[Acme]`, `Acme:`, "your
//! Acme code", "votre code Acme", "dein Acme-Code".

use std::sync::LazyLock;

use super::lexicon::{Class, Hit};
use super::normal::{Text, folded_word};
use super::role::Role;

/// Longest name of a sender.
const MAX_NAME: usize = 30;
/// Shortest name that is told from a word by its capital alone.
const MIN_LETTERS: usize = 4;
/// Words of a text that are looked at for its language.
const MAX_WORDS: usize = 60;
/// Words by which one knows German, folded.
const GERMAN: [&str; 8] = ["ihr", "ist", "der", "und", "fur", "dein", "lautet", "nicht"];
/// Characters on either side of a word for "code" where a name belongs to it.
const REACH: usize = 26;
/// Characters between a word for "verify" and the word for "code" that it goes with:
/// "verifikacijski kod".
const KEY_REACH: usize = 12;
/// Words with a capital that open a message or stand beside "code", and name nobody.
static NO_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = include_str!("../words/nobody.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.flat_map(|line| line.split(" | ")).map(folded_word).collect()
});

/// Each such name, in lower case, with the part that it has.
pub fn claims(text: &Text, hits: &[Hit]) -> impl Iterator<Item = (Role, String)> {
    let tag = tag(text, hits)
        .or_else(|| opening(text, hits))
        .or_else(|| signature(text, hits))
        .map(|name| (Role::Sender, name));
    let subject = subject(text, hits).map(|name| (Role::BeforeKey, name));
    let beside = beside_key(text, hits)
        .or_else(|| around_key(text, hits))
        .or_else(|| foreign(text, hits))
        .map(|name| (Role::AfterKey, name));
    tag.into_iter().chain(subject).chain(beside)
}

/// The name in a tag at the start: `[Acme] …`, `【某某】…`.
fn tag(text: &Text, hits: &[Hit]) -> Option<String> {
    let content = text.chars.iter().position(|character| !character.is_whitespace())?;
    let close = match text.at(content)? {
        '[' => ']',
        '【' => '】',
        '《' => '》',
        _ => return None,
    };
    let length = text.chars[content + 1..]
        .iter()
        .take(MAX_NAME)
        .position(|character| *character == close)?;
    name_of(text, hits, content + 1, content + 1 + length)
}

/// The name that opens the message before a colon: `Acme: …`, `Halk Bank: …`, `Нова пошта: …`,
/// `e-Devlet: …`, and in a script without capitals any two words.
fn opening(text: &Text, hits: &[Hit]) -> Option<String> {
    let start = text.chars.iter().position(|character| character.is_alphanumeric())?;
    let length = text.chars[start..]
        .iter()
        .take(MAX_NAME)
        .position(|character| matches!(character, ':' | '：' | '៖'))?;
    let words: Vec<&[char]> = text.chars[start..start + length]
        .split(|character| *character == ' ')
        .filter(|word| !word.is_empty())
        .collect();
    let plain = |word: &&[char]| {
        word.iter().all(|character| {
            character.is_alphanumeric() || matches!(character, '.' | '-' | '\'' | '&' | '\u{200c}')
        })
    };
    let (first, rest) = words.split_first()?;
    // A word after the first may be small (`Tatra banka`), but no name has only such (`use this`).
    let capital =
        first.first().is_some_and(|letter| letter.is_uppercase() || letter.is_ascii_digit());
    let inner = first.iter().skip(1).any(|letter| letter.is_uppercase());
    let caseless = rest.len() <= 1
        && words
            .iter()
            .all(|word| word.iter().all(|letter| !letter.is_lowercase() && !letter.is_uppercase()));
    let named = words.len() <= 3 && words.iter().all(plain) && (capital || inner || caseless);
    (named && !is_spoken_of(hits, start, start + length))
        .then(|| name_of(text, hits, start, start + length))
        .flatten()
}

/// Whether a word of any list stands there: what opens with one is a label, and no name.
fn is_spoken_of(hits: &[Hit], start: usize, end: usize) -> bool {
    hits.iter().any(|hit| hit.start < end && start < hit.end && hit.class != Class::Neutral)
}

/// The name that has a sentence of its own behind the rest, or closes the message behind a dash:
/// `… 482913. Acme`, `… 482913 - Acme`.
fn signature(text: &Text, hits: &[Hit]) -> Option<String> {
    let end = text.chars.iter().rposition(|character| character.is_alphanumeric())? + 1;
    let from = end.saturating_sub(MAX_NAME);
    let mark = |place: &usize| match text.chars[*place] {
        '\n' | '|' | '।' | '。' => true,
        '.' | '!' | '-' => text.at(place + 1).is_some_and(char::is_whitespace),
        _ => false,
    };
    let start = (from..end).rev().find(mark)? + 1;
    let start = (start..end).find(|place| text.chars[*place] != ' ')?;
    let words: Vec<&[char]> = text.chars[start..end]
        .split(|character| *character == ' ')
        .filter(|word| !word.is_empty())
        .collect();
    let capitals = words.iter().all(|word| {
        word.first().is_some_and(|letter| letter.is_uppercase())
            && word.iter().all(|letter| letter.is_alphanumeric())
    });
    let told =
        text.chars[..start].iter().any(|letter| letter.is_alphabetic() && !letter.is_uppercase());
    let keyed =
        hits.iter().any(|hit| matches!(hit.class, Class::Key | Class::Verify) && hit.end <= start);
    let short = (1..=3).contains(&words.len()) && start > 0;
    (short && capitals && told && keyed && !is_spoken_of(hits, start, end))
        .then(|| name_of(text, hits, start, end))
        .flatten()
}

/// The name in "your Acme code": capitals, and no word that codes are spoken of with.
fn subject(text: &Text, hits: &[Hit]) -> Option<String> {
    let start = text.index_of_byte[text.folded.find("your ")?] + 5;
    let key = hits.iter().find(|hit| {
        hit.class == Class::Key && hit.start > start && hit.start - start <= MAX_NAME
    })?;
    let first = text.at(start).filter(|first| first.is_uppercase())?;
    let verb = hits
        .iter()
        .find(|hit| hit.class == Class::Verify && hit.start >= start)
        .map_or(key.start, |hit| hit.start.min(key.start));
    let name = &text.chars[start..verb.max(start)];
    let plain = name
        .iter()
        .all(|character| character.is_alphanumeric() || matches!(character, ' ' | '.' | '&' | '-'));
    (plain && has_small_letters(text) && first.is_alphabetic())
        .then(|| name_of(text, hits, start, verb))
        .flatten()
}

/// The name right behind a word for "code" ("votre code Acme"), or joined to it (`Acme-Code`).
fn beside_key(text: &Text, hits: &[Hit]) -> Option<String> {
    if !has_small_letters(text) {
        return None;
    }
    hits.iter().filter(|hit| hit.class == Class::Key).take(4).find_map(|key| {
        let behind =
            (text.at(key.end) == Some(' ')).then(|| word_from(text, key.end + 1)).flatten();
        // "Acme-herstelcode": the word for "code" ends a longer one.
        let compound = key.start
            - text.chars[..key.start]
                .iter()
                .rev()
                .take(MAX_NAME)
                .take_while(|letter| letter.is_alphabetic())
                .count();
        let joined =
            (text.before(compound) == Some('-')).then(|| word_to(text, compound - 1)).flatten();
        let (start, end) = behind.or(joined)?;
        let word = &text.chars[start..end];
        let long = word.iter().filter(|character| character.is_alphabetic()).count() >= MIN_LETTERS;
        let told = word.iter().any(|character| character.is_lowercase());
        (long && told && is_name_like(word)).then(|| name_of(text, hits, start, end)).flatten()
    })
}

/// The name with a capital that stands right before the words for a code, or closes their phrase:
/// "je vaš Acme kod", "código da Acme."
///
/// Not in German, where every noun has a capital, nor in a headline.
fn around_key(text: &Text, hits: &[Hit]) -> Option<String> {
    if !has_small_letters(text) || is_headline(text) || is_german(text) {
        return None;
    }
    let near =
        |hit: &Hit, key: &Hit| key.start <= hit.end + KEY_REACH && hit.start <= key.end + KEY_REACH;
    let keyed = |hit: &Hit| hits.iter().any(|key| key.class == Class::Key && near(hit, key));
    let spoken = |hit: &&Hit| hit.class == Class::Key || hit.class == Class::Verify && keyed(hit);
    let named = |(start, end): (usize, usize)| {
        let word = &text.chars[start..end];
        let spaced = text.before(start) == Some(' ');
        let within = spaced
            && text.chars[..start]
                .iter()
                .rev()
                .nth(1)
                .is_some_and(|letter| letter.is_alphabetic() || *letter == ']');
        let long = word.len() >= MIN_LETTERS && word.iter().any(|letter| letter.is_lowercase());
        (within && long && is_name_like(word)).then(|| name_of(text, hits, start, end)).flatten()
    };
    hits.iter().filter(spoken).take(8).find_map(|hit| {
        let before =
            (text.before(hit.start) == Some(' ')).then(|| word_to(text, hit.start - 1)).flatten();
        before.and_then(named).or_else(|| closing_word(text, hit.end).and_then(named))
    })
}

/// The last word of the phrase that goes on at `from`, if a point or the end is near.
fn closing_word(text: &Text, from: usize) -> Option<(usize, usize)> {
    let rest = text.chars.get(from..)?;
    let length = rest
        .iter()
        .take(REACH)
        .position(|character| matches!(character, '.' | '\n' | '!' | ',' | '、'))
        .or_else(|| (rest.len() <= REACH).then_some(rest.len()))?;
    let phrase = &rest[..length];
    if phrase.iter().any(|character| character.is_ascii_digit() || *character == ':') {
        return None;
    }
    let last = word_to(text, from + length)?;
    // "kode verifikasi Acme Anda": a word that names nobody closes the phrase.
    let is_empty = is_nobody(&text.chars[last.0..last.1].iter().collect::<String>());
    if is_empty && last.0 > from + 1 && text.before(last.0) == Some(' ') {
        word_to(text, last.0 - 1)
    } else {
        Some(last)
    }
}

/// The name in Latin letters close to a word for "code" in another script.
fn foreign(text: &Text, hits: &[Hit]) -> Option<String> {
    let is_latin = |character: &char| u32::from(*character) < 0x370;
    let foreign = |hit: &&Hit| {
        hit.class == Class::Key && !text.chars[hit.start..hit.end].iter().any(is_latin)
    };
    hits.iter().filter(foreign).take(4).find_map(|key| {
        let (from, to) = (key.start.saturating_sub(REACH), (key.end + REACH).min(text.chars.len()));
        let mut words = latin_words(text, from, to);
        words.find_map(|(start, end)| {
            is_name_like(&text.chars[start..end]).then(|| name_of(text, hits, start, end)).flatten()
        })
    })
}

/// The words of Latin letters that begin between two places, small ones among them; another script
/// may touch them.
fn latin_words(text: &Text, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
    let is_latin = |place: usize| {
        text.chars
            .get(place)
            .is_some_and(|character| character.is_alphanumeric() && u32::from(*character) < 0x370)
    };
    let starts = (from..to)
        .filter(move |place| is_latin(*place) && !place.checked_sub(1).is_some_and(is_latin));
    let words = starts.map(move |start| {
        (start, start + (start..start + MAX_NAME).take_while(|place| is_latin(*place)).count())
    });
    words.filter(|(start, end)| {
        let word = &text.chars[*start..*end];
        word.len() >= MIN_LETTERS
            && word.iter().all(|letter| letter.is_alphabetic())
            && word.iter().any(|letter| letter.is_lowercase())
    })
}

fn word_from(text: &Text, start: usize) -> Option<(usize, usize)> {
    let length = text
        .chars
        .get(start..)?
        .iter()
        .take(MAX_NAME)
        .take_while(|character| character.is_alphanumeric())
        .count();
    (length > 0).then_some((start, start + length))
}

fn word_to(text: &Text, end: usize) -> Option<(usize, usize)> {
    let length = text.chars[..end]
        .iter()
        .rev()
        .take(MAX_NAME)
        .take_while(|character| character.is_alphanumeric())
        .count();
    (length > 0).then_some((end - length, end))
}

/// Whether it starts with a capital and is no word that merely has one.
fn is_name_like(word: &[char]) -> bool {
    let named = word.first().is_some_and(|first| first.is_uppercase())
        && word.iter().all(|character| character.is_alphanumeric());
    named && !is_nobody(&word.iter().collect::<String>())
}

/// Whether each of its words is one that names nobody.
pub fn is_nobody(name: &str) -> bool {
    let mut words = name
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(folded_word);
    words.all(|word| NO_NAMES.contains(&word))
}

/// Whether its words are German: there every noun has a capital.
pub fn is_german(text: &Text) -> bool {
    let mut words =
        text.folded.split(|character: char| !character.is_alphanumeric()).take(MAX_WORDS);
    words.any(|word| GERMAN.contains(&word))
}

/// Whether most of its words have a capital, as in a headline.
fn is_headline(text: &Text) -> bool {
    let is_start = |place: &usize| {
        text.chars[*place].is_alphabetic()
            && !text.before(*place).is_some_and(char::is_alphanumeric)
    };
    let starts = (0..text.chars.len()).filter(is_start);
    let (capital, small) = starts.fold((0, 0), |(capital, small), place| {
        if text.chars[place].is_uppercase() { (capital + 1, small) } else { (capital, small + 1) }
    });
    capital > small + 2
}

/// Whether capitals tell anything: a text in capitals throughout has none that do.
fn has_small_letters(text: &Text) -> bool {
    text.chars.iter().filter(|character| character.is_lowercase()).count() >= 4
}

/// The name between two places, unless it is a word of the lists, or no name at all.
fn name_of(text: &Text, hits: &[Hit], start: usize, end: usize) -> Option<String> {
    let name: String = text.chars[start..end].iter().collect();
    let speaks = hits.iter().any(|hit| {
        let telling = matches!(
            hit.class,
            Class::Key
                | Class::Verify
                | Class::Handle
                | Class::Secret
                | Class::Valid
                | Class::Other
                | Class::Soft
                | Class::Unit
        );
        telling && hit.start < end && start < hit.end
    });
    let letters = name.chars().filter(|character| character.is_alphabetic()).count();
    (!speaks && letters >= 2 && !is_nobody(&name)).then(|| name.trim().to_lowercase())
}
