//! How a number is obtained: under an intent that is recorded before the source is asked, with what
//! it answers recorded before the order has it.

use std::sync::Arc;

use events::envelope::Actor as Who;
use events::id::OrderId;
use events::lease::{Command, LeaseId, Outcome, Request, Status};
use events::order::AttemptFailure;
use events::phone::Phone;
use events::time::Timestamp;

use super::source::{Leased, SourceError};
use super::supplier::Inner;
use actors::kernel::entity::TransactError;
use actors::kernel::fault::Fault;
use actors::numbers::{AttemptRequest, NumberRequest};

impl Inner {
    /// The number for an attempt: the one leased before under its reference, or a new one.
    pub(super) async fn obtain(
        inner: &Arc<Self>,
        asked: AttemptRequest,
    ) -> Result<Phone, AttemptFailure> {
        let NumberRequest { platform, country, .. } = asked.wanted;
        let id = LeaseId {
            supplier: inner.settings.name.clone(),
            order: asked.order,
            attempt: asked.attempt,
        };
        let at = inner.journal.now();
        let seek = Command::Seek {
            request: Request { id: id.clone(), account: asked.account, platform, country },
            at,
        };
        let mut lease = inner.load(&id).await.map_err(|fault| failure(&id, &fault))?;
        match inner.transact(&mut lease, &seek, Who::Service).await {
            Ok(()) => {}
            // Released meanwhile, or declined before a crash: the attempt is over.
            Err(TransactError::Refused(_)) => return Err(AttemptFailure::SourceError),
            Err(TransactError::Fault(fault)) => return Err(failure(&id, &fault)),
        }
        // From here on somebody looks after it, whatever becomes of this call.
        Self::keep(inner, &id, None).await.map_err(|fault| failure(&id, &fault))?;
        if let (Status::Obtained, Some(phone)) = (lease.state().status, lease.state().phone.clone())
        {
            return Ok(phone);
        }
        let asking = Asking::new(inner, (asked.order, asked.attempt));
        let answer = inner.source.lease(id.reference(), platform, country).await;
        let at = inner.journal.now();
        let (command, answer) = inner.read(answer, asked.wanted, at);
        let recorded = inner.transact(&mut lease, &command, inner.as_supplier()).await;
        drop(asking);
        let _ = Self::keep(inner, &id, None).await;
        match (recorded, answer) {
            (Ok(()), Ok(phone)) => {
                inner.held.lock().insert(phone.clone());
                Ok(phone)
            }
            (Ok(()), Err(failure)) => Err(failure),
            (Err(TransactError::Refused(_)), _) => Err(AttemptFailure::SourceError),
            (Err(TransactError::Fault(fault)), _) => Err(failure(&id, &fault)),
        }
    }

    /// What is recorded of the source's answer, and what the attempt is told.
    fn read(
        &self,
        answer: Result<Leased, SourceError>,
        wanted: NumberRequest,
        at: Timestamp,
    ) -> (Command, Result<Phone, AttemptFailure>) {
        let give_back = || Command::SeekRelease { outcome: Outcome::Unused, at };
        let supplier = &self.settings.name;
        match answer {
            Ok(leased) => match self.judge(&leased, wanted) {
                None => (
                    Command::Obtain { phone: leased.phone.clone(), cost: leased.cost, at },
                    Ok(leased.phone),
                ),
                Some(what) => {
                    tracing::warn!(
                        %supplier, number = leased.phone.masked(), what,
                        "a source has leased a number that is not taken"
                    );
                    (give_back(), Err(AttemptFailure::SourceError))
                }
            },
            Err(SourceError::NoNumber) => (Command::Decline { at }, Err(AttemptFailure::NoNumber)),
            Err(error @ (SourceError::Refused(_) | SourceError::Unknown)) => {
                tracing::warn!(%supplier, %error, "a source refuses to lease a number");
                (Command::Decline { at }, Err(AttemptFailure::SourceError))
            }
            // The source may have leased a number: the lease's process gives it back by reference.
            Err(SourceError::TimedOut) => (give_back(), Err(AttemptFailure::TimedOut)),
            Err(error @ SourceError::Failed(_)) => {
                tracing::warn!(
                    %supplier, %error, "a source does not say whether it has leased a number"
                );
                (give_back(), Err(AttemptFailure::SourceError))
            }
        }
    }

    /// Why a number cannot be taken; `None` if it can.
    fn judge(&self, leased: &Leased, wanted: NumberRequest) -> Option<&'static str> {
        if !wanted.country.has(&leased.phone) {
            return Some("it is another country's");
        }
        if self.held.lock().contains(&leased.phone) {
            return Some("it is on another order");
        }
        let served_at = |phone: Phone| self.served.lock().get(&(phone, wanted.platform)).copied();
        let erased = self.pseudonym.get().map(|pseudonym| pseudonym(&leased.phone));
        let served = served_at(leased.phone.clone()).max(erased.and_then(served_at));
        let rests = served.is_some_and(|served| served.plus(self.settings.cool_down) > wanted.at);
        rests.then_some("it has served the platform already")
    }
}

/// While the source is being asked.
struct Asking<'a>(&'a Inner, (OrderId, u8));

impl<'a> Asking<'a> {
    fn new(inner: &'a Inner, attempt: (OrderId, u8)) -> Self {
        inner.asking.lock().insert(attempt);
        Self(inner, attempt)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.lock().remove(&self.1);
    }
}

fn failure(id: &LeaseId, fault: &Fault) -> AttemptFailure {
    tracing::warn!(lease = ?id, error = %fault, "a lease could not be recorded");
    AttemptFailure::SourceError
}
