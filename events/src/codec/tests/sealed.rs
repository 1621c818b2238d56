//! Secrets apart from their events, and the bytes of sealed payloads.

use super::{AT, bytes, hex, of_order, samples, supplier};
use crate::code::{Candidate, Extraction, Verdict};
use crate::codec::{
    DecodeError, Opened, Part, SealedPayload, SecretKind, Subject, Withheld, associated_data,
    decode, decode_sealed, encode, part, read_sealed, read_secrets, write_sealed, write_secrets,
};
use crate::envelope::{Revision, StreamId};
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::lease::{self, LeaseId};
use crate::order::Sms;
use crate::phone::Phone;
use crate::{account, order};

/// A sealed payload of one part, as it is written for ever.
const GOLDEN: &str = "020101000000000000000107070707070707070707070707070707090909090909090909090909090909090909090909090909\
    0300000000000000aabbcc020000000000000001ff";

fn pseudonym(_: &Phone) -> Phone {
    Phone::pseudonym([7; 8])
}

fn account() -> StreamId {
    StreamId::account(AccountId(0xa1))
}

fn message() -> Event {
    of_order(order::Event::SmsReceived(Sms {
        message_id: "m1".to_owned(),
        supplier: supplier(),
        sender: "Google".to_owned(),
        text: "G-123456 is your code, not 999999".to_owned(),
        received_at: AT,
        extraction: Extraction {
            verdict: Verdict::Code("123456".to_owned()),
            candidates: vec![
                Candidate { code: "123456".to_owned(), score: 9, reasons: vec![] },
                Candidate { code: "999999".to_owned(), score: 1, reasons: vec![] },
            ],
        },
        at: AT,
    }))
}

/// The event as it is read back of its parts, with those that `open` opens.
fn read_back(
    stream: &StreamId,
    event: &Event,
    open: impl Fn(SecretKind) -> Result<(), Withheld>,
) -> Event {
    let parted = part(stream, event, pseudonym).unwrap();
    let public = encode(&parted.public);
    let kinds: Vec<SecretKind> = parted.secrets.keys().copied().collect();
    let parts = kinds.iter().map(|kind| Part {
        kind: kind.number(),
        key: [0; 16],
        nonce: [0; 24],
        ciphertext: vec![],
    });
    let sealed = SealedPayload { parts: parts.collect(), public: public.payload };
    let payload = write_sealed(sealed.clone());
    assert_eq!(read_sealed(&payload).unwrap().unwrap(), sealed);
    assert_eq!(decode(public.name, public.version, &payload), Err(DecodeError::Sealed));
    decode_sealed(public.name, public.version, &sealed, |kind, _| {
        Ok(match open(kind) {
            Ok(()) => Opened::Secrets(parted.secrets[&kind].clone()),
            Err(withheld) => Opened::Withheld(withheld),
        })
    })
    .unwrap()
}

#[test]
fn an_event_has_its_secrets_back_with_its_key_and_a_word_in_their_places_without() {
    let erased = read_back(&account(), &message(), |_| Err(Withheld::Erased));
    let Event::Account(account::Event::Order(_, order::Event::SmsReceived(sms))) = erased else {
        panic!("it is another event");
    };
    let word = "<erased>".to_owned();
    let candidates: Vec<_> = sms.extraction.candidates.iter().map(|one| &one.code).collect();
    assert_eq!((&sms.sender, &sms.text, candidates), (&word, &word, vec![&word, &word]));
    assert_eq!(sms.extraction.verdict, Verdict::Code(word));
    assert_eq!((sms.message_id.as_str(), sms.extraction.candidates[0].score), ("m1", 9));
    assert_eq!(read_back(&account(), &message(), |_| Ok(())), message());
    let sealed =
        format!("{:?}", encode(&read_back(&account(), &message(), |_| { Err(Withheld::Sealed) })));
    assert!(!sealed.contains("<erased>"));
    assert!(Withheld::is_word("<sealed>") && Withheld::is_word("<erased>"));
    assert!(!Withheld::is_word("erased"));
}

