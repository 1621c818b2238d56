//! An event -> its name, version and bytes: always the newest version of its shape.

use bincode::Encode;

use super::account_parts::{effect_parts, item_parts};
use super::frozen::{
    AccountApiKeyAddedV1, AccountApiKeyRemovedV1, AccountApiKeysReplacedV1, AccountBatchPlacedV1, AccountCreditedV1, AccountDebitedV1,
    AccountDepositCreditedV1, AccountDepositReversedV1, AccountDustDroppedV1, AccountDustKeptV1, AccountKeyUsedV1, AccountRegisteredV1,
    AccountReinstatedV1, AccountSuspendedV1, AccountWebhookDueV1, AccountWebhookRemovedV1, AccountWebhookSecretRotatedV1, AccountWebhookSetV1,
    AddressAssignedV1, BINCODE_LEGACY, BatchItemV1, CaptureRefundedV1, ChainForkedV1, ChainScannedV1, DepositClaimedV1, DepositConfirmedV2,
    DepositCreditedV1, DepositOrphanedV1, DepositReversedV1, DepositSeenV1, DepositSettledV1, HoldCapturedV1, HoldReleasedV1, HoldTakenV1,
    NumberPartKeptV1, NumberPartsJoinedV1, NumberSmsKeptV1, WebhookAttemptedV1, WebhookDeliveredV1, WebhookExhaustedV1, WebhookRedeliveryRequestedV1,
};
use super::{write_order, write_source};
use crate::event::Event;
use crate::time::Timestamp;
use crate::webhook::{self, Notice, Outcome};
use crate::{account, address, chain, deposit, number};

/// An event as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Frozen name.
    pub name: &'static str,
    /// Version of the shape.
    pub version: u16,
    /// A codec byte, then the shape's bytes.
    pub payload: Vec<u8>,
}

macro_rules! shape {
    ($shape:ident { $($field:ident: $value:expr),+ $(,)? }) => {
        bytes($shape::NAME, $shape::VERSION, &$shape { $($field: $value),+ })
    };
}
pub(super) use shape;

/// The event's name, version and bytes.
pub fn encode(event: &Event) -> Encoded {
    match event {
        Event::Account(event) => account(event),
        Event::Deposit(event) => deposit(event),
        Event::Address(event) => address(event),
        Event::Chain(event) => chain(event),
        Event::Webhook(event) => webhook(event),
        Event::Number(event) => number(event),
        Event::Lease(event) => write_source::lease(event),
        Event::Purchase(event) => write_source::purchase(event),
    }
}

pub(super) fn bytes(name: &'static str, version: u16, shape: &impl Encode) -> Encoded {
    let mut payload = Vec::with_capacity(128);
    payload.push(BINCODE_LEGACY);
    bincode::encode_into_std_write(shape, &mut payload, bincode::config::legacy()).expect("plain numbers and texts always encode");
    Encoded { name, version, payload }
}

