//! Countries that no word of the dictionary names: flags, dial codes, ISO codes, names with endings
//! and typos.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use events::country::Country;
use strsim::osa_distance;

use super::dictionary::{Dictionary, Kind, Meaning};
use super::fold::{Text, Word, comparable, fold, is_unspaced};

/// A country's name of one word, folded, that endings and typos are compared with.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Single {
    letters: Vec<char>,
    written: String,
    code: String,
}

/// Those names by their first letter, which is rarely the wrong one.
static SINGLE: LazyLock<HashMap<char, Vec<Single>>> = LazyLock::new(|| {
    let files = [
        include_str!("../data/aliases.txt"),
        include_str!("../data/countries.txt"),
        include_str!("../data/others.txt"),
    ];
    let lines = files.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('#'));
    let names: BTreeSet<Single> = lines
        .filter_map(|line| line.split_once('\t'))
        .flat_map(|(code, names)| {
            names.split('|').map(move |name| (fold(&comparable(name)), code.to_owned()))
        })
        .filter(|(name, _)| {
            name.chars().count() >= 5
                && !name.contains([' ', '-', '.', '\''])
                && !name.chars().any(is_unspaced)
        })
        .map(|(name, code)| Single { letters: name.chars().collect(), written: name, code })
        .collect();
    let mut by_letter: HashMap<char, Vec<Single>> = HashMap::new();
    for name in names {
        by_letter.entry(name.letters[0]).or_default().push(name);
    }
    by_letter
});

fn names_like(word: &str) -> &'static [Single] {
    word.chars().next().and_then(|first| SINGLE.get(&first)).map_or(&[], Vec::as_slice)
}

/// Names that people write most.
static COMMON: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let lines =
        include_str!("../data/aliases.txt").lines().filter_map(|line| line.split_once('\t'));
    lines.flat_map(|(_, names)| names.split('|').map(|name| fold(&comparable(name)))).collect()
});

/// Two-letter codes that are words: they count in capitals, or at the end after a preposition.
const WORDS: &[&str] = &[
    "us", "it", "in", "id", "my", "de", "es", "no", "se", "au", "ca", "th", "at", "be", "is", "to",
    "so", "me", "do", "am", "as", "by", "um", "un", "la", "li", "ma", "mi", "ne", "ni", "pa", "na",
    "si", "su", "va", "ve", "ba", "ga", "ki", "ls", "st", "tv",
];
const PREPOSITIONS: &[&str] = &[
    "for", "in", "from", "country", "region", "of", "to", "code", "de", "en", "aus", "dans", "da",
    "di", "из", "z", "iz", "uit", "dari", "pays", "land", "pais", "based",
];
/// Fields of forms, in which two letters are a code, whatever word they are.
const FIELDS: &[&str] =
    &["country", "region", "geo", "iso", "location", "cc", "country_code", "nation"];
/// Words behind which `it` is the pronoun.
const PRONOUNS: &[&str] = &["for", "of", "to", "with", "on"];
/// What may stand behind a code at a sentence's end.
const AFTERTHOUGHTS: &[&str] = &[
    "please", "pls", "plz", "thanks", "thx", "now", "asap", "number", "numbers", "sim", "phone",
    "today", "quick", "fast", "region", "country", "code", "numero", "nummer",
];
/// Capitals that mean something else than a country.
const NOT_CODES: &[(&str, &[&str])] = &[
    ("id", &["verification", "verify", "code", "account", "check", "card", "number", "login"]),
    ("it", &["department", "team", "support", "admin"]),
];
const BEFORE_NOT_CODES: &[&str] =
    &["apple", "user", "account", "order", "game", "my", "xbox", "photo", "our"];

/// Typos of names in English that are other words.
const NOT_TYPOS: &[&str] = &[
    "chain",
    "chins",
    "chime",
    "china's",
    "indie",
    "spawn",
    "paint",
    "plain",
    "spin",
    "japans",
    "france's",
    "india's",
    "brasil",
    "frames",
    "malaise",
    "romania's",
    "candida",
    "mexicans",
];

/// What is of a country in English: the words that such sentences misspell most.
const ENGLISH: &[(&str, &str)] = &[
    ("american", "US"),
    ("russian", "RU"),
    ("ukrainian", "UA"),
    ("british", "GB"),
    ("english", "GB"),
    ("german", "DE"),
    ("french", "FR"),
    ("indian", "IN"),
    ("indonesian", "ID"),
    ("filipino", "PH"),
    ("brazilian", "BR"),
    ("canadian", "CA"),
    ("polish", "PL"),
    ("spanish", "ES"),
    ("italian", "IT"),
    ("swedish", "SE"),
    ("mexican", "MX"),
    ("australian", "AU"),
    ("korean", "KR"),
    ("japanese", "JP"),
    ("chinese", "CN"),
    ("vietnamese", "VN"),
    ("malaysian", "MY"),
];

