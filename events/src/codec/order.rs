//! Facts of an order in bytes. Each stands behind its order's id.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, numbered, records, write};
use crate::code::{Candidate, Extraction, Reason, Sensitive, Verdict as Reading};
use crate::country::Country;
use crate::id::OrderId;
use crate::money::Money;
use crate::order::{AttemptFailure, Complaint, Event, FailureReason, Placed, Scenario, Sms};
use crate::phone::Phone;
use crate::platform::Platform;
use crate::policy::Verdict;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

facts! {
    Event after OrderId;
    fields {
        "OrderScenarioChosen" 1 ScenarioChosen { scenario: Scenario, at: Timestamp }
        "OrderQueued" 1 Queued { at: Timestamp }
        "OrderStarted" 1 Started { at: Timestamp }
        "OrderAttemptFailed" 1 AttemptFailed { attempt: u8, supplier: SupplierName, reason: AttemptFailure, at: Timestamp }
        "OrderNumberAssigned" 1 NumberAssigned {
            attempt: u8, supplier: SupplierName, phone: Phone, expires_at: Timestamp, at: Timestamp,
        }
        "OrderNumberReportedDead" 1 NumberReportedDead { attempt: u8, supplier: SupplierName, at: Timestamp }
        "OrderSmsRepeated" 1 SmsRepeated {
            message_id: String, supplier: SupplierName, repeats: String, received_at: Timestamp, at: Timestamp,
        }
        "OrderSmsHeld" 1 SmsHeld {
            message_id: String, supplier: SupplierName, kinds: Vec<Sensitive>, received_at: Timestamp, at: Timestamp,
        }
        "OrderCompleted" 2 Completed { code: String, message_id: String, listens_until: Timestamp, at: Timestamp }
        "OrderCodeReplaced" 1 CodeReplaced { code: String, message_id: String, at: Timestamp }
        "OrderReported" 1 Reported { complaint: Complaint, at: Timestamp }
        "OrderRefunded" 1 Refunded { at: Timestamp }
        "OrderFinished" 1 Finished { at: Timestamp }
        "OrderCancelled" 1 Cancelled { at: Timestamp }
        "OrderExpired" 1 Expired { at: Timestamp }
        "OrderFailed" 1 Failed { reason: FailureReason, at: Timestamp }
    }
    values {
        "OrderPlaced" 3 Placed(Placed)
        "OrderSmsReceived" 1 SmsReceived(Sms)
    }
    former {
        // Orders gave their numbers back with the code then.
        "OrderPlaced" 1 PlacedV1 => |(platform, country, list_price, price, lifetime, seek, attempts, at)|
            Event::Placed(Placed::thaw((platform, country, list_price, price, lifetime, seek, attempts, 0, None, at))?);
        // Orders were not judged then.
        "OrderPlaced" 2 PlacedV2 => |(platform, country, list_price, price, lifetime, seek, attempts, listen, at)|
            Event::Placed(Placed::thaw((platform, country, list_price, price, lifetime, seek, attempts, listen, None, at))?);
        "OrderCompleted" 1 (String, String, i64) => |(code, message_id, at)|
            Event::Completed { code, message_id, listens_until: Timestamp::from_millis(at), at: Timestamp::from_millis(at) };
    }
    odd {}
    elsewhere {}
}

type PlacedV1 = (String, String, i64, i64, u32, u32, u8, i64);
type PlacedV2 = (String, String, i64, i64, u32, u32, u8, u32, i64);

records! {
    Placed {
        platform: Platform, country: Country, list_price: Money, price: Money, lifetime_seconds: u32, seek_seconds: u32, max_attempts: u8,
        listen_seconds: u32, verdict: Option<Verdict>, at: Timestamp,
    }
    Sms {
        message_id: String, supplier: SupplierName, sender: String, text: String, received_at: Timestamp, extraction: Extraction, at: Timestamp,
    }
    Candidate { code: String, score: i16, reasons: Vec<Reason> }
}

numbered! {
    "reason" AttemptFailure { NoNumber = 0, SourceError = 1, TimedOut = 2 }
    "reason" FailureReason { NoSourceLeft = 0, AttemptsExhausted = 1, SeekingTimedOut = 2, MessageHeld = 3 }
    "scenario" Scenario {
        Code = 0, TwoCodes = 1, LateCode = 2, WrongBrandFirst = 3, NoCode = 4, NoStock = 5, DeadNumber = 6, SupplierDown = 7, WebhookFails = 8,
        DepositReorg = 9,
    }
    "complaint" Complaint { WrongCode = 0, NoCode = 1, NumberUsed = 2 }
}

impl Wire for Reason {
    type Disk = u8;

    fn freeze(&self) -> u8 {
        self.number()
    }

    fn thaw(number: u8) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.number() == number)
            .ok_or_else(|| format!("reason {number}"))
    }
}

impl Wire for Sensitive {
    type Disk = u8;

    fn freeze(&self) -> u8 {
        self.number()
    }

    fn thaw(number: u8) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.number() == number)
            .ok_or_else(|| format!("kind of message {number}"))
    }
}

impl Wire for Extraction {
    /// The verdict's number, the code or the brand that it found, and what could have been the
    /// code.
    type Disk = (u8, String, Vec<<Candidate as Wire>::Disk>);

    fn freeze(&self) -> Self::Disk {
        let (verdict, found) = match &self.verdict {
            Reading::Nothing => (0, ""),
            Reading::Unsure => (1, ""),
            Reading::Code(code) => (2, code.as_str()),
            Reading::OtherBrand(brand) => (3, brand.as_str()),
        };
        (verdict, found.to_owned(), self.candidates.freeze())
    }

    fn thaw((verdict, found, candidates): Self::Disk) -> Result<Self, String> {
        let verdict = match verdict {
            0 => Reading::Nothing,
            1 => Reading::Unsure,
            2 => Reading::Code(found),
            3 => Reading::OtherBrand(found),
            other => return Err(format!("verdict {other}")),
        };
        Ok(Self { verdict, candidates: Vec::thaw(candidates)? })
    }
}