fn account(event: &account::Event) -> Encoded {
    match event {
        account::Event::Registered { id, key_hash, webhook_secret, at } => {
            shape!(AccountRegisteredV1 { account: id.0, key_hash: *key_hash, webhook_secret: webhook_secret.clone(), at: at.millis() })
        }
        account::Event::Credited { amount, reason, at } => {
            shape!(AccountCreditedV1 { amount: amount.micros(), reason: reason.clone(), at: at.millis() })
        }
        account::Event::Debited { amount, reason, overdraws, at } => {
            shape!(AccountDebitedV1 { amount: amount.micros(), reason: reason.clone(), overdraws: *overdraws, at: at.millis() })
        }
        account::Event::DepositCredited { deposit, amount, at } => {
            shape!(AccountDepositCreditedV1 { deposit: deposit.0, amount: amount.micros(), at: at.millis() })
        }
        account::Event::DustKept { deposit, amount, at } => {
            shape!(AccountDustKeptV1 { deposit: deposit.0, amount: amount.micros(), at: at.millis() })
        }
        account::Event::DustDropped { deposit, amount, at } => {
            shape!(AccountDustDroppedV1 { deposit: deposit.0, amount: amount.micros(), at: at.millis() })
        }
        account::Event::DepositReversed { deposit, amount, at } => {
            shape!(AccountDepositReversedV1 { deposit: deposit.0, amount: amount.micros(), at: at.millis() })
        }
        account::Event::Suspended { reason, at } => shape!(AccountSuspendedV1 { reason: reason.clone(), at: at.millis() }),
        account::Event::Reinstated { reason, at } => shape!(AccountReinstatedV1 { reason: reason.clone(), at: at.millis() }),
        account::Event::HoldTaken { order, amount, at } => shape!(HoldTakenV1 { order: order.0, amount: amount.micros(), at: at.millis() }),
        account::Event::HoldCaptured { order, amount, at } => shape!(HoldCapturedV1 { order: order.0, amount: amount.micros(), at: at.millis() }),
        account::Event::HoldReleased { order, amount, at } => shape!(HoldReleasedV1 { order: order.0, amount: amount.micros(), at: at.millis() }),
        account::Event::ApiKeyAdded { id, name, hash, at } => {
            shape!(AccountApiKeyAddedV1 { key: id.0, name: name.clone(), key_hash: *hash, at: at.millis() })
        }
        account::Event::ApiKeyRemoved { id, at } => shape!(AccountApiKeyRemovedV1 { key: id.0, at: at.millis() }),
        account::Event::ApiKeysReplaced { id, hash, reason, at } => {
            shape!(AccountApiKeysReplacedV1 { key: id.0, key_hash: *hash, reason: reason.clone(), at: at.millis() })
        }
        account::Event::BatchPlaced { items, at } => {
            let items = items.iter().map(item_parts).map(|(order, refused, first, second)| BatchItemV1 { order, refused, first, second });
            shape!(AccountBatchPlacedV1 { items: items.collect(), at: at.millis() })
        }
        account::Event::KeyUsed { key, fingerprint, effect, at } => {
            let (effect, subject) = effect_parts(*effect);
            shape!(AccountKeyUsedV1 { key: key.as_str().to_owned(), fingerprint: *fingerprint, effect: effect, subject: subject, at: at.millis() })
        }
        account::Event::WebhookSet { url, threshold, at } => {
            shape!(AccountWebhookSetV1 { url: url.clone(), threshold: threshold.micros(), at: at.millis() })
        }
        account::Event::WebhookRemoved { at } => shape!(AccountWebhookRemovedV1 { at: at.millis() }),
        account::Event::WebhookSecretRotated { secret, at } => shape!(AccountWebhookSecretRotatedV1 { secret: secret.clone(), at: at.millis() }),
        account::Event::WebhookDue { sequence, notice, at } => webhook_due(*sequence, notice, *at),
        account::Event::CaptureRefunded { order, amount, at } => {
            shape!(CaptureRefundedV1 { order: order.0, amount: amount.micros(), at: at.millis() })
        }
        account::Event::Order(id, event) => write_order::order(*id, event),
    }
}

fn webhook_due(sequence: u64, notice: &Notice, at: Timestamp) -> Encoded {
    let order = notice.order().map_or(0, |order| order.0);
    let (kind, message_id, balance, threshold) = match notice {
        Notice::SmsReceived { message_id, .. } => (0, message_id.clone(), 0, 0),
        Notice::OrderFailed { .. } => (1, String::new(), 0, 0),
        Notice::BalanceLow { balance, threshold } => (2, String::new(), balance.micros(), threshold.micros()),
        Notice::Test => (3, String::new(), 0, 0),
    };
    shape!(AccountWebhookDueV1 {
        sequence: sequence,
        notice: kind,
        order: order,
        message_id: message_id,
        balance: balance,
        threshold: threshold,
        at: at.millis(),
    })
}

fn webhook(event: &webhook::Event) -> Encoded {
    match event {
        webhook::Event::Attempted { sequence, attempt, outcome, millis, next_at, at } => shape!(WebhookAttemptedV1 {
            sequence: *sequence,
            attempt: *attempt,
            outcome: delivery_outcome(*outcome),
            status: outcome.status().unwrap_or(0),
            millis: *millis,
            next_at: next_at.map(Timestamp::millis),
            at: at.millis(),
        }),
        webhook::Event::Delivered { sequence, at } => shape!(WebhookDeliveredV1 { sequence: *sequence, at: at.millis() }),
        webhook::Event::Exhausted { sequence, at } => shape!(WebhookExhaustedV1 { sequence: *sequence, at: at.millis() }),
        webhook::Event::RedeliveryRequested { sequence, at } => {
            shape!(WebhookRedeliveryRequestedV1 { sequence: *sequence, at: at.millis() })
        }
    }
}

