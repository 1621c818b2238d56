//! The national tables of Indian languages and Urdu (3GPP TS 23.038, annex A): which letters
//! septets are there, and what an escape makes of them.

use std::sync::LazyLock;

/// Two lines a language: its number and name; then 128 letters in place of the GSM alphabet's, or
/// what an escape makes of a septet. Code points in hex.
const TABLES: &str = include_str!("national.txt");
/// The first and the last language here, by the numbers that 3GPP gives them.
const FIRST: u8 = 4;
const LAST: u8 = 13;

/// What an escape makes of a septet, in all of these languages alike.
const SHARED: &str = "@£$¥¿\"¤%&'\u{c}*+\0-/<=>¡^¡_#*";

/// A language's tables.
#[derive(Debug)]
pub struct Language {
    locking: Vec<Option<char>>,
    single: Vec<(u8, char)>,
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let lines: Vec<&str> = TABLES.lines().collect();
    lines
        .chunks(2)
        .map(|pair| Language { locking: locking(pair[0]), single: single(pair[1]) })
        .collect()
});

/// The tables of a language; `None` for one that is not here.
pub fn language(number: u8) -> Option<&'static Language> {
    (FIRST..=LAST).contains(&number).then(|| LANGUAGES.get(usize::from(number - FIRST))).flatten()
}

impl Language {
    /// The letter of a septet.
    pub fn letter(&self, septet: u8) -> Option<char> {
        self.locking.get(usize::from(septet)).copied().flatten()
    }

    /// What an escape makes of a septet.
    pub fn escaped(&self, septet: u8) -> Option<char> {
        let own = self.single.iter().find(|(known, _)| *known == septet).map(|(_, letter)| *letter);
        let shared = || SHARED.chars().nth(septet.into()).filter(|letter| *letter != '\0');
        own.or_else(shared).or_else(|| septet.is_ascii_uppercase().then(|| char::from(septet)))
    }
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(' ').skip(3)
}

fn code_point(hex: &str) -> Option<char> {
    u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)
}

fn locking(line: &str) -> Vec<Option<char>> {
    fields(line).map(code_point).collect()
}

fn single(line: &str) -> Vec<(u8, char)> {
    let pair = |field: &str| {
        let (septet, letter) = field.split_once('=')?;
        Some((u8::from_str_radix(septet, 16).ok()?, code_point(letter)?))
    };
    fields(line).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_both_tables_whole() {
        assert_eq!(LANGUAGES.len(), usize::from(LAST - FIRST) + 1);
        for (number, pair) in (FIRST..=LAST).zip(TABLES.lines().collect::<Vec<_>>().chunks(2)) {
            assert!(pair.iter().all(|line| line.starts_with(&format!("{number} "))), "{pair:?}");
            let language = language(number).unwrap();
            assert_eq!(language.locking.len(), 128, "{number}");
            assert_eq!(language.single.len(), fields(pair[1]).count(), "{number}");
            // What codes are made of stands where it always stands.
            for letter in
                ('0'..='9').chain('a'..='z').chain([' ', '!', ',', '.', ':', ';', '?', '\n', '\r'])
            {
                assert_eq!(
                    language.letter(u8::try_from(letter).unwrap()),
                    Some(letter),
                    "{number}"
                );
            }
            for letter in 'A'..='Z' {
                assert_eq!(
                    language.escaped(u8::try_from(letter).unwrap()),
                    Some(letter),
                    "{number}"
                );
            }
        }
        assert!(language(3).is_none() && language(14).is_none());
    }
}
