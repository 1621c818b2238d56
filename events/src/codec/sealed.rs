//! Secrets of events apart from the events: which fields they are, and how an event stands in bytes
//! whose secrets are encrypted.
//!
//! Holds: the fields, the words in their place, the layout of a sealed payload. Never holds: a key
//! or a cipher. Proved by: golden bytes in `codec::tests::sealed`.

use std::collections::BTreeMap;

use super::wire::read;
use super::{DecodeError, decode_public};
use crate::code::Verdict;
use crate::envelope::{Revision, StreamId};
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::phone::Phone;
use crate::{account, lease, order};

/// First byte of a payload whose secrets are encrypted.
pub const SEALED: u8 = 2;

/// Kinds of secrets, each under a key of its own: they are not erased at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// What a message says, who sent it, and the codes that were read in it.
    Message,
    /// An order's number.
    Phone,
    /// Where an account's webhooks go, and what signs them.
    Webhook,
}

impl SecretKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Message, Self::Phone, Self::Webhook];

    /// The number on disk.
    pub const fn number(self) -> u8 {
        match self {
            Self::Message => 0,
            Self::Phone => 1,
            Self::Webhook => 2,
        }
    }

    /// The word of commands and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Phone => "numbers",
            Self::Webhook => "webhooks",
        }
    }

    /// The kind of a number on disk.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// Whose secrets they are: the unit that is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An order's.
    Order(OrderId),
    /// An account's.
    Account(AccountId),
}

/// Why a secret is not there, and the word that stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// Its key was erased.
    Erased,
    /// The reader has no keys.
    Sealed,
}

impl Withheld {
    /// The word in the secret's place.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Erased => "<erased>",
            Self::Sealed => "<sealed>",
        }
    }

    /// Whether a text is a word in a secret's place.
    pub fn is_word(text: &str) -> bool {
        [Self::Erased, Self::Sealed].iter().any(|withheld| withheld.word() == text)
    }
}

/// An event without its secrets, and the secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parted {
    /// Whose they are.
    pub subject: Subject,
    /// The event with a word in each secret's place.
    pub public: Event,
    /// Each kind's secrets, in the order of the event's fields.
    pub secrets: BTreeMap<SecretKind, Vec<String>>,
}

/// What a part's key has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The secrets.
    Secrets(Vec<String>),
    /// None, and why.
    Withheld(Withheld),
}

/// One kind's secrets of an event, encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The kind's number.
    pub kind: u8,
    /// Which key.
    pub key: [u8; 16],
    /// The cipher's nonce.
    pub nonce: [u8; 24],
    /// The secrets, encrypted.
    pub ciphertext: Vec<u8>,
}

/// A payload whose secrets are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPayload {
    /// The secrets.
    pub parts: Vec<Part>,
    /// The payload of the event without them.
    pub public: Vec<u8>,
}

type Disk = (Vec<(u8, [u8; 16], [u8; 24], Vec<u8>)>, Vec<u8>);