/// Calling codes of the world beyond the 24 countries': recognised, to be refused.
const OTHER_DIAL_CODES: &[&str] = &[
    "20", "211", "212", "213", "216", "218", "220", "221", "222", "223", "224", "225", "226",
    "227", "228", "229", "230", "231", "232", "233", "234", "235", "236", "237", "238", "239",
    "240", "241", "242", "243", "244", "245", "248", "249", "250", "251", "252", "253", "254",
    "255", "256", "257", "258", "260", "261", "262", "263", "264", "265", "266", "267", "268",
    "269", "27", "30", "32", "350", "351", "352", "353", "354", "355", "356", "357", "358", "359",
    "36", "370", "371", "372", "373", "374", "375", "376", "377", "378", "381", "382", "383",
    "385", "386", "387", "389", "40", "41", "420", "421", "423", "43", "45", "47", "500", "501",
    "502", "503", "504", "505", "506", "507", "509", "51", "53", "54", "56", "57", "58", "590",
    "591", "592", "593", "595", "597", "598", "64", "65", "670", "673", "675", "676", "677", "679",
    "685", "689", "84", "852", "853", "855", "856", "880", "886", "90", "92", "93", "94", "95",
    "960", "961", "962", "963", "964", "965", "966", "967", "968", "970", "971", "972", "973",
    "974", "975", "976", "977", "98", "992", "993", "994", "995", "996", "998",
];

/// Pairs of regional indicators; of the flags of Britain's parts, Britain.
pub fn flags(written: &str) -> Vec<String> {
    let indicator = |character: char| {
        let place = u32::from(character).checked_sub(0x1_f1e6).filter(|place| *place < 26)?;
        char::from_u32(u32::from('A') + place)
    };
    let mut flags = Vec::new();
    let mut pending: Option<char> = None;
    for character in written.chars() {
        match (pending.take(), indicator(character)) {
            (Some(first), Some(second)) => flags.push(format!("{first}{second}")),
            (None, Some(first)) => pending = Some(first),
            _ => {}
        }
        if character == '\u{1f3f4}' {
            flags.push("GB".to_owned());
        }
    }
    flags
}

/// `+44`, or a whole number that begins so. +1 is the default country's.
pub fn dial_codes(written: &str) -> Vec<String> {
    let after_plus = written.split('+').skip(1);
    after_plus
        .filter_map(|rest| {
            let digits: String = rest
                .chars()
                .take_while(|character| character.is_ascii_digit() || *character == ' ')
                .filter(char::is_ascii_digit)
                .collect();
            country_of_digits(&digits)
        })
        .collect()
}

/// The country that digits begin with the dial code of; of another one its dial code.
pub fn country_of_digits(digits: &str) -> Option<String> {
    let supported = Country::ALL.iter().map(|country| (country.dial_code(), country.code()));
    let others = OTHER_DIAL_CODES.iter().map(|code| (*code, *code));
    let known = supported.chain(others).filter(|(code, _)| digits.starts_with(code));
    // The first of the same length: +1 is US before CA.
    known.rev_max_by_len()
}

/// Whether digits are a dial code and no more.
pub fn is_dial_code(digits: &str) -> bool {
    OTHER_DIAL_CODES.contains(&digits)
        || Country::ALL.iter().any(|country| country.dial_code() == digits)
}

trait Longest {
    fn rev_max_by_len(self) -> Option<String>;
}

impl<'a, I: Iterator<Item = (&'a str, &'a str)>> Longest for I {
    fn rev_max_by_len(self) -> Option<String> {
        let longest = self.fold(None, |best: Option<(&str, &str)>, (code, name)| match best {
            Some((known, _)) if known.len() >= code.len() => best,
            _ => Some((code, name)),
        });
        longest.map(|(_, name)| name.to_owned())
    }
}

/// ISO codes as words of their own.
pub fn codes(text: &Text, follows_name: impl Fn(usize) -> bool) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (place, word) in text.words.iter().enumerate() {
        if word.written.len() != 2 || !word.written.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        let upper = word.written.to_ascii_uppercase();
        let Some(code) = known_code(&upper) else { continue };
        // Behind a platform's name or a number at the end nothing else is meant: `order discord
        // de`.
        let is_last = place + 1 == text.words.len()
            && follows_name(place)
            && !speaks_of_order(&word.lower, code.parse::<Country>().is_ok())
            && !["us", "my", "no", "so", "me", "id", "it", "is", "to", "do"]
                .contains(&&*word.folded);
        if means_country(text, place, word, code) || is_last {
            found.push((place, code.to_owned()));
        }
    }
    found
}

/// Whether a word names what is sold, or asks for it: `nr` is a number before it is Nauru, and the
/// Turkish `al` takes one before it is Albania.
fn speaks_of_order(lower: &str, is_supported: bool) -> bool {
    let meanings = Dictionary::get().phrase(lower, lower);
    let is_thing = |meaning: &Meaning| matches!(meaning, Meaning::Word(_, Kind::Thing));
    let is_verb = |meaning: &Meaning| matches!(meaning, Meaning::Word(_, Kind::Give | Kind::Want));
    meanings.iter().any(|meaning| is_thing(meaning) || (!is_supported && is_verb(meaning)))
}

fn known_code(upper: &str) -> Option<&'static str> {
    if upper == "UK" {
        return Some("GB");
    }
    Dictionary::get().countries.iter().map(String::as_str).find(|known| *known == upper)
}

