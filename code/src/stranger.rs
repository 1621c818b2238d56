//! Names that no list has, where the sentence makes them the sender's: `[Acme]`, `Acme:`, "your Acme code", "votre code Acme", "dein Acme-Code".

use super::lexicon::{Class, Hit};
use super::normal::Text;
use super::role::Role;

/// Longest name of a sender.
const MAX_NAME: usize = 30;
/// Shortest name that is told from a word by its capital alone.
const MIN_LETTERS: usize = 4;
/// Words with a capital that open a message or stand beside "code", and name nobody.
const NO_NAMES: [&str; 64] = [
    "hello",
    "dear",
    "info",
    "alert",
    "alerts",
    "notice",
    "note",
    "attention",
    "message",
    "reminder",
    "important",
    "warning",
    "bonjour",
    "hallo",
    "hola",
    "ciao",
    "merhaba",
    "halo",
    "sms",
    "from",
    "subject",
    "aviso",
    "alerta",
    "achtung",
    "hinweis",
    "ihrer",
    "ihren",
    "ihrem",
    "ihre",
    "deiner",
    "nummer",
    "mail",
    "email",
    "is",
    "this",
    "your",
    "user",
    "customer",
    "number",
    "free",
    // Words for "you" and "your" that are written with a capital.
    "anda",
    "kamu",
    "saudara",
    "usted",
    "ustedes",
    "vous",
    "lei",
    "suoi",
    "você",
    "вашей",
    "вашего",
    "вашему",
    "вашим",
    "ваша",
    "ваше",
    "вами",
    "вам",
    "вас",
    "vašeho",
    "vášho",
    "twojego",
    "państwa",
    "quý",
    "bạn",
];

/// Each such name, in lower case, with the part that it has.
pub fn claims(text: &Text, hits: &[Hit]) -> impl Iterator<Item = (Role, String)> {
    let tag = tag(text, hits).or_else(|| opening(text, hits)).map(|name| (Role::Sender, name));
    let subject = subject(text, hits).map(|name| (Role::BeforeKey, name));
    let beside = beside_key(text, hits).map(|name| (Role::AfterKey, name));
    tag.into_iter().chain(subject).chain(beside)
}

/// The name in a tag at the start: `[Acme] …`, `【某某】…`.
fn tag(text: &Text, hits: &[Hit]) -> Option<String> {
    let content = text.chars.iter().position(|character| !character.is_whitespace())?;
    let close = match text.at(content)? {
        '[' => ']',
        '【' => '】',
        '《' => '》',
        _ => return None,
    };
    let length = text.chars[content + 1..].iter().take(MAX_NAME).position(|character| *character == close)?;
    name_of(text, hits, content + 1, content + 1 + length)
}

/// The name that opens the message before a colon: `Acme: …`.
fn opening(text: &Text, hits: &[Hit]) -> Option<String> {
    let start = text.chars.iter().position(|character| character.is_alphanumeric())?;
    let length = text.chars[start..].iter().take(MAX_NAME).position(|character| matches!(character, ':' | '：'))?;
    let words: Vec<&[char]> = text.chars[start..start + length].split(|character| *character == ' ').filter(|word| !word.is_empty()).collect();
    let named = (1..=3).contains(&words.len()) && words.iter().all(|word| is_name_like(word));
    named.then(|| name_of(text, hits, start, start + length)).flatten()
}

/// The name in "your Acme code": capitals, and no word that codes are spoken of with.
fn subject(text: &Text, hits: &[Hit]) -> Option<String> {
    let start = text.index_of_byte[text.folded.find("your ")?] + 5;
    let key = hits.iter().find(|hit| hit.class == Class::Key && hit.start > start && hit.start - start <= MAX_NAME)?;
    let first = text.at(start).filter(|first| first.is_uppercase())?;
    let verb = hits.iter().find(|hit| hit.class == Class::Verify && hit.start >= start).map_or(key.start, |hit| hit.start.min(key.start));
    let name = &text.chars[start..verb.max(start)];
    let plain = name.iter().all(|character| character.is_alphanumeric() || matches!(character, ' ' | '.' | '&' | '-'));
    (plain && has_small_letters(text) && first.is_alphabetic()).then(|| name_of(text, hits, start, verb)).flatten()
}

/// The name right behind a word for "code" ("votre code Acme"), or joined to it (`Acme-Code`).
fn beside_key(text: &Text, hits: &[Hit]) -> Option<String> {
    if !has_small_letters(text) {
        return None;
    }
    hits.iter().filter(|hit| hit.class == Class::Key).take(4).find_map(|key| {
        let behind = (text.at(key.end) == Some(' ')).then(|| word_from(text, key.end + 1)).flatten();
        let joined = (text.before(key.start) == Some('-')).then(|| word_to(text, key.start - 1)).flatten();
        let (start, end) = behind.or(joined)?;
        let word = &text.chars[start..end];
        let long = word.iter().filter(|character| character.is_alphabetic()).count() >= MIN_LETTERS;
        let told = word.iter().any(|character| character.is_lowercase());
        (long && told && is_name_like(word)).then(|| name_of(text, hits, start, end)).flatten()
    })
}

fn word_from(text: &Text, start: usize) -> Option<(usize, usize)> {
    let length = text.chars.get(start..)?.iter().take(MAX_NAME).take_while(|character| character.is_alphanumeric()).count();
    (length > 0).then_some((start, start + length))
}

fn word_to(text: &Text, end: usize) -> Option<(usize, usize)> {
    let length = text.chars[..end].iter().rev().take(MAX_NAME).take_while(|character| character.is_alphanumeric()).count();
    (length > 0).then_some((end - length, end))
}

/// Whether it starts with a capital and is no word that merely has one.
fn is_name_like(word: &[char]) -> bool {
    let lower: String = word.iter().flat_map(|character| character.to_lowercase()).collect();
    word.first().is_some_and(|first| first.is_uppercase())
        && word.iter().all(|character| character.is_alphanumeric())
        && !NO_NAMES.contains(&lower.as_str())
}

/// Whether capitals tell anything: a text in capitals throughout has none that do.
fn has_small_letters(text: &Text) -> bool {
    text.chars.iter().filter(|character| character.is_lowercase()).count() >= 4
}

/// The name between two places, unless it is a word of the lists, or no name at all.
fn name_of(text: &Text, hits: &[Hit], start: usize, end: usize) -> Option<String> {
    let name: String = text.chars[start..end].iter().collect();
    let speaks = hits.iter().any(|hit| {
        let telling =
            matches!(hit.class, Class::Key | Class::Verify | Class::Handle | Class::Secret | Class::Valid | Class::Other | Class::Soft | Class::Unit);
        telling && hit.start < end && start < hit.end
    });
    let letters = name.chars().filter(|character| character.is_alphabetic()).count();
    (!speaks && letters >= 2).then(|| name.trim().to_lowercase())
}
