//! Everything in a text that could be a code.

use super::normal::Text;
use super::service::Service;

/// What a candidate is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Digits.
    Digits,
    /// Latin letters and digits.
    Mixed,
    /// Latin letters.
    Letters,
}

/// A stretch of the text that could be a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Index of its first character, its prefix included.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// The code, were it this one.
    pub code: String,
    /// What it is made of.
    pub kind: Kind,
    /// Whether it stood behind a sender's prefix (`G-`).
    pub prefixed: bool,
    /// Whether it stood behind `@host #` at the start of the last line.
    pub origin_bound: bool,
}

/// A maximal run of ASCII letters and digits.
#[derive(Debug, Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    kind: Kind,
}

/// Candidates looked at: more is no message but an attack, and each costs time.
const MAX_CANDIDATES: usize = 64;
/// Groups of digits that can make one code, and one more to see that there are too many.
const MAX_GROUPS: usize = 9;

/// Every candidate, in the order of the text. `service` widens what letters may be: some platforms' codes have no digit.
pub fn find(text: &Text, service: Option<Service>) -> Vec<Found> {
    let tokens = tokens(text);
    let mut found: Vec<Found> = origin_bound(text).into_iter().collect();
    let mut next = 0;
    while let Some(token) = tokens.get(next).filter(|_| found.len() < MAX_CANDIDATES) {
        let joined = joined_digits(text, &tokens[next..]);
        if let Some((count, candidate)) = joined {
            next += count;
            found.push(candidate);
            continue;
        }
        next += 1;
        found.extend(single(text, *token, tokens.get(next), service));
        // `G-123456`: the digits belong to the prefix just taken.
        if found.last().is_some_and(|candidate| candidate.prefixed && candidate.end > token.end) {
            next += 1;
        }
    }
    found
}

fn tokens(text: &Text) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < text.chars.len() {
        let length = text.chars[start..].iter().take_while(|character| character.is_ascii_alphanumeric()).count();
        if length > 0 {
            let digits = text.chars[start..start + length].iter().filter(|character| character.is_ascii_digit()).count();
            let kind = if digits == length {
                Kind::Digits
            } else if digits > 0 {
                Kind::Mixed
            } else {
                Kind::Letters
            };
            tokens.push(Token { start, end: start + length, kind });
        }
        start += length.max(1);
    }
    tokens
}

fn slice(text: &Text, start: usize, end: usize) -> String {
    text.chars[start..end].iter().collect()
}

/// `123-456`, `123 456`, `12 34 56`, `1 2 3 4`: groups that one separator joins to a code's length.
fn joined_digits(text: &Text, tokens: &[Token]) -> Option<(usize, Found)> {
    let first = tokens.first().filter(|token| token.kind == Kind::Digits)?;
    let separator = text.at(first.end).filter(|character| matches!(character, '-' | ' '))?;
    let groups: Vec<&Token> = tokens
        .iter()
        .take(MAX_GROUPS)
        .enumerate()
        .take_while(|(index, token)| {
            token.kind == Kind::Digits && (*index == 0 || (tokens[index - 1].end + 1 == token.start && text.before(token.start) == Some(separator)))
        })
        .map(|(_, token)| token)
        .collect();
    // Groups of a space are a habit of writing only where they are alike; a dash joins on purpose.
    let lengths: Vec<usize> = groups.iter().map(|group| group.end - group.start).collect();
    let (count, joined) = match lengths.as_slice() {
        [a, b] if separator == '-' && (2..=4).contains(a) && (2..=4).contains(b) && a + b >= 5 => (2, true),
        [3, 3, ..] | [4, 4] if lengths.len() == 2 => (2, true),
        all if (3..=4).contains(&all.len()) && all.iter().all(|length| *length == 2) => (all.len(), true),
        all if (4..=8).contains(&all.len()) && all.iter().all(|length| *length == 1) => (all.len(), true),
        _ => (0, false),
    };
    let last = groups.get(count.checked_sub(1)?).filter(|_| joined)?;
    // A dangling dash on either side: a part of something longer.
    if text.at(last.end) == Some('-') || text.before(first.start) == Some('-') {
        return None;
    }
    let code = groups.iter().map(|group| slice(text, group.start, group.end)).collect();
    Some((count, Found { start: first.start, end: last.end, code, kind: Kind::Digits, prefixed: false, origin_bound: false }))
}