fn delivery_outcome(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Answered(_) => 0,
        Outcome::TimedOut => 1,
        Outcome::ConnectionFailed => 2,
        Outcome::NotResolved => 3,
        Outcome::TargetRefused => 4,
        Outcome::NoWebhook => 5,
    }
}

fn deposit(event: &deposit::Event) -> Encoded {
    match event {
        deposit::Event::Claimed { account, chain, tx_hash, output, at } => shape!(DepositClaimedV1 {
            account: account.0,
            chain: chain.clone(),
            tx_hash: tx_hash.as_str().to_owned(),
            output: *output,
            at: at.millis(),
        }),
        deposit::Event::Confirmed { amount, paid, rate, rate_source, rate_at, at } => shape!(DepositConfirmedV2 {
            amount: amount.micros(),
            paid: paid.clone(),
            rate: rate.clone(),
            rate_source: rate_source.clone(),
            rate_at: rate_at.millis(),
            at: at.millis(),
        }),
        deposit::Event::Credited { at } => shape!(DepositCreditedV1 { at: at.millis() }),
        deposit::Event::Seen { sight, at } => shape!(DepositSeenV1 {
            account: sight.account.map(|account| account.0),
            chain: sight.chain.clone(),
            tx_hash: sight.tx_hash.as_str().to_owned(),
            output: sight.output,
            paid: sight.paid.clone(),
            block_height: sight.block.height,
            block_hash: sight.block.hash.clone(),
            at: at.millis(),
        }),
        deposit::Event::Orphaned { at } => shape!(DepositOrphanedV1 { at: at.millis() }),
        deposit::Event::Reversed { at } => shape!(DepositReversedV1 { at: at.millis() }),
        deposit::Event::Settled { at } => shape!(DepositSettledV1 { at: at.millis() }),
    }
}

fn address(address::Event::Assigned(assigned): &address::Event) -> Encoded {
    shape!(AddressAssignedV1 {
        account: assigned.account.0,
        key: assigned.key.as_str().to_owned(),
        index: assigned.index,
        address: assigned.address.text.clone(),
        destination: assigned.address.destination.as_str().to_owned(),
        at: assigned.at.millis(),
    })
}

fn chain(event: &chain::Event) -> Encoded {
    match event {
        chain::Event::Scanned { block, at } => shape!(ChainScannedV1 { height: block.height, hash: block.hash.clone(), at: at.millis() }),
        chain::Event::Forked { block, at } => shape!(ChainForkedV1 { height: block.height, hash: block.hash.clone(), at: at.millis() }),
    }
}

fn number(event: &number::Event) -> Encoded {
    match event {
        number::Event::Listed { listing, at } => write_source::listed(listing, *at),
        number::Event::Retired { reason, at } => write_source::retired(reason, *at),
        number::Event::SmsKept(sms) => kept(sms),
        number::Event::PartKept { part, opened_at } => {
            let (alphabet, locking, single) = match part.alphabet {
                number::Alphabet::Gsm(locking, single) => (0, locking, single),
                number::Alphabet::Latin1 => (1, 0, 0),
                number::Alphabet::Utf16 => (2, 0, 0),
                number::Alphabet::Utf8 => (3, 0, 0),
            };
            shape!(NumberPartKeptV1 {
                supplier: part.supplier.to_string(),
                sender: part.sender.clone(),
                reference: part.reference,
                number: part.number,
                total: part.total,
                alphabet: alphabet,
                locking: locking,
                single: single,
                bytes: part.bytes.clone(),
                received_at: part.received_at.millis(),
                opened_at: opened_at.millis(),
                at: part.at.millis(),
            })
        }
        number::Event::PartsJoined { set, is_whole, at } => shape!(NumberPartsJoinedV1 {
            supplier: set.supplier.to_string(),
            sender: set.sender.clone(),
            reference: set.reference,
            total: set.total,
            opened_at: set.opened_at.millis(),
            is_whole: *is_whole,
            at: at.millis(),
        }),
    }
}

fn kept(sms: &number::KeptSms) -> Encoded {
    shape!(NumberSmsKeptV1 {
        message_id: sms.message_id.clone(),
        supplier: sms.supplier.to_string(),
        sender: sms.sender.clone(),
        text: sms.text.clone(),
        received_at: sms.received_at.millis(),
        why: match sms.why {
            number::Unclaimed::UnknownNumber => 0,
            number::Unclaimed::NotAssigned => 1,
            number::Unclaimed::OrderEnded => 2,
            number::Unclaimed::TooManyMessages => 3,
        },
        at: sms.at.millis(),
    })
}
