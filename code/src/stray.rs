//! Names anywhere in a message that names nobody where senders are named: "Welcome to Acme!", "to
//! log in at Acme", `acme.example`.
//!
//! Only asked where the expected service is not named at all: then a name is more likely another
//! sender's than an ordinary word.

use super::brand::is_known;
use super::candidate::{Found, Kind};
use super::clause;
use super::lexicon::{Class, Hit};
use super::normal::{Text, folded_word};
use super::number::Region;
use super::reason::Reason;
use super::role::BY;
use super::stranger::{is_german, is_nobody};

/// Words looked at: more is no message but an attack.
const MAX_WORDS: usize = 200;
/// Shortest name told by its capital, and by its script alone.
const MIN_LETTERS: usize = 3;
/// Letters of the ending of a name on the web.
const ENDING: std::ops::RangeInclusive<usize> = 2..=7;
/// Letters of such an ending that may be a word which lost its space: `code.please`.
const LONG_ENDING: usize = 4;
/// German words before a name: every noun has a capital, but only names lack their article.
const GERMAN_BEFORE: [&str; 4] = ["bei", "für", "von", "auf"];
/// Words that address somebody: what follows is the reader's name.
const GREETINGS: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "dear",
    "mr",
    "mrs",
    "ms",
    "hallo",
    "hola",
    "bonjour",
    "ciao",
    "olá",
    "oi",
    "liebe",
    "lieber",
    "estimado",
    "estimada",
    "caro",
    "cara",
    "cher",
    "chère",
    "prezado",
    "prezada",
    "gentile",
    "geachte",
    "beste",
    "hej",
    "hei",
    "kære",
    "kära",
    "kjære",
    "moi",
    "cześć",
    "drogi",
    "ahoj",
    "vážený",
    "vážená",
    "milý",
    "szia",
    "kedves",
    "salut",
    "bună",
    "dragă",
    "zdravo",
    "bok",
    "pozdrav",
    "poštovani",
    "zdravei",
    "привет",
    "здравствуйте",
    "уважаемый",
    "уважаемая",
    "вітаємо",
    "шановний",
    "шановна",
    "здравейте",
    "уважаеми",
    "поштовани",
    "sayın",
    "merhaba",
    "hörmətli",
    "hurmatli",
    "құрметті",
    "γεια",
    "αγαπητέ",
    "αγαπητή",
    "halo",
    "hai",
    "yth",
    "kepada",
    "salam",
    "kumusta",
    "mpendwa",
    "habari",
    "sawubona",
    "goeie",
    "tere",
    "labas",
    "gerb",
    "sveiki",
    "sveika",
    "chào",
    "kính",
];

/// The first such name, in lower case.
pub fn name(text: &Text, hits: &[Hit], regions: &[Region], found: &[Found]) -> Option<String> {
    let style = Style::of(text);
    let mut greeted = false;
    let mut previous: Option<Word> = None;
    for word in words(text).take(MAX_WORDS) {
        let written: String = text.chars[word.start..word.end].iter().collect();
        let lower = written.to_lowercase();
        let between = previous.map_or(0, |before| before.end);
        greeted &=
            text.chars[between..word.start].iter().all(|character| matches!(character, ' ' | '.'));
        let is_carried = previous
            .is_some_and(|before| BY.contains(&text.lower(before.start..before.end).as_str()));
        let told = !greeted && !is_carried && is_free(text, hits, regions, found, word);
        if told && !is_nobody(&written) && style.names(text, hits, word, previous) {
            return Some(lower);
        }
        greeted |= GREETINGS.contains(&lower.as_str());
        previous = Some(word);
    }
    None
}

/// A word, with the points and dashes inside of it.
#[derive(Debug, Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
}

fn words(text: &Text) -> impl Iterator<Item = Word> {
    let is_part = |place: usize| {
        let letter = |place: Option<usize>| {
            place.and_then(|place| text.at(place)).is_some_and(char::is_alphanumeric)
        };
        match text.at(place) {
            Some('.' | '&') => letter(place.checked_sub(1)) && letter(Some(place + 1)),
            // `e-Acme`, but not `Acme-code`.
            Some('-') => {
                letter(place.checked_sub(1))
                    && letter(Some(place + 1))
                    && !letter(place.checked_sub(2))
            }
            Some(character) => character.is_alphanumeric(),
            None => false,
        }
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        let from = (start..text.chars.len()).find(|place| is_part(*place))?;
        // Where another script touches, a word ends: `您的Acme验证码`.
        let latin = is_latin(text.chars[from]);
        let end = (from..=text.chars.len())
            .find(|place| !is_part(*place) || is_latin(text.chars[*place]) != latin)?;
        start = end;
        Some(Word { start: from, end })
    })
}

