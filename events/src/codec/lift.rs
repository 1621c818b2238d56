//! Shapes on disk -> today's events: what makes no sense is an error that names the value.

use std::str::FromStr;

use super::account_parts::{effect_of, item_of};
use super::frozen::{
    AccountBatchPlacedV1, AccountCreditedV1, AccountDebitedV1, AccountDepositCreditedV1, AccountDepositReversedV1, AccountDustDroppedV1,
    AccountDustKeptV1, AccountKeyUsedV1, AccountRegisteredV1, AccountReinstatedV1, AccountSuspendedV1, AccountWebhookDueV1, AccountWebhookRemovedV1,
    AccountWebhookSecretRotatedV1, AccountWebhookSetV1, CandidateV1, HoldCapturedV1, HoldReleasedV1, HoldTakenV1, NumberPartKeptV1,
    NumberPartsJoinedV1, NumberSmsKeptV1, OrderAttemptFailedV1, OrderCancelledV1, OrderExpiredV1, OrderFailedV1, OrderNumberAssignedV1,
    OrderNumberReportedDeadV1, OrderQueuedV1, OrderSmsReceivedV1, OrderStartedV1, WebhookAttemptedV1, WebhookDeliveredV1, WebhookExhaustedV1,
    WebhookRedeliveryRequestedV1,
};
use crate::code::{Candidate, Extraction, Reason, Verdict};
use crate::event::Event;
use crate::id::{AccountId, DepositId, OrderId};
use crate::money::Money;
use crate::order::{AttemptFailure, FailureReason, Sms};
use crate::time::Timestamp;
use crate::webhook::{self, Notice, Outcome};
use crate::{account, number, order};

/// A shape on disk, made today's event. The error says which value makes no sense.
pub trait Lift {
    /// Today's event.
    fn lift(self) -> Result<Event, String>;
}

pub(super) fn text<T: FromStr<Err: std::fmt::Display>>(field: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{field}: {error}"))
}

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn of_order(id: u128, event: order::Event) -> Event {
    account::Event::Order(OrderId(id), event).into()
}

impl Lift for AccountRegisteredV1 {
    fn lift(self) -> Result<Event, String> {
        let Self { account, key_hash, webhook_secret, at: millis } = self;
        Ok(account::Event::Registered { id: AccountId(account), key_hash, webhook_secret, at: at(millis) }.into())
    }
}

impl Lift for AccountCreditedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::Credited { amount: Money::from_micros(self.amount), reason: self.reason, at: at(self.at) }.into())
    }
}

impl Lift for AccountDebitedV1 {
    fn lift(self) -> Result<Event, String> {
        let amount = Money::from_micros(self.amount);
        Ok(account::Event::Debited { amount, reason: self.reason, overdraws: self.overdraws, at: at(self.at) }.into())
    }
}

impl Lift for AccountDepositCreditedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::DepositCredited { deposit: DepositId(self.deposit), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for AccountDustKeptV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::DustKept { deposit: DepositId(self.deposit), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for AccountDustDroppedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::DustDropped { deposit: DepositId(self.deposit), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for AccountDepositReversedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::DepositReversed { deposit: DepositId(self.deposit), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for AccountSuspendedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::Suspended { reason: self.reason, at: at(self.at) }.into())
    }
}

impl Lift for AccountReinstatedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::Reinstated { reason: self.reason, at: at(self.at) }.into())
    }
}

impl Lift for AccountBatchPlacedV1 {
    fn lift(self) -> Result<Event, String> {
        let items = self.items.into_iter().map(|item| item_of((item.order, item.refused, item.first, item.second)));
        Ok(account::Event::BatchPlaced { items: items.collect::<Result<_, _>>()?, at: at(self.at) }.into())
    }
}

impl Lift for AccountKeyUsedV1 {
    fn lift(self) -> Result<Event, String> {
        let effect = effect_of(self.effect, self.subject)?;
        Ok(account::Event::KeyUsed { key: text("key", &self.key)?, fingerprint: self.fingerprint, effect, at: at(self.at) }.into())
    }
}

impl Lift for AccountWebhookSetV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::WebhookSet { url: self.url, threshold: Money::from_micros(self.threshold), at: at(self.at) }.into())
    }
}

impl Lift for AccountWebhookRemovedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::WebhookRemoved { at: at(self.at) }.into())
    }
}

impl Lift for AccountWebhookSecretRotatedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::WebhookSecretRotated { secret: self.secret, at: at(self.at) }.into())
    }
}

impl Lift for AccountWebhookDueV1 {
    fn lift(self) -> Result<Event, String> {
        let order = OrderId(self.order);
        let notice = match self.notice {
            0 => Notice::SmsReceived { order, message_id: self.message_id },
            1 => Notice::OrderFailed { order },
            2 => Notice::BalanceLow { balance: Money::from_micros(self.balance), threshold: Money::from_micros(self.threshold) },
            3 => Notice::Test,
            other => return Err(format!("notice {other}")),
        };
        Ok(account::Event::WebhookDue { sequence: self.sequence, notice, at: at(self.at) }.into())
    }
}

impl Lift for WebhookAttemptedV1 {
    fn lift(self) -> Result<Event, String> {
        let outcome = match self.outcome {
            0 => Outcome::Answered(self.status),
            1 => Outcome::TimedOut,
            2 => Outcome::ConnectionFailed,
            3 => Outcome::NotResolved,
            4 => Outcome::TargetRefused,
            5 => Outcome::NoWebhook,
            other => return Err(format!("outcome {other}")),
        };
        let Self { sequence, attempt, millis, next_at, at: moment, .. } = self;
        Ok(webhook::Event::Attempted { sequence, attempt, outcome, millis, next_at: next_at.map(at), at: at(moment) }.into())
    }
}