fn single(text: &Text, token: Token, next: Option<&Token>, service: Option<Service>) -> Option<Found> {
    let length = token.end - token.start;
    let dashed = text.at(token.end) == Some('-');
    let candidate = |start, end, code, kind, prefixed| Some(Found { start, end, code, kind, prefixed, origin_bound: false });
    match token.kind {
        Kind::Digits => {
            let cut = dashed && text.at(token.end + 1).is_none_or(char::is_whitespace);
            if !(3..=10).contains(&length) || cut {
                return None;
            }
            candidate(token.start, token.end, slice(text, token.start, token.end), Kind::Digits, false)
        }
        Kind::Letters if dashed && length <= 3 && text.chars[token.start..token.end].iter().all(char::is_ascii_uppercase) => {
            let rest = next.filter(|rest| rest.start == token.end + 1 && rest.kind != Kind::Letters && (4..=8).contains(&(rest.end - rest.start)))?;
            // `G-123-456` does not exist; `AB-123-456` is a reference.
            if text.at(rest.end) == Some('-') {
                return None;
            }
            candidate(token.start, rest.end, slice(text, rest.start, rest.end), rest.kind, true)
        }
        Kind::Letters => letters(text, token, service),
        Kind::Mixed => mixed(text, token),
    }
}

/// Letters alone are candidates only where they cannot be an everyday word: upper case, or right behind a colon at the end of a line.
fn letters(text: &Text, token: Token, service: Option<Service>) -> Option<Found> {
    let length = token.end - token.start;
    if !(4..=8).contains(&length) {
        return None;
    }
    let code = slice(text, token.start, token.end);
    let upper = code.chars().all(|character| character.is_ascii_uppercase());
    let expects_letters = service.is_some_and(|service| service.alphabet() == super::service::Alphabet::CapitalsAndDigits);
    let behind_colon = text.chars[..token.start].iter().rev().find(|character| **character != ' ') == Some(&':');
    let ends_line = text.chars[token.end..].iter().find(|character| !matches!(character, ' ' | '.')).is_none_or(|character| *character == '\n');
    // `WKVPL is your code`: nothing but a code is said to be anybody's so.
    let opens = text.chars[..token.start].iter().all(|character| !character.is_alphanumeric());
    let said = " is your ".chars().enumerate().all(|(place, character)| text.at(token.end + place) == Some(character));
    let wanted = (expects_letters && upper) || (behind_colon && ends_line) || (upper && opens && said);
    wanted.then_some(Found { start: token.start, end: token.end, code, kind: Kind::Letters, prefixed: false, origin_bound: false })
}

fn mixed(text: &Text, token: Token) -> Option<Found> {
    let chars = &text.chars[token.start..token.end];
    let head = chars.iter().take_while(|character| character.is_ascii_alphabetic()).count();
    let tail_digits = chars[head..].iter().all(char::is_ascii_digit);
    // `VerifyCode736136`, `OTP123456`: the word is glued to its digits.
    let glued: String = chars[..head].iter().map(char::to_ascii_lowercase).collect();
    if tail_digits && ["code", "otp", "pin", "kode", "kod"].iter().any(|word| glued.ends_with(word)) && (4..=8).contains(&(chars.len() - head)) {
        return Some(Found {
            start: token.start + head,
            end: token.end,
            code: slice(text, token.start + head, token.end),
            kind: Kind::Digits,
            prefixed: false,
            origin_bound: false,
        });
    }
    let digits = chars.iter().take_while(|character| character.is_ascii_digit()).count();
    let lower_tail = chars[digits..].iter().all(char::is_ascii_lowercase);
    // `123456is your code`: the digits are glued to the next word.
    if (4..=8).contains(&digits) && lower_tail && chars.len() - digits >= 2 {
        return Some(Found {
            start: token.start,
            end: token.start + digits,
            code: slice(text, token.start, token.start + digits),
            kind: Kind::Digits,
            prefixed: false,
            origin_bound: false,
        });
    }
    (4..=10).contains(&chars.len()).then(|| Found {
        start: token.start,
        end: token.end,
        code: chars.iter().collect(),
        kind: Kind::Mixed,
        prefixed: false,
        origin_bound: false,
    })
}

/// The code of a last line `@host #code`, as the origin-bound one-time code format writes it.
fn origin_bound(text: &Text) -> Option<Found> {
    let content_end = text.chars.iter().rposition(|character| !character.is_whitespace())? + 1;
    let line_start = text.chars[..content_end].iter().rposition(|character| *character == '\n').map_or(0, |index| index + 1);
    let line = &text.chars[line_start..content_end];
    if line.first() != Some(&'@') {
        return None;
    }
    let host = line.iter().skip(1).take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-')).count();
    let dotted = line[1..=host].contains(&'.');
    let hash = 1 + host + 1;
    if host == 0 || !dotted || line.get(hash - 1) != Some(&' ') || line.get(hash) != Some(&'#') {
        return None;
    }
    let code: String = line[hash + 1..].iter().take_while(|character| !character.is_whitespace()).collect();
    let fits = (3..=12).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let kind = if code.bytes().all(|byte| byte.is_ascii_digit()) { Kind::Digits } else { Kind::Mixed };
    let start = line_start + hash + 1;
    fits.then(|| Found { start, end: start + code.len(), code, kind, prefixed: false, origin_bound: true })
}