#[test]
fn every_sample_is_whole_again_and_no_secret_is_in_the_bytes_without() {
    let mut kinds = std::collections::BTreeSet::new();
    let lease = StreamId::lease(&LeaseId { supplier: supplier(), order: OrderId(9), attempt: 1 });
    for event in samples() {
        let stream = if let Event::Lease(_) = event { lease.clone() } else { account() };
        let Some(parted) = part(&stream, &event, pseudonym) else { continue };
        assert_eq!(read_back(&stream, &event, |_| Ok(())), event);
        let public = String::from_utf8_lossy(&encode(&parted.public).payload).into_owned();
        for (kind, secrets) in parted.secrets {
            kinds.insert(kind);
            for secret in secrets {
                assert!(!public.contains(&secret), "{secret} in {event:?}");
            }
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), SecretKind::ALL);
}

#[test]
fn secrets_are_an_orders_or_an_accounts() {
    let of = |stream: &StreamId, event: Event| part(stream, &event, pseudonym).map(|it| it.subject);
    let phone: Phone = "+12025550123".parse().unwrap();
    assert_eq!(of(&account(), message()), Some(Subject::Order(OrderId(0x0102))));
    let obtained =
        lease::Event::Obtained { phone, cost: crate::money::Money::from_cents(1), at: AT };
    let id = LeaseId { supplier: supplier(), order: OrderId(9), attempt: 1 };
    assert_eq!(of(&StreamId::lease(&id), obtained.into()), Some(Subject::Order(OrderId(9))));
    let rotated = account::Event::WebhookSecretRotated { secret: "whsec_".to_owned(), at: AT };
    assert_eq!(of(&account(), rotated.into()), Some(Subject::Account(AccountId(0xa1))));
    assert_eq!(of(&account(), of_order(order::Event::Cancelled { at: AT })), None);
}

#[test]
fn sealed_bytes_are_for_ever() {
    let sealed = SealedPayload {
        parts: vec![Part {
            kind: 1,
            key: [7; 16],
            nonce: [9; 24],
            ciphertext: vec![0xaa, 0xbb, 0xcc],
        }],
        public: vec![1, 0xff],
    };
    assert_eq!(hex(&write_sealed(sealed.clone())), GOLDEN);
    assert_eq!(read_sealed(&bytes(GOLDEN)), Some(Ok(sealed)));
    let whole = bytes(GOLDEN);
    for length in 1..whole.len() {
        assert!(matches!(read_sealed(&whole[..length]), Some(Err(_))), "cut to {length}");
    }
    assert_eq!(read_sealed(&[1, 2, 3]), None);
    let foreign = |kind| SealedPayload {
        parts: vec![Part { kind, key: [0; 16], nonce: [0; 24], ciphertext: vec![] }],
        public: encode(&message()).payload,
    };
    let name = encode(&message()).name;
    let unknown = decode_sealed(name, 1, &foreign(9), |_, _| Ok(Opened::Secrets(vec![])));
    assert!(matches!(unknown, Err(DecodeError::Malformed { .. })));
    let wrong =
        decode_sealed(name, 1, &foreign(0), |_, _| Ok(Opened::Secrets(vec!["one".to_owned()])));
    assert!(matches!(wrong, Err(DecodeError::Malformed { .. })));
}

#[test]
fn what_the_cipher_takes_is_for_ever() {
    let secrets = vec!["ab".to_owned(), String::new()];
    let written = "01020000000000000002000000000000006162\
        0000000000000000";
    assert_eq!(hex(&write_secrets(&secrets)), written);
    assert_eq!(read_secrets(&bytes(written)), Ok(secrets));
    let bound =
        associated_data(&StreamId::from_name("s"), Revision(3), ("N", 2), SecretKind::Phone);
    assert_eq!(hex(&bound), "00000000000000017300000000000000014e0000000000000003000201");
}
