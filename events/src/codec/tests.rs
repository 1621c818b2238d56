//! Golden bytes: what every version of every event looks like on disk, for ever.

mod policy;
mod sealed;

use super::{DecodeError, NAMES, SecretKind, decode, encode};
use crate::account::idempotency::Effect;
use crate::account::{BatchItem, ItemRefusal};
use crate::address::{self, Address, Assigned, Destination, KeyId};
use crate::chain::{self, Block};
use crate::code::{Candidate, Extraction, Reason, Verdict};
use crate::country::Country;
use crate::deposit::Sight;
use crate::event::Event;
use crate::id::{AccountId, ApiKeyId, DepositId, InviteId, OrderId};
use crate::money::Money;
use crate::order::{AttemptFailure, FailureReason, Placed, Sms};
use crate::platform::Platform;
use crate::time::Timestamp;
use crate::webhook::{self, Notice, Outcome};
use crate::{
    account, deposit, erasure, export, invite, leadership, lease, number, order, purchase, reveal,
};

/// One line an event: name, version, payload in hex. Lines are added, never changed.
const GOLDEN: &str = include_str!("golden.txt");

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);

fn of_order(event: order::Event) -> Event {
    account::Event::Order(OrderId(0x0102), event).into()
}

/// One event of every name, in the order of the golden file.
fn samples() -> Vec<Event> {
    account_samples()
        .into_iter()
        .chain(order_samples())
        .chain(deposit_and_number_samples())
        .chain(later_samples())
        .collect()
}

fn supplier() -> crate::supplier::SupplierName {
    "own".parse().unwrap()
}

fn account_samples() -> Vec<Event> {
    vec![
        account::Event::Registered {
            id: AccountId(0xa1),
            key_hash: [0x5a; 32],
            webhook_secret: "whsec_AA==".to_owned(),
            at: AT,
        }
        .into(),
        account::Event::Credited {
            amount: Money::from_cents(1_250),
            reason: "goodwill".to_owned(),
            at: AT,
        }
        .into(),
        account::Event::DepositCredited {
            deposit: DepositId(0xd1),
            amount: Money::from_cents(1_000),
            at: AT,
        }
        .into(),
        account::Event::Suspended { reason: "abuse".to_owned(), at: AT }.into(),
        account::Event::Reinstated { reason: "talked".to_owned(), at: AT }.into(),
        account::Event::HoldTaken { order: OrderId(0x0102), amount: Money::from_cents(50), at: AT }
            .into(),
        account::Event::HoldCaptured {
            order: OrderId(0x0102),
            amount: Money::from_cents(50),
            at: AT,
        }
        .into(),
        account::Event::HoldReleased {
            order: OrderId(0x0102),
            amount: Money::from_cents(50),
            at: AT,
        }
        .into(),
    ]
}

fn order_samples() -> Vec<Event> {
    let candidate = Candidate {
        code: "123456".to_owned(),
        score: 58,
        reasons: vec![Reason::UsualLength, Reason::BesideKeyWord],
    };
    vec![
        of_order(order::Event::Placed(Placed {
            platform: Platform::Google,
            country: Country::Gb,
            list_price: Money::from_cents(50),
            price: Money::from_micros(475_000),
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_attempts: 3,
            listen_seconds: 0,
            verdict: None,
            at: AT,
        })),
        of_order(order::Event::AttemptFailed {
            attempt: 1,
            supplier: supplier(),
            reason: AttemptFailure::TimedOut,
            at: AT,
        }),
        of_order(order::Event::NumberAssigned {
            attempt: 2,
            supplier: supplier(),
            phone: "+447700900123".parse().unwrap(),
            expires_at: AT,
            at: AT,
        }),
        of_order(order::Event::NumberReportedDead { attempt: 2, supplier: supplier(), at: AT }),
        of_order(order::Event::SmsReceived(Sms {
            message_id: "m1".to_owned(),
            supplier: supplier(),
            sender: "Google".to_owned(),
            text: "G-123456 ist dein Code für Google ✓".to_owned(),
            received_at: AT,
            extraction: Extraction {
                verdict: Verdict::Code("123456".to_owned()),
                candidates: vec![candidate],
            },
            at: AT,
        })),
        of_order(order::Event::Completed {
            code: "123456".to_owned(),
            message_id: "m1".to_owned(),
            listens_until: AT,
            at: AT,
        }),
        of_order(order::Event::Cancelled { at: AT }),
        of_order(order::Event::Expired { at: AT }),
        of_order(order::Event::Failed { reason: FailureReason::AttemptsExhausted, at: AT }),
    ]
}