fn means_country(text: &Text, place: usize, word: &Word, code: &str) -> bool {
    let is_supported = code.parse::<Country>().is_ok();
    let is_capital = word.written.bytes().all(|byte| byte.is_ascii_uppercase()) && !text.is_shouted;
    let before = place
        .checked_sub(1)
        .and_then(|before| text.words.get(before))
        .map(|before| before.folded.as_str());
    let after = text.words.get(place + 1).map(|after| after.folded.as_str());
    let denied = NOT_CODES.iter().any(|(name, followers)| {
        word.folded == *name && after.is_some_and(|after| followers.contains(&after))
    }) || (word.folded == "id"
        && before.is_some_and(|before| BEFORE_NOT_CODES.contains(&before)));
    if denied {
        return false;
    }
    let is_field = place > 0
        && FIELDS.contains(&text.words[place - 1].folded.as_str())
        && text.words[place - 1].gap.contains([':', '=']);
    if is_field {
        return true;
    }
    let follows = before.is_some_and(|before| PREPOSITIONS.contains(&before));
    let is_bracketed = place
        .checked_sub(1)
        .and_then(|before| text.words.get(before))
        .is_some_and(|before| before.gap.contains(['(', '[', ',', ':', '/', '-']));
    let ends = after.is_none_or(|after| AFTERTHOUGHTS.contains(&after))
        || word.gap.contains([',', '.', ')', ';', '!', '?']);
    // One of several: `us/uk`, `us or uk`.
    let is_listed = word.gap.contains(['/', '|', '&'])
        || after.is_some_and(|after| ["or", "and"].contains(&after));
    let is_word = WORDS.contains(&word.folded.as_str());
    match (is_supported, is_capital) {
        (true, true) => true,
        // `us` in small letters is a pronoun; where it is the country, it is the default one.
        (true, false) if word.folded == "us" => {
            is_listed || (follows && ends && before != Some("for"))
        }
        // `use it for it`: the pronoun.
        (true, false)
            if word.folded == "it" && before.is_some_and(|before| PRONOUNS.contains(&before)) =>
        {
            false
        }
        (true, false) if word.folded == "my" => follows && after.is_none(),
        (true, false) if is_word => follows && ends,
        (true, false) => !text.is_shouted || follows || ends,
        (false, true) => follows || is_bracketed || (ends && place > 0 && !is_word),
        (false, false) => follows && after.is_none() && !is_word,
    }
}

/// Names with another ending: `Германией`, `z Niemiec`, `Almanya'dan`.
pub fn ending(word: &str) -> Option<String> {
    if word.chars().count() < 5 || word.chars().any(is_unspaced) {
        return None;
    }
    let letters: Vec<char> = word.chars().collect();
    let common = |name: &Single| {
        name.letters.iter().zip(&letters).take_while(|(one, other)| one == other).count()
    };
    let fits = |name: &Single| {
        let shared = common(name);
        shared >= 4.max(name.letters.len().saturating_sub(2)) && letters.len() - shared <= 3
    };
    let best = names_like(word)
        .iter()
        .filter(|name| fits(name))
        .max_by_key(|name| (common(name), std::cmp::Reverse(name.letters.len())));
    let is_not_latin = letters.iter().all(|letter| !letter.is_ascii());
    // In Latin letters an ending is one or two: other words begin like countries.
    best.filter(|name| is_not_latin || (common(name) >= 5 && letters.len() - common(name) <= 2))
        .map(|name| name.code.clone())
}

/// The country whose English adjective is a slip away, other than in its first letter.
fn adjective(word: &str) -> Option<&'static str> {
    let is_near =
        |known: &str| known.chars().next() == word.chars().next() && osa_distance(known, word) <= 1;
    ENGLISH.iter().find(|(known, _)| is_near(known)).map(|(_, code)| *code)
}

/// The countries whose names are a slip away; a slip between two names both.
pub fn misspelt(word: &str) -> Vec<String> {
    let letters = word.chars().count();
    if letters < 4 || word.chars().any(is_unspaced) || NOT_TYPOS.contains(&word) {
        return Vec::new();
    }
    let english = |code: &str| {
        Country::ALL
            .iter()
            .find(|country| country.code() == code)
            .map(|country| country.name().to_lowercase())
    };
    let near = names_like(word).iter().filter(|Single { letters: known, written: name, code }| {
        let is_english = || english(code).is_some_and(|english| english == *name);
        let allowed = if known.len() < 10 { 1 } else { 2 };
        if known.len().abs_diff(letters) > allowed || osa_distance(name, word) > allowed {
            return false;
        }
        match known.len() {
            ..7 => is_english(),
            // Names in small languages are a slip away from too much else: Wakanda from Javanese
            // Walanda.
            7..=9 => is_english() || code.parse::<Country>().is_err() || COMMON.contains(name),
            _ => true,
        }
    });
    let near: BTreeSet<&str> = near.map(|name| name.code.as_str()).chain(adjective(word)).collect();
    near.into_iter().map(str::to_owned).collect()
}
