//! Addresses on the web and of mail, and the hash by which an app finds its own message.

use super::normal::Text;
use super::number::Region;
use super::reason::Reason;

/// Longest label of a name on the web, and of its ending.
const MAX_LABEL: usize = 63;
const MAX_ENDING: usize = 10;

/// Every such stretch.
pub fn find(text: &Text, regions: &mut Vec<Region>) {
    let mut start = 0;
    while start < text.chars.len() {
        let length =
            text.chars[start..].iter().take_while(|character| character.is_ascii_graphic()).count();
        let word = &text.chars[start..start + length];
        if let Some(from) = address_from(word) {
            regions.push(Region { start: start + from, end: start + length, reason: Reason::Url });
        }
        start += length.max(1);
    }
    regions.extend(app_hash(text));
}

/// Where in a word without spaces an address starts: at its scheme, at `www.`, or at the label
/// before the first dot.
fn address_from(word: &[char]) -> Option<usize> {
    let at = |pattern: &[char]| word.windows(pattern.len()).position(|window| window == pattern);
    if let Some(scheme) = at(&[':', '/', '/']) {
        let letters = word[..scheme]
            .iter()
            .rev()
            .take(MAX_ENDING)
            .take_while(|character| character.is_ascii_alphabetic())
            .count();
        return Some(scheme - letters);
    }
    if let Some(start) = at(&['w', 'w', 'w', '.']) {
        return Some(start);
    }
    for dot in (1..word.len()).filter(|dot| word[*dot] == '.') {
        let label = word[..dot].iter().rev().take(MAX_LABEL).take_while(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
        });
        let lettered = label.clone().any(char::is_ascii_alphabetic);
        let ending = word[dot + 1..]
            .iter()
            .take(MAX_ENDING)
            .take_while(|character| character.is_ascii_lowercase())
            .count();
        let behind = word.get(dot + 1 + ending);
        let ends = behind.is_none_or(|character| {
            matches!(
                character,
                '/' | '?' | '#' | ':' | ',' | '.' | ')' | '!' | '"' | '\'' | ';' | '>'
            )
        });
        if lettered && (2..=6).contains(&ending) && ends {
            return Some(dot - label.count());
        }
    }
    None
}

/// The 11-character hash by which an app finds its own message: the last word, in base64.
fn app_hash(text: &Text) -> Option<Region> {
    let end = text.chars.iter().rposition(|character| !character.is_whitespace())? + 1;
    let start = text.chars[..end].iter().rposition(|character| character.is_whitespace())? + 1;
    let word = &text.chars[start..end];
    let base64 = word
        .iter()
        .all(|character| character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '='));
    let lower = word.iter().any(char::is_ascii_lowercase);
    let other = word.iter().any(|character| !character.is_ascii_lowercase());
    (word.len() == 11 && base64 && lower && other).then_some(Region {
        start,
        end,
        reason: Reason::AppHash,
    })
}
