//! An order's event -> its name, version and bytes.

use super::frozen::{
    CandidateV1, OrderAttemptFailedV1, OrderCancelledV1, OrderCodeReplacedV1, OrderCompletedV2, OrderExpiredV1, OrderFailedV1, OrderFinishedV1,
    OrderNumberAssignedV1, OrderNumberReportedDeadV1, OrderPlacedV2, OrderQueuedV1, OrderRefundedV1, OrderReportedV1, OrderSmsReceivedV1,
    OrderSmsRepeatedV1, OrderStartedV1,
};
use super::write::{Encoded, bytes, shape};
use crate::code::{Candidate, Verdict};
use crate::id::OrderId;
use crate::order::{self, AttemptFailure, Complaint, FailureReason, Sms};

pub(super) fn order(id: OrderId, event: &order::Event) -> Encoded {
    let order = id.0;
    match event {
        order::Event::Placed(placed) => shape!(OrderPlacedV2 {
            order: order,
            platform: placed.platform.slug().to_owned(),
            country: placed.country.code().to_owned(),
            list_price: placed.list_price.micros(),
            price: placed.price.micros(),
            lifetime_seconds: placed.lifetime_seconds,
            seek_seconds: placed.seek_seconds,
            max_attempts: placed.max_attempts,
            listen_seconds: placed.listen_seconds,
            at: placed.at.millis(),
        }),
        order::Event::Queued { at } => shape!(OrderQueuedV1 { order: order, at: at.millis() }),
        order::Event::Started { at } => shape!(OrderStartedV1 { order: order, at: at.millis() }),
        order::Event::AttemptFailed { attempt, supplier, reason, at } => shape!(OrderAttemptFailedV1 {
            order: order,
            attempt: *attempt,
            supplier: supplier.to_string(),
            reason: attempt_failure(*reason),
            at: at.millis(),
        }),
        order::Event::NumberAssigned { attempt, supplier, phone, expires_at, at } => shape!(OrderNumberAssignedV1 {
            order: order,
            attempt: *attempt,
            supplier: supplier.to_string(),
            phone: phone.as_str().to_owned(),
            expires_at: expires_at.millis(),
            at: at.millis(),
        }),
        order::Event::NumberReportedDead { attempt, supplier, at } => {
            shape!(OrderNumberReportedDeadV1 { order: order, attempt: *attempt, supplier: supplier.to_string(), at: at.millis() })
        }
        order::Event::SmsReceived(sms) => received(id, sms),
        order::Event::SmsRepeated { message_id, supplier, repeats, received_at, at } => shape!(OrderSmsRepeatedV1 {
            order: order,
            message_id: message_id.clone(),
            supplier: supplier.to_string(),
            repeats: repeats.clone(),
            received_at: received_at.millis(),
            at: at.millis(),
        }),
        order::Event::Completed { code, message_id, listens_until, at } => shape!(OrderCompletedV2 {
            order: order,
            code: code.clone(),
            message_id: message_id.clone(),
            listens_until: listens_until.millis(),
            at: at.millis(),
        }),
        order::Event::CodeReplaced { code, message_id, at } => {
            shape!(OrderCodeReplacedV1 { order: order, code: code.clone(), message_id: message_id.clone(), at: at.millis() })
        }
        order::Event::Reported { complaint, at } => shape!(OrderReportedV1 { order: order, complaint: reported(*complaint), at: at.millis() }),
        order::Event::Refunded { at } => shape!(OrderRefundedV1 { order: order, at: at.millis() }),
        order::Event::Finished { at } => shape!(OrderFinishedV1 { order: order, at: at.millis() }),
        order::Event::Cancelled { at } => shape!(OrderCancelledV1 { order: order, at: at.millis() }),
        order::Event::Expired { at } => shape!(OrderExpiredV1 { order: order, at: at.millis() }),
        order::Event::Failed { reason, at } => shape!(OrderFailedV1 { order: order, reason: failure_reason(*reason), at: at.millis() }),
    }
}

fn received(id: OrderId, sms: &Sms) -> Encoded {
    let (verdict, found) = verdict(&sms.extraction.verdict);
    shape!(OrderSmsReceivedV1 {
        order: id.0,
        message_id: sms.message_id.clone(),
        supplier: sms.supplier.to_string(),
        sender: sms.sender.clone(),
        text: sms.text.clone(),
        received_at: sms.received_at.millis(),
        verdict: verdict,
        found: found.to_owned(),
        candidates: sms.extraction.candidates.iter().map(candidate).collect(),
        at: sms.at.millis(),
    })
}

fn reported(complaint: Complaint) -> u8 {
    match complaint {
        Complaint::WrongCode => 0,
        Complaint::NoCode => 1,
        Complaint::NumberUsed => 2,
    }
}

fn candidate(candidate: &Candidate) -> CandidateV1 {
    CandidateV1 { code: candidate.code.clone(), score: candidate.score, reasons: candidate.reasons.iter().map(|reason| reason.number()).collect() }
}

/// The verdict's number, and the code or the brand it found.
fn verdict(verdict: &Verdict) -> (u8, &str) {
    match verdict {
        Verdict::Nothing => (0, ""),
        Verdict::Unsure => (1, ""),
        Verdict::Code(code) => (2, code),
        Verdict::OtherBrand(brand) => (3, brand),
    }
}

fn attempt_failure(reason: AttemptFailure) -> u8 {
    match reason {
        AttemptFailure::NoNumber => 0,
        AttemptFailure::SourceError => 1,
        AttemptFailure::TimedOut => 2,
    }
}

fn failure_reason(reason: FailureReason) -> u8 {
    match reason {
        FailureReason::NoSourceLeft => 0,
        FailureReason::AttemptsExhausted => 1,
        FailureReason::SeekingTimedOut => 2,
    }
}
