//! Candidates with letters in them: mixed codes, grouped or spaced out, words that are glued to
//! their digits, and letters alone.

use super::candidate::{Found, Kind, Token};
use super::lexicon::is_spaced_letter;
use super::normal::Text;
use super::number::{Group, Grouping};

/// Words for "code" that are written together with their digits (`OTP123456`), in lower case.
const GLUED: [&str; 10] =
    ["code", "otp", "pin", "kode", "kod", "codigo", "password", "tan", "codice", "kodu"];
/// Longest word looked at behind digits that lost their space.
const MAX_TAIL: usize = 24;
/// Words in capitals that follow "your code is" and are none.
const NO_CODES: [&str; 14] = [
    "INVALID", "EXPIRED", "SECRET", "PRIVATE", "REQUIRED", "READY", "WRONG", "HERE", "BELOW",
    "VALID", "ACTIVE", "NEVER", "SENT", "SAFE",
];

/// The candidate that starts with the first token, and how many tokens it takes. Digits that are
/// only glued to a word go to `groups`.
pub fn read(text: &Text, tokens: &[Token], groups: &mut Vec<Group>) -> Option<(usize, Found)> {
    let token = tokens.first()?;
    if is_spaced_out(text, tokens) {
        let count = spaced_run(text, tokens);
        let kind = if tokens[..count].iter().all(|token| token.kind == Kind::Digits) {
            Kind::Digits
        } else {
            Kind::Mixed
        };
        let code = Found::new(text, token.start, tokens[count - 1].end, kind);
        return Some((count, Found { grouping: Grouping::Even, ..code }));
    }
    if let Some(grouped) = grouped(text, tokens) {
        return Some(grouped);
    }
    // A letter with an accent beside it: the token is a part of a word.
    if text.before(token.start).is_some_and(is_spaced_letter)
        || text.at(token.end).is_some_and(is_spaced_letter)
    {
        if token.kind == Kind::Mixed {
            glued(text, *token, groups);
        }
        return None;
    }
    match token.kind {
        Kind::Digits => None,
        Kind::Mixed if glued(text, *token, groups) => None,
        Kind::Mixed | Kind::Letters => {
            let joined = text.before(token.start) == Some('-')
                || (text.at(token.end) == Some('-')
                    && text.at(token.end + 1).is_some_and(char::is_alphanumeric));
            (!joined)
                .then(|| (1, Found::new(text, token.start, token.end, token.kind)))
                .filter(|(_, found)| token.kind == Kind::Mixed || could_be_letters(&found.code))
        }
    }
}

fn could_be_letters(code: &str) -> bool {
    let upper = code.bytes().all(|byte| byte.is_ascii_uppercase());
    let lower = code.bytes().all(|byte| byte.is_ascii_lowercase());
    (upper || lower) && (4..=8).contains(&code.len()) && !NO_CODES.contains(&code)
}

/// `a 1 u 8 k f`: single characters with one space between them.
pub fn is_spaced_out(text: &Text, tokens: &[Token]) -> bool {
    let count = spaced_run(text, tokens);
    let run = &tokens[..count];
    let lettered = run.iter().filter(|token| token.kind == Kind::Letters).count();
    (5..=8).contains(&count) && lettered > 0 && lettered < count
}

fn spaced_run(text: &Text, tokens: &[Token]) -> usize {
    tokens
        .iter()
        .take(9)
        .enumerate()
        .take_while(|(index, token)| {
            let joined = *index == 0
                || (tokens[index - 1].end + 1 == token.start
                    && text.before(token.start) == Some(' '));
            token.end - token.start == 1 && joined
        })
        .count()
}

/// `AB12-CD34`, `RKJ-YP6`, `X7K-9PQ2`: two groups in capitals with a digit in them, of one length,
/// or each with letters and digits.
fn grouped(text: &Text, tokens: &[Token]) -> Option<(usize, Found)> {
    let [left, right, ..] = tokens else { return None };
    let (length, other) = (left.end - left.start, right.end - right.start);
    let dashed = right.start == left.end + 1 && text.at(left.end) == Some('-');
    let free = |index: Option<char>| {
        !index.is_some_and(|character| character == '-' || character.is_alphanumeric())
    };
    let ends = free(text.before(left.start)) && free(text.at(right.end));
    let chars = &text.chars[left.start..right.end];
    let capitals = chars.iter().all(|character| !character.is_ascii_lowercase());
    let lettered =
        chars.iter().any(char::is_ascii_uppercase) && chars.iter().any(char::is_ascii_digit);
    // `ABC-1234` is a reference or a plate; a code has its letters on both sides, or at least
    // groups of one length.
    let mixed = left.kind == Kind::Mixed && right.kind == Kind::Mixed;
    let short = (3..=5).contains(&length) && (3..=5).contains(&other);
    let alike = short
        && (length == other || mixed)
        && !(left.kind == Kind::Letters && right.kind == Kind::Digits);
    (dashed && ends && capitals && lettered && alike).then(|| {
        (
            2,
            Found {
                grouping: Grouping::Even,
                ..Found::new(text, left.start, right.end, Kind::Mixed)
            },
        )
    })
}

/// Whether the token is digits that lost the space to a word: `OTP123456`, `481207Don't`,
/// `123456is`. The digits go to `groups`.
fn glued(text: &Text, token: Token, groups: &mut Vec<Group>) -> bool {
    let chars = &text.chars[token.start..token.end];
    let head = chars.iter().take_while(|character| character.is_ascii_alphabetic()).count();
    let digits = chars[head..].iter().take_while(|character| character.is_ascii_digit()).count();
    let tail_start = token.start + head + digits;
    // Up to the word's end, beyond the letters without accents that a token is made of.
    let length = text.chars[tail_start..]
        .iter()
        .take(MAX_TAIL)
        .take_while(|character| character.is_alphabetic())
        .count();
    let tail = &text.chars[tail_start..(tail_start + length).max(token.end)];
    let word: String = chars[..head].iter().map(char::to_ascii_lowercase).collect();
    let opens_word = head == 0 || GLUED.iter().any(|key| word.ends_with(key));
    let plain_tail = tail.iter().all(|character| character.is_alphabetic());
    // Behind the digits a new sentence, or a word in small letters; two at least, so that `123456a`
    // stays whole.
    let small = tail.iter().skip(1).filter(|letter| letter.is_lowercase()).count();
    let sentence = tail.len() >= 2
        && small + 1 == tail.len()
        && (digits >= 5 || tail[0].is_uppercase() || tail.len() >= 3);
    let behind_group = matches!(text.before(token.start), Some('-' | ' '));
    // `OTP995-581`: the first group of one code.
    let next_group = text.chars[token.end..]
        .iter()
        .skip(1)
        .take_while(|character| character.is_ascii_digit())
        .count();
    let before_group = head > 0
        && tail.is_empty()
        && matches!(text.at(token.end), Some('-' | ' '))
        && next_group == 3;
    let fits = (4..=8).contains(&digits) || (digits == 3 && (behind_group || before_group));
    // `1337-1337XXX`: the second group of one code, and what lost its space behind it.
    let second = head == 0
        && text.before(token.start) == Some('-')
        && token.start >= 2
        && text.chars[token.start - 2].is_ascii_digit();
    let closes = if tail.is_empty() {
        head > 0
    } else {
        plain_tail && (sentence || (second && tail.len() >= 3))
    };
    let is_glued = fits && opens_word && closes;
    if is_glued {
        groups.push((token.start + head, token.start + head + digits));
    }
    is_glued
}
