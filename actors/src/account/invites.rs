//! The operator's invites as processes use them: looked up without asking the store, written one
//! after the other.

use std::sync::Arc;

use events::envelope::{Actor as Who, StreamId};
use events::id::{AccountId, InviteId};
use events::invite::{Command, Refusal, State};
use events::time::Timestamp;

use crate::kernel::entity::TransactError;
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::kernel::singleton::Singleton;

/// The invites. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Invites {
    invites: Arc<Singleton<State>>,
}

impl Invites {
    /// The invites as the log has them.
    pub async fn open(journal: Journal) -> Result<Self, Fault> {
        let invites = Arc::new(Singleton::open(journal, StreamId::invites()).await?);
        Ok(Self { invites })
    }

    /// All of them.
    pub fn all(&self) -> State {
        self.invites.state()
    }

    /// Whether a code's hash opens an account now. One that does not costs no write.
    pub fn is_valid(&self, hash: &[u8; 32]) -> bool {
        let now = self.now();
        self.invites
            .with(|known| known.of_hash(hash).is_some_and(|(_, invite)| invite.left(now) > 0))
    }

    /// Uses an invite for an account; the invite's id, once that is durable.
    pub async fn take(
        &self,
        hash: [u8; 32],
        account: AccountId,
    ) -> Result<InviteId, TransactError<Refusal>> {
        let at = self.now();
        let known = self.transact(&Command::Use { hash, account, at }, Who::Owner, at).await?;
        known.of_hash(&hash).map(|(id, _)| id).ok_or(TransactError::Refused(Refusal::NotValid))
    }

    /// Has a command decided; the invites are as it leaves them once that is durable.
    pub async fn transact(
        &self,
        command: &Command,
        who: Who,
        at: Timestamp,
    ) -> Result<State, TransactError<Refusal>> {
        self.invites.transact(command, who, at).await
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> Timestamp {
        self.invites.now()
    }
}