/// Whether it is no letter of another script than the Latin one.
pub(super) fn is_latin(character: char) -> bool {
    u32::from(character) < 0x370 || ('\u{1e00}'..'\u{1f00}').contains(&character)
}

/// Whether the word is none of the lists' words, of an address with a path, or of a code.
fn is_free(text: &Text, hits: &[Hit], regions: &[Region], found: &[Found], word: Word) -> bool {
    let meets = |start: usize, end: usize| start < word.end && word.start < end;
    // "Booking.com" is no word for a booking.
    let chars = &text.chars[word.start..word.end];
    let ending = chars.iter().rev().take_while(|letter| **letter != '.').count();
    let is_web = is_domain(chars) && ending < LONG_ENDING;
    let speaks = hits.iter().any(|hit| {
        meets(hit.start, hit.end) && hit.class != Class::Neutral && hit.class != Class::Unit
    });
    let unit = hits
        .iter()
        .any(|hit| hit.class == Class::Unit && hit.start == word.start && hit.end + 3 >= word.end);
    let is_code = found.iter().any(|candidate| {
        candidate.kind != Kind::Letters
            && meets(candidate.start, candidate.end)
            && !is_numbered(text, word)
    });
    let is_path = |region: &Region| {
        let address = region.reason == Reason::Url
            && (text.before(region.start) == Some('@')
                || text.chars[region.start..region.end]
                    .iter()
                    .any(|character| matches!(character, '/' | '@')));
        address
            || matches!(
                region.reason,
                Reason::AppHash
                    | Reason::Date
                    | Reason::TimeOfDay
                    | Reason::Amount
                    | Reason::PhoneNumber
            )
    };
    let mail = text.before(word.start) == Some('@') || text.at(word.end) == Some('@');
    (is_web || (!speaks && !unit))
        && !is_code
        && !mail
        && !regions.iter().any(|region| meets(region.start, region.end) && is_path(region))
}

/// `Acme24`: a name and its number.
fn is_numbered(text: &Text, word: Word) -> bool {
    let chars = &text.chars[word.start..word.end];
    let head = chars.iter().take_while(|letter| letter.is_alphabetic()).count();
    let small = chars[..head].iter().filter(|letter| letter.is_lowercase()).count();
    head > MIN_LETTERS
        && small >= MIN_LETTERS
        && chars[0].is_uppercase()
        && chars[head..].iter().all(char::is_ascii_digit)
        && (1..=3).contains(&(chars.len() - head))
}

/// What tells names from words in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// Another script than the Latin one: Latin words are names.
    Foreign,
    /// German: every noun has a capital.
    German,
    /// Names have a capital.
    Other,
}

/// How a text is written, as far as capitals tell a name by it.
struct Style {
    writing: Writing,
    /// In small letters, so that capitals tell.
    told: bool,
    headline: bool,
    clauses: Vec<usize>,
}

impl Style {
    fn of(text: &Text) -> Self {
        let small = text.chars.iter().filter(|letter| letter.is_lowercase()).count();
        let large = text.chars.iter().filter(|letter| letter.is_uppercase()).count();
        let writing = match (is_foreign(text), is_german(text)) {
            (true, _) => Writing::Foreign,
            (false, true) => Writing::German,
            (false, false) => Writing::Other,
        };
        Self {
            writing,
            told: small > large,
            headline: is_titled(text),
            clauses: clause::number(text),
        }
    }

    fn names(&self, text: &Text, hits: &[Hit], word: Word, previous: Option<Word>) -> bool {
        let chars = &text.chars[word.start..word.end];
        let letters = chars.iter().filter(|character| character.is_alphabetic()).count();
        if letters < MIN_LETTERS {
            return false;
        }
        let latin = chars.iter().all(|character| is_latin(*character));
        if is_domain(chars) || is_camel_case(chars) || is_numbered(text, word) {
            return true;
        }
        if self.writing == Writing::Foreign && latin {
            return chars.iter().all(|letter| letter.is_alphabetic());
        }
        // `DHL` among small letters: capitals may be said loudly, so only a name that is known
        // counts.
        if self.told && chars.iter().all(|letter| letter.is_uppercase()) {
            return is_known(&chars.iter().collect::<String>());
        }
        let capital =
            chars[0].is_uppercase() && chars.iter().skip(1).all(|letter| !letter.is_uppercase());
        if !capital || self.headline {
            return false;
        }
        let Some(previous) = previous else { return self.opens(text, hits, word) };
        let gap: Vec<char> = text.chars[previous.end..word.start].to_vec();
        // "ta' Acme", "ye-Acme", and behind the code itself: "481207 Acme giriş kodunuz".
        let joined = matches!(gap.as_slice(), [' ' | '-'] | ['\'' | '’', ' ']);
        let letter = text.chars[previous.end - 1].is_alphabetic();
        let within = joined
            && (letter || self.is_keyed(text, hits, word))
            && self.clauses[previous.start] == self.clauses[word.start];
        let before = text.lower(previous.start..previous.end);
        within && (self.writing != Writing::German || GERMAN_BEFORE.contains(&before.as_str()))
    }