fn deposit_and_number_samples() -> Vec<Event> {
    let hash: deposit::TxHash = "0f".repeat(32).parse().unwrap();
    vec![
        deposit::Event::Claimed {
            account: AccountId(0xa1),
            chain: "simulated".to_owned(),
            tx_hash: hash,
            output: 1,
            at: AT,
        }
        .into(),
        deposit::Event::Confirmed {
            amount: Money::from_cents(1_000),
            paid: "0.001".to_owned(),
            rate: "10000".to_owned(),
            rate_source: "fixed".to_owned(),
            rate_at: AT,
            at: AT,
        }
        .into(),
        deposit::Event::Credited { at: AT }.into(),
        number::Event::SmsKept(number::KeptSms {
            message_id: "m2".to_owned(),
            supplier: supplier(),
            sender: "+15550100".to_owned(),
            text: "late".to_owned(),
            received_at: AT,
            why: number::Unclaimed::OrderEnded,
            at: AT,
        })
        .into(),
    ]
}

/// Events that came after the first version, in the order in which they came.
fn later_samples() -> impl Iterator<Item = Event> {
    let told = keyed_and_queued_samples()
        .into_iter()
        .chain(webhook_samples())
        .chain(chain_samples())
        .chain(part_samples());
    let revealed = reveal::Event::Revealed {
        subject: "ord_1".to_owned(),
        reason: "ticket 7".to_owned(),
        at: AT,
    }
    .into();
    told.chain(source_samples())
        .chain(operator_samples())
        .chain(after_code_samples())
        .chain(test_mode_samples())
        .chain([revealed])
        .chain(policy::samples())
        .chain(admission_samples())
        .chain(export_samples())
        .chain(unused_samples())
        .chain(leadership_samples())
        .chain(erasure_samples())
}

fn erasure_samples() -> Vec<Event> {
    let (account, reason) = (AccountId(0xa1), || "request 7".to_owned());
    let of = [Some(OrderId(0x0102)), None].map(|order| erasure::Subject { account, order });
    let kinds = SecretKind::ALL.to_vec();
    vec![
        erasure::Event::Erased { of: of.to_vec(), kinds, reason: reason(), at: AT }.into(),
        erasure::Event::HoldPlaced { account, reason: reason(), at: AT }.into(),
        erasure::Event::HoldLifted { account, reason: reason(), at: AT }.into(),
        erasure::Event::Rewritten { position: 0x0708, chain: [0x5a; 32], sealed: 3, at: AT }.into(),
    ]
}

fn keyed_and_queued_samples() -> Vec<Event> {
    let used = |effect| {
        account::Event::KeyUsed {
            key: "order-17".parse().unwrap(),
            fingerprint: [0x11; 32],
            effect,
            at: AT,
        }
        .into()
    };
    let refused = [
        None,
        Some(ItemRefusal::InsufficientBalance {
            needed: Money::from_cents(50),
            available: Money::from_cents(7),
        }),
        Some(ItemRefusal::PriceAboveMaximum {
            price: Money::from_cents(50),
            max_price: Money::from_cents(40),
        }),
    ];
    let items = refused
        .into_iter()
        .zip(1..)
        .map(|(refused, order)| BatchItem { order: OrderId(order), refused })
        .collect();
    vec![
        account::Event::BatchPlaced { items, at: AT }.into(),
        used(Effect::Order(OrderId(0x0102))),
        used(Effect::Batch),
        used(Effect::Cancel(OrderId(0x0102))),
        used(Effect::Deposit(DepositId(0xd1))),
        of_order(order::Event::Queued { at: AT }),
        of_order(order::Event::Started { at: AT }),
    ]
}