impl Lift for WebhookDeliveredV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(webhook::Event::Delivered { sequence: self.sequence, at: at(self.at) }.into())
    }
}

impl Lift for WebhookExhaustedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(webhook::Event::Exhausted { sequence: self.sequence, at: at(self.at) }.into())
    }
}

impl Lift for WebhookRedeliveryRequestedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(webhook::Event::RedeliveryRequested { sequence: self.sequence, at: at(self.at) }.into())
    }
}

impl Lift for HoldTakenV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::HoldTaken { order: OrderId(self.order), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for HoldCapturedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::HoldCaptured { order: OrderId(self.order), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for HoldReleasedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::HoldReleased { order: OrderId(self.order), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}

impl Lift for OrderQueuedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::Queued { at: at(self.at) }))
    }
}

impl Lift for OrderStartedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::Started { at: at(self.at) }))
    }
}

impl Lift for OrderAttemptFailedV1 {
    fn lift(self) -> Result<Event, String> {
        let reason = match self.reason {
            0 => AttemptFailure::NoNumber,
            1 => AttemptFailure::SourceError,
            2 => AttemptFailure::TimedOut,
            other => return Err(format!("reason {other}")),
        };
        Ok(of_order(
            self.order,
            order::Event::AttemptFailed { attempt: self.attempt, supplier: text("supplier", &self.supplier)?, reason, at: at(self.at) },
        ))
    }
}

impl Lift for OrderNumberAssignedV1 {
    fn lift(self) -> Result<Event, String> {
        let assigned = order::Event::NumberAssigned {
            attempt: self.attempt,
            supplier: text("supplier", &self.supplier)?,
            phone: text("phone", &self.phone)?,
            expires_at: at(self.expires_at),
            at: at(self.at),
        };
        Ok(of_order(self.order, assigned))
    }
}

impl Lift for OrderNumberReportedDeadV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(
            self.order,
            order::Event::NumberReportedDead { attempt: self.attempt, supplier: text("supplier", &self.supplier)?, at: at(self.at) },
        ))
    }
}

impl Lift for OrderSmsReceivedV1 {
    fn lift(self) -> Result<Event, String> {
        let verdict = match self.verdict {
            0 => Verdict::Nothing,
            1 => Verdict::Unsure,
            2 => Verdict::Code(self.found),
            3 => Verdict::OtherBrand(self.found),
            other => return Err(format!("verdict {other}")),
        };
        let candidates = self.candidates.into_iter().map(candidate).collect::<Result<_, _>>()?;
        let sms = Sms {
            message_id: self.message_id,
            supplier: text("supplier", &self.supplier)?,
            sender: self.sender,
            text: self.text,
            received_at: at(self.received_at),
            extraction: Extraction { verdict, candidates },
            at: at(self.at),
        };
        Ok(of_order(self.order, order::Event::SmsReceived(sms)))
    }
}

fn candidate(shape: CandidateV1) -> Result<Candidate, String> {
    let reason = |number: u8| Reason::ALL.iter().copied().find(|reason| reason.number() == number).ok_or_else(|| format!("reason {number}"));
    let reasons = shape.reasons.into_iter().map(reason).collect::<Result<_, _>>()?;
    Ok(Candidate { code: shape.code, score: shape.score, reasons })
}

impl Lift for OrderCancelledV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::Cancelled { at: at(self.at) }))
    }
}

impl Lift for OrderExpiredV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::Expired { at: at(self.at) }))
    }
}

impl Lift for OrderFailedV1 {
    fn lift(self) -> Result<Event, String> {
        let reason = match self.reason {
            0 => FailureReason::NoSourceLeft,
            1 => FailureReason::AttemptsExhausted,
            2 => FailureReason::SeekingTimedOut,
            other => return Err(format!("reason {other}")),
        };
        Ok(of_order(self.order, order::Event::Failed { reason, at: at(self.at) }))
    }
}

impl Lift for NumberPartKeptV1 {
    fn lift(self) -> Result<Event, String> {
        let alphabet = match self.alphabet {
            0 => number::Alphabet::Gsm(self.locking, self.single),
            1 => number::Alphabet::Latin1,
            2 => number::Alphabet::Utf16,
            3 => number::Alphabet::Utf8,
            other => return Err(format!("alphabet {other}")),
        };
        let part = number::Part {
            supplier: text("supplier", &self.supplier)?,
            sender: self.sender,
            reference: self.reference,
            number: self.number,
            total: self.total,
            alphabet,
            bytes: self.bytes,
            received_at: at(self.received_at),
            at: at(self.at),
        };
        Ok(number::Event::PartKept { part, opened_at: at(self.opened_at) }.into())
    }
}

impl Lift for NumberPartsJoinedV1 {
    fn lift(self) -> Result<Event, String> {
        let supplier = text("supplier", &self.supplier)?;
        let Self { sender, reference, total, is_whole, .. } = self;
        let set = number::SetId { opened_at: at(self.opened_at), supplier, sender, reference, total };
        Ok(number::Event::PartsJoined { set, is_whole, at: at(self.at) }.into())
    }
}

impl Lift for NumberSmsKeptV1 {
    fn lift(self) -> Result<Event, String> {
        let why = match self.why {
            0 => number::Unclaimed::UnknownNumber,
            1 => number::Unclaimed::NotAssigned,
            2 => number::Unclaimed::OrderEnded,
            3 => number::Unclaimed::TooManyMessages,
            other => return Err(format!("why {other}")),
        };
        let sms = number::KeptSms {
            message_id: self.message_id,
            supplier: text("supplier", &self.supplier)?,
            sender: self.sender,
            text: self.text,
            received_at: at(self.received_at),
            why,
            at: at(self.at),
        };
        Ok(number::Event::SmsKept(sms).into())
    }
}
