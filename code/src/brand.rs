//! Whose message it is, by the names it gives, its tag and its sender.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::lexicon::{Class, Hit, is_inside_word};
use super::message::Message;
use super::normal::{Text, folded_word};
use super::service::Service;

/// Names of services that are everyday words too: they name a sender only as written here, or in capitals.
const EVERYDAY: [&str; 11] = ["LINE", "Wise", "Steam", "Nike", "Meta", "Messenger", "Snap", "Proton", "Outlook", "Twitter", "Tinder"];
const OTHERS: &str = include_str!("../words/names.txt");
/// Who carries messages for others: they are named beside the sender, and say nothing of whose the code is.
const CARRIERS: [&str; 9] = ["twilio", "stripe", "vonage", "messagebird", "sinch", "infobip", "plivo", "telesign", "nexmo"];
/// Words before a name that only carried or hosted the message.
const VIA: [&str; 8] = ["by", "via", "from", "through", "with", "on", "durch", "par"];
/// Longest tag (`[Acme]`, `Acme:`) that names a sender.
const MAX_TAG: usize = 30;

struct Names {
    automaton: AhoCorasick,
    named: Vec<Name>,
}

struct Name {
    word: String,
    service: Option<Service>,
    /// As it is written, if that matters.
    written: Option<&'static str>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let ours = Service::all().flat_map(|service| {
        service.words().iter().map(move |word| {
            let written = EVERYDAY.into_iter().find(|everyday| everyday.eq_ignore_ascii_case(word));
            Name { word: folded_word(word), service: Some(service), written }
        })
    });
    let lines = OTHERS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let others = lines.flat_map(|line| line.split(" | ")).map(|word| {
        let written = word.strip_prefix('=');
        Name { word: folded_word(written.unwrap_or(word)), service: None, written }
    });
    let named: Vec<Name> = ours.chain(others).collect();
    let automaton = AhoCorasick::new(named.iter().map(|name| &name.word)).expect("some hundred short names make an automaton");
    Names { automaton, named }
});

/// What a message says of its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// It names the service that it is expected from.
    Expected,
    /// It names somebody else, in lower case.
    Other(String),
    /// It names nobody.
    Unnamed,
}

/// Whose message it is, seen from `service`.
pub fn owner(message: &Message<'_>, text: &Text, hits: &[Hit], service: Service) -> Owner {
    let sender = Text::new(message.sender.unwrap_or_default());
    let (in_text, in_sender) = (named(text), named(&sender));
    let is_expected = |named: &[Named]| named.iter().any(|named| named.service == Some(service));
    if is_expected(&in_text) {
        return Owner::Expected;
    }
    let other = |named: &[Named]| named.iter().find(|named| !named.carries).map(|named| named.word.clone());
    let other_in_text = other(&in_text);
    let spoken_of = || tag(text, hits).or_else(|| subject(text, hits));
    if let Some(word) = other_in_text.or_else(spoken_of) {
        // A name that is a word of every day, too ("Line"), is the service's where the sentence makes it the sender's.
        let is_own = NAMES.named.iter().any(|name| name.service == Some(service) && name.word.eq_ignore_ascii_case(&word));
        return if is_own { Owner::Expected } else { Owner::Other(word) };
    }
    if is_expected(&in_sender) {
        return Owner::Expected;
    }
    other(&in_sender).map_or(Owner::Unnamed, Owner::Other)
}

struct Named {
    word: String,
    service: Option<Service>,
    carries: bool,
}

fn named(text: &Text) -> Vec<Named> {
    let names: &'static Names = &NAMES;
    let found = names.automaton.find_overlapping_iter(&text.folded).filter_map(|found| {
        let name = &names.named[found.pattern().as_usize()];
        let (start, end) = (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
        let whole = !is_inside_word(text, start) && !is_inside_word(text, end);
        let written = name.written.is_none_or(|written| is_written(text, start, end, written));
        (whole && written).then(|| Named { word: name.word.clone(), service: name.service, carries: is_carrier(text, start, &name.word) })
    });
    found.take(16).collect()
}

fn is_written(text: &Text, start: usize, end: usize, written: &str) -> bool {
    let here: String = text.chars[start..end].iter().collect();
    here == written || here == written.to_uppercase() || (start == 0 && here.eq_ignore_ascii_case(written) && text.at(end) == Some(':'))
}

fn is_carrier(text: &Text, start: usize, word: &str) -> bool {
    let before: String = text.chars[..start]
        .iter()
        .rev()
        .skip_while(|character| **character == ' ')
        .take_while(|character| character.is_alphabetic())
        .take(8)
        .collect();
    let before: String = before.chars().rev().flat_map(char::to_lowercase).collect();
    CARRIERS.contains(&word) || VIA[..5].contains(&before.as_str())
}

/// The unknown name in a tag at the start or the end: `[Acme] …`, `【某某】…`.
fn tag(text: &Text, hits: &[Hit]) -> Option<String> {
    let content = text.chars.iter().position(|character| !character.is_whitespace())?;
    let close = match text.at(content)? {
        '[' => ']',
        '【' => '】',
        '《' => '》',
        _ => return None,
    };
    let length = text.chars[content + 1..].iter().take(MAX_TAG).position(|character| *character == close)?;
    name_of(text, hits, content + 1, content + 1 + length)
}

/// The unknown name in "your Acme code": capitals, and no word that codes are spoken of with.
fn subject(text: &Text, hits: &[Hit]) -> Option<String> {
    let lower: &str = &text.folded;
    let start = text.index_of_byte[lower.find("your ")?] + 5;
    let key = hits.iter().find(|hit| hit.class == Class::Key && hit.start > start && hit.start - start <= MAX_TAG)?;
    let first = text.at(start).filter(|first| first.is_uppercase())?;
    let verb = hits.iter().find(|hit| hit.class == Class::Verify && hit.start >= start).map_or(key.start, |hit| hit.start.min(key.start));
    let name = &text.chars[start..verb.max(start)];
    let plain = name.iter().all(|character| character.is_alphanumeric() || matches!(character, ' ' | '.' | '&' | '-'));
    let all_capitals = text.chars.iter().filter(|character| character.is_lowercase()).count() < 4;
    (plain && !all_capitals && first.is_alphabetic()).then(|| name_of(text, hits, start, verb)).flatten()
}

/// The name between two places, unless it is a word that speaks of codes, or no name at all.
fn name_of(text: &Text, hits: &[Hit], start: usize, end: usize) -> Option<String> {
    let name: String = text.chars[start..end].iter().collect();
    let speaks =
        hits.iter().any(|hit| matches!(hit.class, Class::Key | Class::Verify | Class::Handle | Class::Secret) && hit.start < end && start < hit.end);
    let letters = name.chars().filter(|character| character.is_alphabetic()).count();
    (!speaks && letters >= 2).then(|| name.trim().to_lowercase())
}
