//! A text in one alphabet of digits and without tricks: what every later step reads.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Characters looked at: a message of 255 parts has at most about 39 000.
const MAX_CHARACTERS: usize = 40_000;
/// Letters of a word for a unit: longer ones are no part of anything.
const MAX_UNIT: usize = 16;

/// A text, character by character, beside its folded twin (lower case, no accents) with the same
/// indices.
#[derive(Debug)]
pub struct Text {
    /// ASCII digits and Latin letters wherever the original had a variant of them; case kept.
    pub chars: Vec<char>,
    /// The same in lower case without accents, for finding words.
    pub folded: String,
    /// For each byte of `folded`, the index of its character.
    pub index_of_byte: Vec<usize>,
    /// Where words for units start ("minutes"), in order; the lexicon fills it.
    pub units: Vec<usize>,
}

impl Text {
    /// Reads a message.
    pub fn new(message: &str) -> Self {
        let chars: Vec<char> = if message.chars().any(is_decomposed) {
            message.nfc().filter_map(plain).take(MAX_CHARACTERS).collect()
        } else {
            message.chars().filter_map(plain).take(MAX_CHARACTERS).collect()
        };
        let mut folded_chars: Vec<char> = chars.iter().map(|character| fold(*character)).collect();
        one_script(&mut folded_chars);
        let mut folded = String::with_capacity(message.len());
        let mut index_of_byte = Vec::with_capacity(message.len());
        for (index, character) in folded_chars.into_iter().enumerate() {
            folded.push(character);
            index_of_byte.extend(std::iter::repeat_n(index, character.len_utf8()));
        }
        index_of_byte.push(chars.len());
        Self { chars, folded, index_of_byte, units: Vec::new() }
    }

    /// What stands there, in lower case.
    pub fn lower(&self, place: Range<usize>) -> String {
        self.chars[place].iter().flat_map(|letter| letter.to_lowercase()).collect()
    }

    /// Whether a word for a unit stands behind `end`, with nothing but spaces or a dash between.
    /// Another line is another matter, and a letter with a digit behind it (`m1bX`) is no word.
    pub fn unit_follows(&self, end: usize) -> bool {
        let gap = self.chars[end.min(self.chars.len())..]
            .iter()
            .take(2)
            .take_while(|character| matches!(character, ' ' | '-'))
            .count();
        let unit = end + gap;
        let letters = self.chars[unit.min(self.chars.len())..]
            .iter()
            .take(MAX_UNIT)
            .take_while(|character| character.is_alphabetic())
            .count();
        let is_part = self
            .at(unit + letters)
            .is_some_and(|next| next.is_ascii_digit() && self.chars[unit].is_ascii());
        !is_part && self.units.binary_search(&unit).is_ok()
    }

    /// The character at `index`, if there is one.
    pub fn at(&self, index: usize) -> Option<char> {
        self.chars.get(index).copied()
    }

    /// The character before `index`, if there is one.
    pub fn before(&self, index: usize) -> Option<char> {
        index.checked_sub(1).and_then(|index| self.at(index))
    }
}

/// Whether it is a part of a letter or syllable that most texts write as one: an accent, a Japanese
/// voicing mark, a Korean jamo.
const fn is_decomposed(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}' | '\u{1100}'..='\u{11ff}')
}

/// A key word as `Text::folded` would have it.
pub fn folded_word(word: &str) -> String {
    word.chars().filter_map(plain).map(fold).collect()
}

/// A character as `Text::folded` has it.
pub fn folded_char(character: char) -> Option<char> {
    plain(character).map(fold)
}

/// The character as it counts here: `None` for what is invisible.
fn plain(character: char) -> Option<char> {
    match character {
        // Soft hyphen, zero-width marks, direction marks and embeddings, joiners, BOM, variation
        // selectors, combining accents.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{300}'..='\u{36f}' => None,
        '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}'
        | '\t' => Some(' '),
        '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => Some('-'),
        // Full-width ASCII, one to one, but for the comma: it parts clauses, and never digits.
        '\u{ff0c}' => Some('、'),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0),
        _ => Some(ascii_digit(character).unwrap_or(character)),
    }
}

/// The ASCII digit that a decimal digit of another script stands for.
fn ascii_digit(character: char) -> Option<char> {
    // The zeros of the scripts that phones send digits in; each is followed by its one to nine
    // (Unicode, category Nd).
    const ZEROS: [u32; 34] = [
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6,
        0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0,
        0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xaa50,
        0xabf0,
    ];
    // Most characters are below all of them, or above: looked at first because this runs for every
    // character.
    if !('\u{660}'..='\u{abf9}').contains(&character)
        && !('\u{1d7ce}'..='\u{1d7ff}').contains(&character)
    {
        return None;
    }
    let point = u32::from(character);
    if let mathematical @ 0x1d7ce..=0x1d7ff = point {
        return char::from_digit((mathematical - 0x1d7ce) % 10, 10);
    }
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&point))?;
    char::from_digit(point - zero, 10)
}