fn webhook_samples() -> Vec<Event> {
    let due = |sequence, notice| account::Event::WebhookDue { sequence, notice, at: AT }.into();
    let attempted = |outcome, next_at| {
        webhook::Event::Attempted { sequence: 1, attempt: 2, outcome, millis: 87, next_at, at: AT }
            .into()
    };
    vec![
        account::Event::WebhookSet {
            url: "https://hooks.acme.dev/in".to_owned(),
            threshold: Money::from_cents(100),
            at: AT,
        }
        .into(),
        account::Event::WebhookRemoved { at: AT }.into(),
        account::Event::WebhookSecretRotated { secret: "whsec_AQ==".to_owned(), at: AT }.into(),
        due(1, Notice::SmsReceived { order: OrderId(0x0102), message_id: "m1".to_owned() }),
        due(2, Notice::OrderFailed { order: OrderId(0x0102) }),
        due(
            3,
            Notice::BalanceLow {
                balance: Money::from_cents(90),
                threshold: Money::from_cents(100),
            },
        ),
        due(4, Notice::Test),
        attempted(Outcome::Answered(503), Some(AT)),
        attempted(Outcome::TimedOut, None),
        attempted(Outcome::ConnectionFailed, None),
        attempted(Outcome::NotResolved, None),
        attempted(Outcome::TargetRefused, None),
        attempted(Outcome::NoWebhook, None),
        webhook::Event::Delivered { sequence: 1, at: AT }.into(),
        webhook::Event::Exhausted { sequence: 1, at: AT }.into(),
        webhook::Event::RedeliveryRequested { sequence: 1, at: AT }.into(),
    ]
}

fn chain_samples() -> Vec<Event> {
    let tx_hash: deposit::TxHash = "0f".repeat(32).parse().unwrap();
    let block = || Block { height: 900_000, hash: "0e".repeat(32) };
    let (chain, paid) = ("btc".to_owned(), "0.001".to_owned());
    let sight = Sight {
        account: Some(AccountId(0xa1)),
        chain,
        tx_hash,
        output: 7,
        paid: paid.clone(),
        block: block(),
    };
    let destination =
        Destination::from_hex("0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2").unwrap();
    let address =
        Address { text: "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu".to_owned(), destination };
    let (rate, rate_source) = ("10000".to_owned(), "fixed".to_owned());
    let rate_at = Timestamp::from_millis(AT.millis() - 1_000);
    let (deposit, amount) = (DepositId(0xd1), Money::from_cents(40));
    vec![
        deposit::Event::Confirmed {
            amount: Money::from_cents(1_000),
            paid,
            rate,
            rate_source,
            rate_at,
            at: AT,
        }
        .into(),
        deposit::Event::Seen { sight: sight.clone(), at: AT }.into(),
        deposit::Event::Seen { sight: Sight { account: None, ..sight }, at: AT }.into(),
        deposit::Event::Orphaned { at: AT }.into(),
        deposit::Event::Reversed { at: AT }.into(),
        deposit::Event::Settled { at: AT }.into(),
        account::Event::DustKept { deposit, amount, at: AT }.into(),
        account::Event::DustDropped { deposit, amount, at: AT }.into(),
        account::Event::DepositReversed { deposit, amount, at: AT }.into(),
        address::Event::Assigned(Assigned {
            account: AccountId(0xa1),
            key: KeyId::from_text("deadbeef"),
            index: 17,
            address,
            at: AT,
        })
        .into(),
        chain::Event::Scanned { block: block(), at: AT }.into(),
        chain::Event::Forked { block: block(), at: AT }.into(),
    ]
}

