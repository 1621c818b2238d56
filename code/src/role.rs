//! The part that a name has in a message: whether it is the sender, or only spoken of.

use super::lexicon::{Class, Hit};
use super::normal::Text;
use super::number::Region;
use super::reason::Reason;

/// What a name is in its message, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// In an address, a store ("on Google Play"), or behind a word that only carries or places
    /// something ("via", "at").
    Mention,
    /// Somewhere.
    Neutral,
    /// Named by the network as the sender.
    Sender,
    /// Behind a word for "code" ("the code for Acme"), or where one logs in.
    AfterKey,
    /// Right before a word for "code", or below the message.
    BeforeKey,
    /// In a tag that opens or closes the message.
    Tag,
}

/// Words before a name that carried the message, or by whose account one logs in.
pub const BY: [&str; 13] = [
    "by",
    "via",
    "through",
    "with",
    "mit",
    "con",
    "avec",
    "com",
    "durch",
    "par",
    "через",
    "met",
    "med",
];
/// Words before a place: where something was bought, or is to be had.
const AT: [&str; 22] = [
    "on", "at", "to", "in", "bei", "an", "auf", "chez", "en", "a", "no", "na", "su", "sur",
    "presso", "op", "på", "sobre", "в", "на", "у", "i",
];
/// Words behind the name of a bank.
const BANK: [&str; 8] = ["bank", "card", "credit", "debit", "netbanking", "upi", "banka", "banque"];
/// Words behind a name by which it is a shop or a tool: "Google Play", "Microsoft Store".
const TOOLS: [&str; 6] = ["play", "store", "authenticator", "maps", "chrome", "wallet"];
/// Characters between a name and the word for "code" that it belongs to.
const BEFORE_KEY: usize = 20;
const AFTER_KEY: usize = 26;
/// Characters between a word for logging in and the name of where.
const LOGIN: usize = 12;

/// The part of the name between `start` and `end`.
pub fn role(text: &Text, hits: &[Hit], regions: &[Region], start: usize, end: usize) -> Role {
    let in_address = regions
        .iter()
        .any(|region| region.reason == Reason::Url && region.start <= start && start < region.end);
    if in_address || TOOLS.contains(&word_after(text, end).as_str()) {
        return Role::Mention;
    }
    if is_tag(text, start, end) {
        return Role::Tag;
    }
    if is_key_behind(text, hits, end) || is_signature(text, start, end) {
        return Role::BeforeKey;
    }
    let before = word_before(text, start);
    if BY.contains(&before.as_str()) {
        return Role::Mention;
    }
    if is_key_before(text, hits, start) || is_login_before(text, hits, start) {
        return Role::AfterKey;
    }
    if BANK.contains(&word_after(text, end).as_str()) {
        return Role::Sender;
    }
    if AT.contains(&before.as_str()) { Role::Mention } else { Role::Neutral }
}

/// `[Acme] …`, `【Acme】`, `Acme: …`, `<#> Acme: …`.
fn is_tag(text: &Text, start: usize, end: usize) -> bool {
    let closed = matches!(
        (text.before(start), text.at(end)),
        (Some('['), Some(']')) | (Some('【'), Some('】')) | (Some('《'), Some('》'))
    );
    let opens = text.chars[..start].iter().all(|character| !character.is_alphanumeric());
    let colon = text.chars[end..].iter().find(|character| **character != ' ');
    closed || (opens && matches!(colon, Some(':' | '：')))
}

/// `… - Acme`, `… Team Acme`, on a line of its own: nothing but the name behind the last sentence.
fn is_signature(text: &Text, start: usize, end: usize) -> bool {
    let last = !text.chars[end..].iter().any(|character| character.is_alphanumeric());
    let mark = text.chars[..start].iter().rev().find(|character| **character != ' ');
    last && matches!(mark, Some('-' | '\n' | '.' | '|' | '(' | '~' | '!'))
}

fn is_key_behind(text: &Text, hits: &[Hit], end: usize) -> bool {
    let key = hits.iter().find(|hit| hit.class == Class::Key && hit.start >= end);
    key.is_some_and(|key| {
        key.start - end <= BEFORE_KEY && is_one_phrase(&text.chars[end..key.start])
    })
}

fn is_key_before(text: &Text, hits: &[Hit], start: usize) -> bool {
    let key = hits
        .iter()
        .filter(|hit| hit.class == Class::Key && hit.end <= start)
        .map(|hit| hit.end)
        .max();
    key.is_some_and(|key| start - key <= AFTER_KEY && is_one_phrase(&text.chars[key..start]))
}

fn is_login_before(text: &Text, hits: &[Hit], start: usize) -> bool {
    let verb = hits
        .iter()
        .filter(|hit| hit.class == Class::Verify && hit.end <= start)
        .map(|hit| hit.end)
        .max();
    verb.is_some_and(|verb| start - verb <= LOGIN && is_one_phrase(&text.chars[verb..start]))
}

/// Whether nothing in `gap` ends a phrase.
fn is_one_phrase(gap: &[char]) -> bool {
    !gap.iter().any(|character| {
        character.is_ascii_digit()
            || matches!(
                character,
                '.' | '!' | '?' | ';' | ',' | '\n' | '。' | '、' | ':' | '】' | ']'
            )
    })
}

fn word_before(text: &Text, start: usize) -> String {
    let letters = text.chars[..start]
        .iter()
        .rev()
        .skip_while(|character| **character == ' ')
        .take_while(|character| character.is_alphabetic());
    let word: Vec<char> = letters.take(8).copied().collect();
    word.into_iter().rev().flat_map(char::to_lowercase).collect()
}

fn word_after(text: &Text, end: usize) -> String {
    let letters = text.chars[end..]
        .iter()
        .skip_while(|character| **character == ' ')
        .take_while(|character| character.is_alphabetic());
    letters.take(14).copied().flat_map(char::to_lowercase).collect()
}
