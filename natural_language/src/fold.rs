//! A sentence made comparable: lower-case, without accents, cut into words; and as it was written,
//! where case says something.

use unicode_normalization::UnicodeNormalization;

/// A sentence in the forms that names are looked for in.
#[derive(Debug)]
pub struct Text {
    /// Compatibility forms dissolved (full-width letters, say), case kept.
    pub written: String,
    /// Its words, as written.
    pub words: Vec<Word>,
    /// Whether it is shouted: then capitals say nothing.
    pub is_shouted: bool,
    /// Whether every longer word begins with a capital, as in titles.
    pub is_titled: bool,
}

/// Letters from which a word of a title has a capital.
const TITLED: usize = 4;

/// A word of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As written.
    pub written: String,
    /// In lower case.
    pub lower: String,
    /// In lower case, without accents.
    pub folded: String,
    /// What stands between it and the next word.
    pub gap: String,
}

impl Text {
    /// The forms of a sentence.
    pub fn of(query: &str) -> Self {
        let written = typed(query);
        let words = words(&written);
        let capitals = words
            .iter()
            .filter(|word| {
                word.written.chars().count() > 2 && word.written.chars().all(char::is_uppercase)
            })
            .count();
        let is_shouted = capitals > 1 && !written.chars().any(char::is_lowercase);
        let is_small = |word: &Word| {
            word.written.chars().count() >= TITLED
                && word.written.chars().next().is_some_and(char::is_lowercase)
        };
        let is_titled = !words.iter().any(is_small);
        Self { written, words, is_shouted, is_titled }
    }

    /// Whether a word has a capital letter where no sentence begins.
    pub fn has_capital_within(&self, place: usize) -> bool {
        let begins = place == 0 || self.words[place - 1].gap.contains(['.', '!', '?', ':']);
        self.words[place].written.chars().next().is_some_and(char::is_uppercase)
            && !begins
            && !self.is_shouted
    }
}

/// Compatibility forms dissolved, typographers' signs as typists', nothing invisible.
fn typed(text: &str) -> String {
    text.nfkc()
        .filter(|character| {
            !matches!(
                character,
                '\u{200b}'
                    | '\u{200d}'
                    | '\u{feff}'
                    | '\u{ad}'
                    | '\u{200e}'
                    | '\u{200f}'
                    | '\u{2060}'
            )
        })
        .map(plain)
        .collect()
}

/// A name as sentences are compared with it.
pub fn comparable(name: &str) -> String {
    lower(&typed(name))
}

/// Typographers' signs as typists'.
fn plain(character: char) -> char {
    match character {
        '’' | '‘' | '′' | 'ʻ' | 'ʼ' | '`' | '´' => '\'',
        '‐' | '‑' | '–' | '—' => '-',
        '\u{a0}' | '\u{200c}' | '\t' | '\n' | '\r' => ' ',
        other => other,
    }
}

/// In lower case; the Turkish capital İ as the i it is meant as.
pub fn lower(text: &str) -> String {
    text.to_lowercase().replace("i\u{307}", "i").nfc().collect()
}

/// Lower-case text without the accents of Latin, Greek and Cyrillic. Marks of other scripts are
/// letters there and stay.
pub fn fold(lower: &str) -> String {
    let without = lower.nfd().filter(|character| !('\u{300}'..='\u{36f}').contains(character));
    let plain = without.map(|character| match character {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ς' => 'σ',
        'ə' => 'e',
        'أ' | 'إ' | 'آ' => 'ا',
        'ى' | 'ی' | 'ے' => 'ي',
        'ک' => 'ك',
        'ة' | 'ہ' | 'ۀ' => 'ه',
        'ـ' => '\u{200b}',
        other => other,
    });
    plain
        .filter(|character| {
            *character != '\u{200b}' && !('\u{64b}'..='\u{652}').contains(character)
        })
        .nfc()
        .collect::<String>()
        .replace('ß', "ss")
        .replace('æ', "ae")
        .replace('œ', "oe")
}

/// Whether words of the character's script are written without spaces between them.
pub fn is_unspaced(character: char) -> bool {
    matches!(
        u32::from(character),
        0x0e00..=0x0eff
            | 0x1000..=0x109f
            | 0x1780..=0x17ff
            | 0x2e80..=0x9fff
            | 0xac00..=0xd7af
            | 0xf900..=0xfaff
            | 0x2_0000..=0x3_ffff
    )
}

/// Whether the character is one of those that Chinese and Japanese write words with.
pub fn is_han(character: char) -> bool {
    matches!(u32::from(character), 0x3400..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// Whether the character belongs to a word: letters, digits, and the marks that scripts write
/// letters with.
pub fn is_word(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(
            u32::from(character),
            0x0300..=0x036f
                | 0x0591..=0x05c7
                | 0x064b..=0x065f
                | 0x0900..=0x0dff
                | 0x0e00..=0x0e7f
        )
}

/// The words of a name, as [`Text`] has those of a sentence.
pub fn tokens(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.written).collect()
}

fn words(written: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current = String::new();
    for character in written.chars().chain(std::iter::once(' ')) {
        // Another script beside one without spaces is another word: `LINE認証`.
        // Of such a script each letter is one, since nothing tells where its words end.
        let goes_on = current
            .chars()
            .next_back()
            .is_none_or(|last| !is_unspaced(last) && !is_unspaced(character));
        if is_word(character) && goes_on {
            current.push(character);
            continue;
        }
        if !current.is_empty() {
            let written = std::mem::take(&mut current);
            let lower = lower(&written);
            let folded = fold(&lower);
            words.push(Word { written, lower, folded, gap: String::new() });
        }
        if is_word(character) {
            current.push(character);
        } else if let Some(last) = words.last_mut() {
            last.gap.push(character);
        }
    }
    words
}