fn part_samples() -> Vec<Event> {
    let supplier = || "smpp".parse().unwrap();
    let part = |alphabet| {
        let (sender, bytes) = ("Google".to_owned(), b"G-12".to_vec());
        let part = number::Part {
            supplier: supplier(),
            sender,
            reference: 0x01ff,
            number: 2,
            total: 3,
            alphabet,
            bytes,
            received_at: AT,
            at: AT,
        };
        number::Event::PartKept { part, opened_at: Timestamp::from_millis(AT.millis() - 500) }
            .into()
    };
    let set = number::SetId {
        opened_at: AT,
        supplier: supplier(),
        sender: "Google".to_owned(),
        reference: 0x01ff,
        total: 3,
    };
    vec![
        part(number::Alphabet::Gsm(1, 2)),
        part(number::Alphabet::Latin1),
        part(number::Alphabet::Utf16),
        part(number::Alphabet::Utf8),
        number::Event::PartsJoined { set, is_whole: false, at: AT }.into(),
    ]
}

fn source_samples() -> Vec<Event> {
    let supplier = || "acme".parse().unwrap();
    let phone = || "+12025550123".parse().unwrap();
    let listing =
        |platforms| number::Listing { supplier: supplier(), country: Country::Us, platforms };
    let id = lease::LeaseId { supplier: supplier(), order: OrderId(0x0102), attempt: 2 };
    let request = lease::Request {
        id,
        account: AccountId(0xa1),
        platform: Platform::Google,
        country: Country::Us,
    };
    let monthly = Money::from_cents(115);
    vec![
        number::Event::Listed { listing: listing(None), at: AT }.into(),
        number::Event::Listed {
            listing: listing(Some(vec![Platform::Google, Platform::Steam])),
            at: AT,
        }
        .into(),
        number::Event::Retired { reason: "sold".to_owned(), at: AT }.into(),
        lease::Event::Sought { request, at: AT }.into(),
        lease::Event::Obtained { phone: phone(), cost: Money::from_cents(12), at: AT }.into(),
        lease::Event::Declined { at: AT }.into(),
        lease::Event::ReleaseSought { outcome: lease::Outcome::Served, at: AT }.into(),
        lease::Event::ReleaseSought { outcome: lease::Outcome::Unused, at: AT }.into(),
        lease::Event::ReleaseSought { outcome: lease::Outcome::Dead, at: AT }.into(),
        lease::Event::Released { charged: Money::from_cents(12), at: AT }.into(),
        purchase::Event::Intended { phone: phone(), country: Country::Us, monthly, at: AT }.into(),
        purchase::Event::Made { phone: phone(), at: AT }.into(),
        purchase::Event::Failed { phone: phone(), why: "gone".to_owned(), at: AT }.into(),
        purchase::Event::EndIntended { phone: phone(), at: AT }.into(),
        purchase::Event::Ended { phone: phone(), at: AT }.into(),
    ]
}

fn operator_samples() -> Vec<Event> {
    let key = "order-17".parse().unwrap();
    vec![
        account::Event::Debited {
            amount: Money::from_cents(1_250),
            reason: "typo".to_owned(),
            overdraws: true,
            at: AT,
        }
        .into(),
        account::Event::KeyUsed { key, fingerprint: [0x11; 32], effect: Effect::Operator, at: AT }
            .into(),
        account::Event::ApiKeyAdded {
            id: ApiKeyId(0x0304),
            name: "ci".to_owned(),
            hash: [0x5b; 32],
            at: AT,
        }
        .into(),
        account::Event::ApiKeyRemoved { id: ApiKeyId(0x0304), at: AT }.into(),
        account::Event::ApiKeysReplaced {
            id: ApiKeyId(0x0304),
            hash: [0x5b; 32],
            reason: "lost".to_owned(),
            at: AT,
        }
        .into(),
    ]
}

