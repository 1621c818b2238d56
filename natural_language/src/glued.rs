//! Words that are written together: `whatsappgermanynumber`.

use super::dictionary::{Dictionary, Kind, Meaning};

/// Letters of a word that is cut: shorter ones are misspelt, longer ones are none.
const LETTERS: std::ops::RangeInclusive<usize> = 8..=48;
/// Letters of a piece.
const PIECE: std::ops::RangeInclusive<usize> = 3..=16;
/// Pieces that are shorter.
const SHORT: &[&str] = &["uk", "us", "my", "me", "a", "in", "i", "to"];

/// What the pieces of a word mean, if it is made of known words of English and of names, a
/// platform's among them; the fewest pieces.
pub fn pieces(word: &str) -> Option<Vec<Vec<Meaning>>> {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) || !LETTERS.contains(&word.len()) {
        return None;
    }
    // The best way to write the word's beginning of each length.
    let mut best: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
    best[0] = Some((0, 0));
    for end in 1..=word.len() {
        for start in end.saturating_sub(*PIECE.end())..end {
            let Some((pieces, _)) = best[start] else { continue };
            if best[end].is_none_or(|(fewest, _)| pieces + 1 < fewest)
                && !meanings(&word[start..end]).is_empty()
            {
                best[end] = Some((pieces + 1, start));
            }
        }
    }
    let mut found = Vec::new();
    let mut end = word.len();
    while end > 0 {
        let (_, start) = best[end]?;
        found.push(meanings(&word[start..end]));
        end = start;
    }
    found.reverse();
    let names_platform =
        found.iter().flatten().any(|meaning| matches!(meaning, Meaning::Platform(_)));
    (names_platform && found.len() > 1).then_some(found)
}

/// What a piece means: a name, or a word of English.
fn meanings(piece: &str) -> Vec<Meaning> {
    let dictionary = Dictionary::get();
    if !PIECE.contains(&piece.len()) && !SHORT.contains(&piece) {
        return Vec::new();
    }
    let is_english = |language: u8| dictionary.languages[usize::from(language)] == "en";
    let fits = |meaning: &Meaning| match meaning {
        Meaning::Word(language, kind) => {
            is_english(*language) && (piece.len() >= *PIECE.start() || *kind == Kind::Filler)
        }
        Meaning::Platform(_) => piece.len() >= 4,
        Meaning::Place(_) => piece.len() >= 4 || ["usa", "us", "uk"].contains(&piece),
        Meaning::Brand => true,
    };
    dictionary.phrase(piece, piece).into_iter().filter(fits).collect()
}