/// Lower case without accents where letters have cases and accents; other scripts as they are.
fn fold(character: char) -> char {
    match character {
        'đ' | 'Đ' => 'd',
        'ł' | 'Ł' => 'l',
        'ø' | 'Ø' => 'o',
        'ı' | 'İ' => 'i',
        'æ' | 'Æ' => 'e',
        '\u{80}'..='\u{58f}' | '\u{1e00}'..='\u{1fff}' => {
            let base = character.nfd().next().unwrap_or(character);
            base.to_lowercase().next().unwrap_or(base)
        }
        _ => character.to_lowercase().next().unwrap_or(character),
    }
}

/// Small letters of the Latin and the Cyrillic alphabet that look alike, at least as capitals.
const ALIKE: [(char, char); 14] = [
    ('a', 'а'),
    ('b', 'в'),
    ('c', 'с'),
    ('e', 'е'),
    ('h', 'н'),
    ('i', 'і'),
    ('k', 'к'),
    ('m', 'м'),
    ('o', 'о'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('t', 'т'),
    ('x', 'х'),
    ('y', 'у'),
];

/// The same of the Latin and the Greek alphabet.
const ALIKE_GREEK: [(char, char); 14] = [
    ('a', 'α'),
    ('b', 'β'),
    ('e', 'ε'),
    ('z', 'ζ'),
    ('h', 'η'),
    ('i', 'ι'),
    ('k', 'κ'),
    ('m', 'μ'),
    ('n', 'ν'),
    ('o', 'ο'),
    ('p', 'ρ'),
    ('t', 'τ'),
    ('x', 'χ'),
    ('y', 'υ'),
];

/// Writes every word that mixes two alphabets in the one that it has more letters of: `Kод`, `cоde`,
/// `ΟTP`.
fn one_script(folded: &mut [char]) {
    for word in folded.split_mut(|character| !character.is_alphabetic()) {
        let latin = word.iter().filter(|character| character.is_ascii()).count();
        let of = |from: char, to: char| {
            word.iter().filter(|character| (from..=to).contains(*character)).count()
        };
        let (cyrillic, greek) = (of('\u{400}', '\u{4ff}'), of('\u{370}', '\u{3ff}'));
        if latin == 0 || (cyrillic == 0) == (greek == 0) {
            continue;
        }
        let (alike, other) = if cyrillic > 0 { (&ALIKE, cyrillic) } else { (&ALIKE_GREEK, greek) };
        for letter in word.iter_mut() {
            let twin = alike
                .iter()
                .find(|(from, to)| if other >= latin { from == letter } else { to == letter });
            if let Some((from, to)) = twin {
                *letter = if other >= latin { *to } else { *from };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> String {
        Text::new(message).chars.into_iter().collect()
    }

    #[test]
    fn digits_of_every_script_become_ascii() {
        for digits in [
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "০১২৩৪৫৬৭৮৯",
            "๐๑๒๓๔๕๖๗๘๙",
            "０１２３４５６７８９",
            "၀၁၂၃၄၅၆၇၈၉",
            "០១២៣៤៥៦៧៨៩",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
        ] {
            assert_eq!(read(digits), "0123456789");
        }
    }

    #[test]
    fn invisible_characters_vanish_and_odd_spaces_are_spaces() {
        assert_eq!(read("12\u{200e}3\u{a0}4\u{ad}5\u{202f}6"), "123 45 6");
    }

    #[test]
    fn words_lose_case_and_accents() {
        assert_eq!(Text::new("CÓDIGO Xác Łódź ΚΩΔΙΚΌΣ").folded, "codigo xac lodz κωδικοσ");
        assert_eq!(folded_word("κωδικός"), folded_word("κωδικός"));
    }

    #[test]
    fn letters_in_parts_are_put_together() {
        assert_eq!(read("コ\u{3099}ード \u{110f}\u{1169}\u{1103}\u{1173}"), "ゴード 코드");
    }

    #[test]
    fn a_word_of_two_alphabets_is_read_in_one() {
        assert_eq!(Text::new("Kод сode").folded, "код code");
        assert_eq!(Text::new("ΟTP").folded, "otp");
    }

    #[test]
    fn a_giant_text_is_read_to_a_bound() {
        assert_eq!(Text::new(&"a".repeat(1_000_000)).chars.len(), MAX_CHARACTERS);
    }
}