/// What orders have from the version on in which they keep their numbers after the code.
fn test_mode_samples() -> Vec<Event> {
    let chosen = |scenario| of_order(order::Event::ScenarioChosen { scenario, at: AT });
    let opened = |of| account::Event::OpenedForTests { of, at: AT }.into();
    let accounts = [
        opened(None),
        opened(Some(AccountId(0xa1))),
        account::Event::TestAccountOpened { id: AccountId(0xa2), at: AT }.into(),
    ];
    accounts.into_iter().chain(order::Scenario::ALL.map(chosen)).collect()
}

fn admission_samples() -> Vec<Event> {
    let admitted = |kind, terms: Option<&str>| {
        account::Event::Admitted { kind, terms: terms.map(str::to_owned), at: AT }.into()
    };
    let (id, reason) = (InviteId(0x0506), "talked".to_owned());
    let (hash, expires_at, note) = ([0x5c; 32], AT, "for ada".to_owned());
    vec![
        admitted(account::RegistrationKind::Open, Some("2026-11")),
        admitted(account::RegistrationKind::Approval, None),
        admitted(account::RegistrationKind::Invite(id), None),
        account::Event::Approved { reason: reason.clone(), at: AT }.into(),
        account::Event::Declined { reason: reason.clone(), at: AT }.into(),
        invite::Event::Created { id, hash, uses: 3, expires_at, note, at: AT }.into(),
        invite::Event::Used { id, account: AccountId(0xa1), at: AT }.into(),
        invite::Event::Revoked { id, reason, at: AT }.into(),
    ]
}

fn export_samples() -> Vec<Event> {
    let scopes = [
        export::Scope::Account(AccountId(0xa1)),
        export::Scope::Number("+12025550123".parse().unwrap()),
        export::Scope::Period { from: Timestamp::from_millis(AT.millis() - 1_000), until: AT },
    ];
    let exported = |scope| {
        let made = export::Made { scope, records: 3, digest: [0x5c; 32], head: 12 };
        export::Event::Exported { made, reason: "request 7".to_owned(), at: AT }.into()
    };
    scopes.map(exported).into()
}

fn leadership_samples() -> Vec<Event> {
    let leader = leadership::Leader {
        node: "north".to_owned(),
        url: "https://north.example.com".to_owned(),
        version: "0.1.0".to_owned(),
        configuration: [0x5c; 32],
    };
    vec![
        leadership::Event::Taken { leader, at: AT }.into(),
        leadership::Event::Released { reason: "SIGTERM".to_owned(), at: AT }.into(),
    ]
}

fn unused_samples() -> Vec<Event> {
    vec![
        account::Event::Removed { unused_days: 30, at: AT }.into(),
        account::Event::Reopened { at: AT }.into(),
    ]
}

fn after_code_samples() -> Vec<Event> {
    let placed = Placed {
        platform: Platform::Google,
        country: Country::Gb,
        list_price: Money::from_cents(50),
        price: Money::from_micros(475_000),
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 120,
        verdict: None,
        at: AT,
    };
    let (code, message_id, later) =
        (|| "123456".to_owned(), || "m1".to_owned(), Timestamp::from_millis(AT.millis() + 120_000));
    let reported = |complaint| of_order(order::Event::Reported { complaint, at: AT });
    vec![
        of_order(order::Event::Placed(placed)),
        of_order(order::Event::Completed {
            code: code(),
            message_id: message_id(),
            listens_until: later,
            at: AT,
        }),
        of_order(order::Event::CodeReplaced { code: code(), message_id: message_id(), at: AT }),
        of_order(order::Event::SmsHeld {
            message_id: "m3".to_owned(),
            supplier: "own".parse().unwrap(),
            kinds: crate::code::Sensitive::ALL.to_vec(),
            received_at: Timestamp::from_millis(AT.millis() - 500),
            at: AT,
        }),
        of_order(order::Event::Failed { reason: FailureReason::MessageHeld, at: AT }),
        of_order(order::Event::SmsRepeated {
            message_id: "m2".to_owned(),
            supplier: "own".parse().unwrap(),
            repeats: message_id(),
            received_at: Timestamp::from_millis(AT.millis() - 500),
            at: AT,
        }),
        reported(order::Complaint::WrongCode),
        reported(order::Complaint::NoCode),
        reported(order::Complaint::NumberUsed),
        of_order(order::Event::Refunded { at: AT }),
        of_order(order::Event::Finished { at: AT }),
        account::Event::CaptureRefunded {
            order: OrderId(0x0102),
            amount: Money::from_cents(50),
            at: AT,
        }
        .into(),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap())
        .collect()
}

