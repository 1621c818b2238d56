//! Everything in a text that could be a code.

use super::address;
use super::letters;
use super::normal::Text;
use super::number::{self, Grouping, Region};
use super::shape::is_hour;

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
    /// How its groups belong together.
    pub grouping: Grouping,
    /// The sender's prefix it stood behind (`G`), if it is one that senders are known by.
    pub prefixed: bool,
    /// Whether it stood behind `@host #` on the last line.
    pub origin_bound: bool,
    /// Whether the word "code" is written together with it.
    pub glued: bool,
}

impl Found {
    /// A candidate of which nothing but its place and kind is known.
    pub fn new(text: &Text, start: usize, end: usize, kind: Kind) -> Self {
        let code = text.chars[start..end]
            .iter()
            .filter(|character| character.is_ascii_alphanumeric())
            .collect();
        Self {
            start,
            end,
            code,
            kind,
            grouping: Grouping::Single,
            prefixed: false,
            origin_bound: false,
            glued: false,
        }
    }
}

/// A maximal run of ASCII letters and digits.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// Index of its first character.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// What it is made of.
    pub kind: Kind,
}

/// Candidates looked at: more is no message but an attack, and each costs time.
const MAX_CANDIDATES: usize = 64;
/// Prefixes that senders write before their codes.
const PREFIXES: [&str; 2] = ["G", "FB"];

/// Every candidate in the order of the text, and the stretches whose numbers mean something else.
pub fn find(text: &Text) -> (Vec<Found>, Vec<Region>) {
    let tokens = tokens(text);
    let mut regions = Vec::new();
    address::find(text, &mut regions);
    let mut found: Vec<Found> = origin_bound(text).into_iter().collect();
    let mut groups = Vec::new();
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        next += 1;
        if token.kind == Kind::Digits && !letters::is_spaced_out(text, &tokens[next - 1..]) {
            groups.push((token.start, token.end));
        } else if let Some((count, candidate)) = prefixed(text, &tokens[next - 1..])
            .or_else(|| letters::read(text, &tokens[next - 1..], &mut groups))
        {
            next += count - 1;
            found.push(candidate);
        }
    }
    groups.sort_unstable();
    for digits in number::read(text, &groups, &mut regions) {
        let glued =
            text.before(digits.start).is_some_and(|character| character.is_ascii_alphabetic());
        found.push(Found {
            grouping: digits.grouping,
            glued,
            ..Found::new(text, digits.start, digits.end, Kind::Digits)
        });
    }
    let bound_at = found.first().filter(|first| first.origin_bound).map(|bound| bound.start);
    found.retain(|candidate| {
        candidate.origin_bound
            || (fits(text, candidate) && bound_at.is_none_or(|start| candidate.end <= start))
    });
    found.sort_by_key(|candidate| candidate.start);
    found.truncate(MAX_CANDIDATES);
    (found, regions)
}

fn fits(text: &Text, candidate: &Found) -> bool {
    let lengths = if candidate.kind == Kind::Digits { 3..=10 } else { 4..=10 };
    let cut_behind = text.at(candidate.end) == Some('-')
        && text
            .at(candidate.end + 1)
            .is_none_or(|next| next.is_whitespace() || next.is_ascii_digit());
    let cut_before = text.before(candidate.start) == Some('-')
        && candidate.start >= 2
        && text.at(candidate.start - 2).is_some_and(|digit| digit.is_ascii_digit());
    lengths.contains(&candidate.code.len())
        && !cut_behind
        && !cut_before
        && !is_hour(&candidate.code)
}

fn tokens(text: &Text) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < text.chars.len() {
        let length = text.chars[start..]
            .iter()
            .take_while(|character| character.is_ascii_alphanumeric())
            .count();
        if length > 0 {
            let digits = text.chars[start..start + length]
                .iter()
                .filter(|character| character.is_ascii_digit())
                .count();
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

/// `G-123456`: the digits behind a prefix that a sender is known by.
fn prefixed(text: &Text, tokens: &[Token]) -> Option<(usize, Found)> {
    let [head, digits, ..] = tokens else { return None };
    let prefix: String = text.chars[head.start..head.end].iter().collect();
    let length = digits.end - digits.start;
    let joined = digits.start == head.end + 1
        && text.at(head.end) == Some('-')
        && text.at(digits.end) != Some('-');
    let starts =
        !text.before(head.start).is_some_and(|before| before == '-' || before.is_alphanumeric());
    let known = PREFIXES.contains(&prefix.as_str())
        && digits.kind == Kind::Digits
        && (4..=8).contains(&length);
    (joined && starts && known).then(|| {
        let code = Found::new(text, digits.start, digits.end, Kind::Digits);
        (2, Found { start: head.start, prefixed: true, ..code })
    })
}

/// The code of a last line `@host #code`, as the origin-bound one-time code format writes it.
fn origin_bound(text: &Text) -> Option<Found> {
    let content_end = text.chars.iter().rposition(|character| !character.is_whitespace())? + 1;
    let line_start = text.chars[..content_end]
        .iter()
        .rposition(|character| *character == '\n')
        .map_or(0, |index| index + 1);
    let line = &text.chars[line_start..content_end];
    if line.first() != Some(&'@') {
        return None;
    }
    let host = line
        .iter()
        .skip(1)
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-'))
        .count();
    let dotted = line[1..=host].contains(&'.');
    let hash = 1 + host + 1;
    if host == 0 || !dotted || line.get(hash - 1) != Some(&' ') || line.get(hash) != Some(&'#') {
        return None;
    }
    let length = line[hash + 1..].iter().take_while(|character| !character.is_whitespace()).count();
    let code = &line[hash + 1..hash + 1 + length];
    let fits = (3..=12).contains(&length) && code.iter().all(char::is_ascii_alphanumeric);
    let kind = if code.iter().all(char::is_ascii_digit) { Kind::Digits } else { Kind::Mixed };
    let start = line_start + hash + 1;
    fits.then(|| Found { origin_bound: true, ..Found::new(text, start, start + length, kind) })
}
