//! A caller's word on an order: what may be said of it, and whether what was paid for its code may
//! be given back.

use std::time::Duration;

use super::event::{Complaint, Event, Sms};
use super::refusal::Refusal;
use super::state::{State, Status};
use crate::code::Reason;
use crate::platform::Platform;
use crate::time::Timestamp;

/// How long after its deadline an order may still be reported.
pub const REPORTED_WITHIN: Duration = Duration::from_hours(1);

impl State {
    /// What the caller has said of it so far.
    pub fn complaints(&self) -> impl Iterator<Item = Complaint> {
        self.history.iter().filter_map(|fact| {
            if let Event::Reported { complaint, .. } = fact.as_ref() {
                Some(*complaint)
            } else {
                None
            }
        })
    }

    pub(super) fn report(
        &self,
        complaint: Complaint,
        at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if self.complaints().any(|known| known == complaint) {
            return Ok(Vec::new());
        }
        // An order that never had a number has nothing to complain of.
        let expires_at = self.expires_at.ok_or(Refusal::NothingToReport)?;
        let fits = match complaint {
            Complaint::WrongCode => self.status == Status::Completed,
            Complaint::NoCode => self.status != Status::Completed,
            Complaint::NumberUsed => true,
        };
        if !fits || at > expires_at.plus(REPORTED_WITHIN) {
            return Err(Refusal::NothingToReport);
        }
        Ok(vec![Event::Reported { complaint, at }])
    }

    /// Whether its code can be nobody's but a stranger's: while the number is on it, no message of
    /// its platform has come. One that names its platform settles it for good, whatever was read in
    /// it; so a caller who has the real code cannot have the money too.
    pub fn has_only_strangers_messages(&self) -> bool {
        self.is_listening() && !self.messages().any(|sms| is_of(sms, self.placed.platform))
    }
}

/// Whether the message says that it is the platform's: in its text, or by its sender's name.
fn is_of(sms: &Sms, platform: Platform) -> bool {
    let names = |text: &str| {
        let text = text.to_lowercase();
        text.contains(&platform.name().to_lowercase()) || text.contains(platform.slug())
    };
    let reasons = sms.extraction.candidates.iter().flat_map(|candidate| &candidate.reasons);
    names(&sms.text)
        || names(&sms.sender)
        || reasons
            .into_iter()
            .any(|reason| matches!(reason, Reason::BrandInMessage | Reason::SenderPrefix))
}