    /// Whether the first word of the text is a label by its mark, or stands right before the words
    /// for a code: "Acme giriş kodunuz", "Acme. Enter …".
    fn opens(&self, text: &Text, hits: &[Hit], word: Word) -> bool {
        let mark = text.at(word.end);
        let dashed = mark == Some(' ')
            && text.at(word.end + 1) == Some('-')
            && text.at(word.end + 2) == Some(' ');
        matches!(mark, Some(':' | '.' | '!' | '|' | '\n'))
            || dashed
            || (self.writing != Writing::German && self.is_keyed(text, hits, word))
    }

    /// Whether the words for a code stand right behind it, or behind one small word: "Acme giriş
    /// kodunuz", "Acme uchun kod".
    fn is_keyed(&self, text: &Text, hits: &[Hit], word: Word) -> bool {
        let small = text.chars[word.end..]
            .iter()
            .skip(1)
            .take_while(|letter| letter.is_lowercase())
            .count();
        let starts = [word.end + 1, word.end + small + 2];
        let spaced = text.at(word.end) == Some(' ');
        let beside = |hit: &Hit| {
            starts.contains(&hit.start) && matches!(hit.class, Class::Key | Class::Verify)
        };
        spaced
            && hits.iter().any(beside)
            && hits.iter().any(|hit| {
                hit.class == Class::Key
                    && hit.start > word.end
                    && self.clauses[hit.start] == self.clauses[word.start]
            })
    }
}

/// `acme.example`: small letters behind a point, and letters before it.
fn is_domain(word: &[char]) -> bool {
    let Some(point) = word.iter().rposition(|character| *character == '.') else { return false };
    let ending = &word[point + 1..];
    let head = word[..point].iter().filter(|character| character.is_alphabetic()).count();
    ENDING.contains(&ending.len()) && ending.iter().all(char::is_ascii_lowercase) && head >= 2
}

/// `HappyCar`, `myKoala`, `e-Acme`: a capital behind a small letter, and small ones behind that.
fn is_camel_case(word: &[char]) -> bool {
    let inner = word.windows(2).any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase());
    let prefixed =
        word.len() > 4 && word[0].is_lowercase() && word[1] == '-' && word[2].is_uppercase();
    let plain = word.iter().all(|character| character.is_alphanumeric() || *character == '-');
    plain && (inner || prefixed) && word.iter().filter(|letter| letter.is_lowercase()).count() >= 2
}

/// Whether most letters are of another script than the Latin one.
pub(super) fn is_foreign(text: &Text) -> bool {
    let (latin, other) = text.chars.iter().filter(|character| character.is_alphabetic()).fold(
        (0, 0),
        |(latin, other), character| {
            if is_latin(*character) { (latin + 1, other) } else { (latin, other + 1) }
        },
    );
    other >= MIN_LETTERS && 3 * other >= latin
}

/// Whether most of its words have a capital and small letters behind it, as in a headline.
fn is_titled(text: &Text) -> bool {
    let (capital, small) = words(text).take(MAX_WORDS).fold((0, 0), |(capital, small), word| {
        let chars = &text.chars[word.start..word.end];
        let titled =
            chars[0].is_uppercase() && chars.iter().skip(1).any(|letter| letter.is_lowercase());
        (capital + usize::from(titled), small + usize::from(chars[0].is_lowercase()))
    });
    capital > small + 2
}

/// Whose page a last line `@host #code` is for, unless it is the service's.
pub fn bound_host(text: &Text, found: &[Found], words: &[&str]) -> Option<(String, bool)> {
    let bound = found.iter().find(|candidate| candidate.origin_bound)?;
    let at = text.chars[..bound.start].iter().rposition(|character| *character == '@')?;
    let host: String = text.chars[at + 1..bound.start]
        .iter()
        .take_while(|character| !character.is_whitespace())
        .flat_map(|letter| letter.to_lowercase())
        .collect();
    let label = |word: &&str| {
        host.split(['.', '-']).any(|label| {
            label == *word || (word.len() > MIN_LETTERS && label.contains(&folded_word(word)))
        })
    };
    let own = words.iter().any(label);
    Some((host, own))
}