/// A field that holds a secret.
enum Field<'a> {
    Text(&'a mut String),
    Phone(&'a mut Phone),
}

/// Takes the secrets out of an event of this stream; `None` if it has none. `pseudonym` says what
/// stands in a number's place, the same for the same number.
pub fn part(
    stream: &StreamId,
    event: &Event,
    pseudonym: impl Fn(&Phone) -> Phone,
) -> Option<Parted> {
    let subject = subject(stream, event)?;
    let mut public = event.clone();
    let mut secrets: BTreeMap<SecretKind, Vec<String>> = BTreeMap::new();
    each_secret(&mut public, &mut |kind, field| {
        let secret = match field {
            Field::Text(text) => std::mem::replace(text, Withheld::Erased.word().to_owned()),
            Field::Phone(phone) => {
                let placed = pseudonym(phone);
                std::mem::replace(phone, placed).as_str().to_owned()
            }
        };
        secrets.entry(kind).or_default().push(secret);
    });
    (!secrets.is_empty()).then_some(Parted { subject, public, secrets })
}

/// Puts one kind's secrets back into their places; an error, if they are not as many.
fn join(event: &mut Event, of: SecretKind, secrets: Vec<String>) -> Result<(), String> {
    let mut secrets = secrets.into_iter();
    let mut wrong = None;
    each_secret(event, &mut |kind, field| {
        if kind != of {
            return;
        }
        match (field, secrets.next()) {
            (Field::Text(text), Some(secret)) => *text = secret,
            (Field::Phone(phone), Some(secret)) => match Phone::of_log(&secret) {
                Ok(found) => *phone = found,
                Err(error) => wrong = Some(error.to_string()),
            },
            (Field::Text(_) | Field::Phone(_), None) => {
                wrong = Some("a secret is missing".to_owned());
            }
        }
    });
    if secrets.next().is_some() {
        wrong = Some("a secret is left over".to_owned());
    }
    wrong.map_or(Ok(()), Err)
}

/// Says in the place of one kind's texts that the reader has no keys. Numbers keep their
/// pseudonyms.
fn mark_sealed(event: &mut Event, of: SecretKind) {
    each_secret(event, &mut |kind, field| {
        if let (true, Field::Text(text)) = (kind == of, field) {
            Withheld::Sealed.word().clone_into(text);
        }
    });
}

/// The payload's bytes.
pub fn write_sealed(sealed: SealedPayload) -> Vec<u8> {
    let parts: Vec<_> = sealed
        .parts
        .into_iter()
        .map(|part| (part.kind, part.key, part.nonce, part.ciphertext))
        .collect();
    let disk: Disk = (parts, sealed.public);
    // Behind it, the codec of what follows.
    let mut payload = vec![SEALED];
    payload.extend(super::wire::write("", 0, &disk).payload);
    payload
}

/// What stands in a payload whose secrets are encrypted; `None` for one that has none.
pub fn read_sealed(payload: &[u8]) -> Option<Result<SealedPayload, DecodeError>> {
    let (SEALED, bytes) = payload.split_first().map(|(codec, bytes)| (*codec, bytes))? else {
        return None;
    };
    let (parts, public) = match read::<Disk>("sealed payload", bytes) {
        Ok(disk) => disk,
        Err(error) => return Some(Err(error)),
    };
    let parts = parts.into_iter().map(|(kind, key, nonce, ciphertext)| Part {
        kind,
        key,
        nonce,
        ciphertext,
    });
    Some(Ok(SealedPayload { parts: parts.collect(), public }))
}

/// One kind's secrets as the cipher takes them.
pub fn write_secrets(secrets: &Vec<String>) -> Vec<u8> {
    super::wire::write("", 0, secrets).payload
}

/// The secrets that the cipher gave back.
pub fn read_secrets(bytes: &[u8]) -> Result<Vec<String>, DecodeError> {
    read("secrets", bytes)
}

/// What the cipher binds one kind's secrets to: they open at their own place alone.
pub fn associated_data(
    stream: &StreamId,
    revision: Revision,
    (name, version): (&str, u16),
    kind: SecretKind,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    for text in [stream.as_str(), name] {
        bytes.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(revision.0.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    bytes.push(kind.number());
    bytes
}

/// The event of a payload whose secrets are encrypted; `open` gives a part's secrets, or says why
/// there are none.
pub fn decode_sealed(
    name: &str,
    version: u16,
    sealed: &SealedPayload,
    mut open: impl FnMut(SecretKind, &Part) -> Result<Opened, DecodeError>,
) -> Result<Event, DecodeError> {
    let malformed = |detail: String| DecodeError::Malformed { name: "sealed payload", detail };
    let mut event = decode_public(name, version, &sealed.public)?;
    for part in &sealed.parts {
        let kind = SecretKind::of_number(part.kind)
            .ok_or_else(|| malformed(format!("kind of secret {}", part.kind)))?;
        match open(kind, part)? {
            Opened::Secrets(secrets) => join(&mut event, kind, secrets).map_err(malformed)?,
            // The word stands there already.
            Opened::Withheld(Withheld::Erased) => {}
            Opened::Withheld(Withheld::Sealed) => mark_sealed(&mut event, kind),
        }
    }
    Ok(event)
}

/// Whose secrets an event of this stream has, if it has any.
fn subject(stream: &StreamId, event: &Event) -> Option<Subject> {
    match event {
        Event::Account(account::Event::Order(order, _)) => Some(Subject::Order(*order)),
        Event::Account(_) => stream.account_id().map(Subject::Account),
        Event::Lease(_) => stream.lease_id().map(|lease| Subject::Order(lease.order)),
        Event::Deposit(_)
        | Event::Address(_)
        | Event::Chain(_)
        | Event::Webhook(_)
        | Event::Number(_)
        | Event::Purchase(_)
        | Event::Reveal(_)
        | Event::Policy(_)
        | Event::Provenance(_)
        | Event::Invite(_)
        | Event::Export(_)
        | Event::Leadership(_)
        | Event::Erasure(_) => None,
    }
}

/// Shows every secret of the event, always in the same order.
fn each_secret(event: &mut Event, visit: &mut dyn FnMut(SecretKind, Field<'_>)) {
    match event {
        Event::Account(event) => of_account(event, visit),
        Event::Lease(lease::Event::Obtained { phone, .. }) => {
            visit(SecretKind::Phone, Field::Phone(phone));
        }
        Event::Lease(_)
        | Event::Deposit(_)
        | Event::Address(_)
        | Event::Chain(_)
        | Event::Webhook(_)
        | Event::Number(_)
        | Event::Purchase(_)
        | Event::Reveal(_)
        | Event::Policy(_)
        | Event::Provenance(_)
        | Event::Invite(_)
        | Event::Export(_)
        | Event::Leadership(_)
        | Event::Erasure(_) => {}
    }
}

fn of_account(event: &mut account::Event, visit: &mut dyn FnMut(SecretKind, Field<'_>)) {
    if let account::Event::Registered { webhook_secret: secret, .. }
    | account::Event::WebhookSet { url: secret, .. }
    | account::Event::WebhookSecretRotated { secret, .. } = event
    {
        visit(SecretKind::Webhook, Field::Text(secret));
    } else if let account::Event::Order(_, fact) = event {
        of_order(fact, visit);
    }
}

fn of_order(fact: &mut order::Event, visit: &mut dyn FnMut(SecretKind, Field<'_>)) {
    if let order::Event::NumberAssigned { phone, .. } = fact {
        visit(SecretKind::Phone, Field::Phone(phone));
    } else if let order::Event::Completed { code, .. } | order::Event::CodeReplaced { code, .. } =
        fact
    {
        visit(SecretKind::Message, Field::Text(code));
    } else if let order::Event::SmsReceived(sms) = fact {
        visit(SecretKind::Message, Field::Text(&mut sms.sender));
        visit(SecretKind::Message, Field::Text(&mut sms.text));
        if let Verdict::Code(code) = &mut sms.extraction.verdict {
            visit(SecretKind::Message, Field::Text(code));
        }
        for candidate in &mut sms.extraction.candidates {
            visit(SecretKind::Message, Field::Text(&mut candidate.code));
        }
    }
}
