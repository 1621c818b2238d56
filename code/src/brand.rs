//! Whose message it is, by the names it gives, its tag and its sender.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::candidate::Found;
use super::header;
use super::lexicon::{Hit, is_inside_word};
use super::message::Message;
use super::normal::{Text, folded_word};
use super::number::Region;
use super::role::{Role, role};
use super::service::Service;
use super::stranger;
use super::stray;

/// Names of services that are everyday words too: they name a sender only as written here, or in
/// capitals.
const EVERYDAY: [&str; 12] = [
    "X",
    "LINE",
    "Wise",
    "Steam",
    "Nike",
    "Meta",
    "Messenger",
    "Snap",
    "Proton",
    "Outlook",
    "Twitter",
    "Tinder",
];
const OTHERS: &str = include_str!("../words/names.txt");
/// Who carries messages for others: they are named beside the sender, and say nothing of whose the
/// code is.
const CARRIERS: [&str; 12] = [
    "twilio",
    "stripe",
    "vonage",
    "messagebird",
    "sinch",
    "infobip",
    "plivo",
    "telesign",
    "nexmo",
    "visa",
    "mastercard",
    "amex",
];
/// Names looked at: more is no message but an attack.
const MAX_NAMES: usize = 32;

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
    let automaton = AhoCorasick::new(named.iter().map(|name| &name.word))
        .expect("some hundred short names make an automaton");
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

/// Whose message it is, seen from `service`: of all names the one with the strongest part in it,
/// and of equals the expected one.
pub fn owner(
    message: &Message<'_>,
    text: &Text,
    hits: &[Hit],
    regions: &[Region],
    found: &[Found],
    service: Service,
) -> Owner {
    let sender = Text::new(message.sender.unwrap_or_default());
    let in_text = named(text, |start, end| role(text, hits, regions, start, end));
    let in_sender = named(&sender, |_, _| Role::Sender);
    let mut claims: Vec<(Role, String, bool)> =
        in_text.into_iter().chain(in_sender).map(|named| named.claim(service)).collect();
    let own_words: Vec<&str> = NAMES
        .named
        .iter()
        .filter(|name| name.service == Some(service))
        .map(|name| name.word.as_str())
        .collect();
    // "Instagram Lite" and "the Line team" are the brand itself.
    let is_own = |name: &str| {
        name.split(|character: char| !character.is_alphanumeric())
            .any(|word| own_words.contains(&word))
    };
    claims.extend(header::claim(message.sender, service));
    claims.extend(
        stray::bound_host(text, found, &service.hosts())
            .map(|(host, own)| (Role::BeforeKey, host, own)),
    );
    claims.extend(
        stranger::claims(text, hits).map(|(role, name)| (role, name.clone(), is_own(&name))),
    );
    let strongest = |own: bool| {
        claims.iter().filter(|(_, _, is_own)| *is_own == own).max_by_key(|(role, _, _)| *role)
    };
    match (strongest(true), strongest(false)) {
        (Some((own, _, _)), Some((other, name, _))) if other > own && *other > Role::Mention => {
            Owner::Other(name.clone())
        }
        (Some(_), _) => Owner::Expected,
        (None, Some((other, name, _))) if *other > Role::Mention => Owner::Other(name.clone()),
        (None, _) => stray::name(text, hits, regions, found).map_or(Owner::Unnamed, Owner::Other),
    }
}

/// Whether a name of the lists is written so.
pub fn is_known(word: &str) -> bool {
    NAMES.named.iter().any(|name| {
        name.service.is_none()
            && (name.written == Some(word)
                || (name.written.is_none() && name.word == folded_word(word)))
    })
}

/// Whether the word is the name of a service, or of another sender that is known.
pub fn is_brand(word: &str) -> bool {
    let folded = folded_word(word);
    NAMES.named.iter().any(|name| name.word == folded)
}

/// Whether the word is the name of the service, written as a name is that is a word of every day
/// too.
pub fn is_written_name(text: &Text, hit: &Hit, service: Service) -> bool {
    let here: String = text.chars[hit.start..hit.end].iter().collect();
    let is_name = service.words().contains(&here.to_lowercase().as_str());
    is_name
        && (here.chars().all(char::is_uppercase) || EVERYDAY.contains(&here.as_str()))
        && text.chars.iter().any(|letter| letter.is_alphabetic() && !letter.is_uppercase())
}

struct Named {
    word: String,
    service: Option<Service>,
    role: Role,
}

impl Named {
    fn claim(self, service: Service) -> (Role, String, bool) {
        let own = self.service == Some(service);
        (self.role, self.word, own)
    }
}

fn named(text: &Text, role: impl Fn(usize, usize) -> Role) -> Vec<Named> {
    let names: &'static Names = &NAMES;
    let found = names.automaton.find_overlapping_iter(&text.folded).filter_map(|found| {
        let name = &names.named[found.pattern().as_usize()];
        let (start, end) = (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
        let whole = is_edge(text, start) && is_edge(text, end);
        let written = name.written.is_none_or(|written| is_written(text, start, end, written));
        (whole && written && !CARRIERS.contains(&name.word.as_str())).then_some((name, start, end))
    });
    let roles = found.take(MAX_NAMES).map(|(name, start, end)| (name, role(start, end)));
    // A word of every day names somebody only where the sentence makes it the sender.
    let telling = roles.filter(|(name, role)| {
        let is_own_kind = name.service.is_some() && name.word.len() > 1;
        is_own_kind || name.written.is_none() || *role > Role::Neutral
    });
    telling
        .map(|(name, role)| Named { word: name.word.clone(), service: name.service, role })
        .collect()
}

/// Whether a name may begin or end there: also where letters of Hebrew or Arabic touch it, which
/// take it as a word of theirs (`WhatsAppی`).
fn is_edge(text: &Text, place: usize) -> bool {
    let is_latin = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphabetic());
    let is_semitic = |letter: Option<char>| {
        letter.is_some_and(|letter| ('\u{590}'..'\u{780}').contains(&letter))
    };
    let (before, after) = (text.before(place), text.at(place));
    !is_inside_word(text, place)
        || (is_latin(before) && is_semitic(after))
        || (is_semitic(before) && is_latin(after))
}

fn is_written(text: &Text, start: usize, end: usize, written: &str) -> bool {
    let here: String = text.chars[start..end].iter().collect();
    here == written
        || here == written.to_uppercase()
        || (start == 0 && here.eq_ignore_ascii_case(written) && text.at(end) == Some(':'))
}