#[test]
fn golden_bytes_read_as_the_events_they_were_and_are_written_so_today() {
    let lines: Vec<(&str, u16, &str)> = GOLDEN
        .lines()
        .map(|line| {
            let mut fields = line.split(' ');
            (
                fields.next().unwrap(),
                fields.next().unwrap().parse().unwrap(),
                fields.next().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        lines.len(),
        samples().len(),
        "a new event needs a sample here and its line in golden.txt:\n{}",
        written()
    );
    for ((name, version, golden), sample) in lines.into_iter().zip(samples()) {
        assert_eq!(decode(name, version, &bytes(golden)).unwrap(), sample);
        let encoded = encode(&sample);
        // What an older version said is written in the newest one today.
        if encoded.version == version {
            assert_eq!((encoded.name, hex(&encoded.payload).as_str()), (name, golden));
        }
        assert!(encoded.name == name && encoded.version >= version, "{name} {version}");
    }
}

fn written() -> String {
    let line = |event: &Event| {
        let encoded = encode(event);
        format!("{} {} {}", encoded.name, encoded.version, hex(&encoded.payload))
    };
    samples().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_name_has_golden_bytes() {
    for (name, version) in NAMES.into_iter().flatten() {
        assert!(
            GOLDEN.lines().any(|line| line.starts_with(&format!("{name} {version} "))),
            "{name} {version}"
        );
    }
}

#[test]
fn every_reason_keeps_a_number_of_its_own() {
    let numbers: std::collections::BTreeSet<u8> =
        Reason::ALL.iter().map(|reason| reason.number()).collect();
    assert_eq!(numbers.len(), Reason::ALL.len());
}

#[test]
fn unknown_events_and_broken_payloads_are_errors() {
    assert_eq!(
        decode("OrderPlaced", 99, &[1]),
        Err(DecodeError::UnknownEvent { name: "OrderPlaced".to_owned(), version: 99 })
    );
    assert_eq!(decode("OrderCancelled", 1, &[9, 0]), Err(DecodeError::UnknownCodec(9)));
    for event in samples() {
        let encoded = encode(&event);
        for length in 0..encoded.payload.len() {
            assert!(
                decode(encoded.name, encoded.version, &encoded.payload[..length]).is_err(),
                "{} cut to {length}",
                encoded.name
            );
        }
        let longer = [encoded.payload.as_slice(), &[0]].concat();
        assert!(
            decode(encoded.name, encoded.version, &longer).is_err(),
            "{} with a byte too many",
            encoded.name
        );
    }
}

#[test]
fn hostile_lengths_allocate_nothing() {
    // A text said to be 2^63 bytes long, in four bytes.
    let payload = [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, b'a', b'b', b'c', b'd'];
    assert!(matches!(decode("AccountSuspended", 1, &payload), Err(DecodeError::Malformed { .. })));
}

#[test]
fn a_value_that_makes_no_sense_is_an_error() {
    let encoded =
        encode(&of_order(order::Event::Failed { reason: FailureReason::NoSourceLeft, at: AT }));
    let mut payload = encoded.payload;
    // The reason stands behind the codec byte and the order's 16.
    payload[17] = 200;
    assert!(matches!(decode("OrderFailed", 1, &payload), Err(DecodeError::Malformed { .. })));
}
