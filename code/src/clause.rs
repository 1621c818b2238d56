//! Sentences and clauses: which words a number stands together with.

use super::normal::Text;

/// For each character, the number of the clause it stands in.
pub fn number(text: &Text) -> Vec<usize> {
    let mut clause = 0;
    let mut is_empty = true;
    let mut numbers = Vec::with_capacity(text.chars.len() + 1);
    for index in 0..text.chars.len() {
        numbers.push(clause);
        is_empty &= !text.chars[index].is_alphanumeric();
        // Blank lines, and marks side by side, end one clause.
        if !is_empty && ends_at(text, index) {
            clause += 1;
            is_empty = true;
        }
    }
    numbers.push(clause);
    numbers
}

/// Letters of a word before a point that ends no sentence where a small letter follows.
const MAX_SHORT: usize = 3;

fn ends_at(text: &Text, index: usize) -> bool {
    match text.chars[index] {
        '!' | '?' | '。' | '！' | '？' | '؟' | '।' | '॥' | '။' | '።' | '։' | '؛' | ';' | '；'
        | '۔' => true,
        '\n' => !leads_on(text, index),
        '.' => {
            let next = text.at(index + 1);
            let word = text.chars[..index]
                .iter()
                .rev()
                .take(5)
                .take_while(|character| character.is_alphabetic())
                .count();
            let behind =
                text.chars[index + 1..].iter().take(2).find(|character| **character != ' ');
            // "No. 1234", "tel. 07", "rach. ..7741": a short word and then its number, or a mask of
            // it. "dvs. este": no sentence begins with a small letter.
            let abbreviates = (1..=4).contains(&word)
                && (behind.is_some_and(|next| next.is_ascii_digit() || matches!(next, '.' | '*'))
                    || (word <= MAX_SHORT && behind.is_some_and(|next| next.is_lowercase()))
                    || is_abbreviation(text, index, word));
            // "...481207.Do not share": the space is lost.
            let glued = next.is_some_and(char::is_uppercase)
                && text
                    .before(index)
                    .is_some_and(|before| before.is_ascii_digit() || before.is_lowercase());
            (next.is_none_or(char::is_whitespace) || glued) && !abbreviates
        }
        _ => false,
    }
}

/// Whether the line before `index` leads to the next one: "Your code:".
fn leads_on(text: &Text, index: usize) -> bool {
    text.chars[..index]
        .iter()
        .rev()
        .take(8)
        .find(|character| !character.is_whitespace())
        .is_some_and(|last| matches!(last, ':' | '=' | '>' | '-' | ',' | '、'))
}

/// Short words that always have their point, whatever follows: "A/c no. XX1234".
const ABBREVIATIONS: [&str; 15] = [
    "no", "nr", "num", "acc", "acct", "ref", "tel", "mr", "mrs", "ms", "dr", "rs", "dt", "тел",
    "руб",
];

fn is_abbreviation(text: &Text, point: usize, letters: usize) -> bool {
    let word = text.lower(point - letters..point);
    // "a M. Rossi": an initial.
    let is_initial =
        letters == 1 && text.chars[point - 1].is_uppercase() && text.before(point - 1) == Some(' ');
    is_initial || ABBREVIATIONS.contains(&word.as_str())
}
