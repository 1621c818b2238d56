//! Countries by the three letters of ISO 3166: `DEU`, `country: che`.

use super::dictionary::Dictionary;
use super::fold::{Text, Word};

/// `two<TAB>three` letters.
const CODES: &str = include_str!("../data/alpha3.txt");
/// Codes that are words: they count behind what a country stands behind.
const WORDS: &[&str] = &["CAN", "AUS", "AND", "ARE", "PER", "COD", "COM", "TON", "MAC", "IOT"];
/// Fields of forms, in which letters of any case are a code.
const FIELDS: &[&str] = &["country", "region", "geo", "iso", "location", "cc", "code", "nation"];
const BEFORE: &[&str] = &["in", "from", "for", "of", "country", "region"];

/// The countries that words of three letters name, by the word's place.
pub fn codes(text: &Text) -> Vec<(usize, String)> {
    let named = |(place, word): (usize, &Word)| {
        let is_short =
            word.written.len() == 3 && word.written.bytes().all(|byte| byte.is_ascii_alphabetic());
        // Most words of three letters are in small ones: the list is asked last.
        let is_code = is_short && means_country(text, place, word);
        let code = if is_code { two_letters(&word.written.to_ascii_uppercase()) } else { None }?;
        Some((place, code.to_owned()))
    };
    text.words.iter().enumerate().filter_map(named).collect()
}

fn two_letters(three: &str) -> Option<&'static str> {
    let lines = CODES.lines().filter_map(|line| line.split_once('\t'));
    let two = lines.filter(|(_, known)| *known == three).map(|(two, _)| two).next()?;
    Dictionary::get().countries.iter().map(String::as_str).find(|known| *known == two)
}

fn means_country(text: &Text, place: usize, word: &Word) -> bool {
    let before = place.checked_sub(1).and_then(|before| text.words.get(before));
    let is_field = before.is_some_and(|before| {
        FIELDS.contains(&before.folded.as_str()) && before.gap.contains([':', '='])
    });
    let is_capital = word.written.bytes().all(|byte| byte.is_ascii_uppercase()) && !text.is_shouted;
    let is_behind = before.is_some_and(|before| {
        BEFORE.contains(&before.folded.as_str()) || before.gap.contains(['(', '[', '/'])
    });
    // `GEO: FR` is a field, and not Georgia.
    let is_label = word.gap.contains([':', '=']);
    is_field || (is_capital && !is_label && (is_behind || !WORDS.contains(&word.written.as_str())))
}
