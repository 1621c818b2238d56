//! The operator's invites as processes use them: looked up without asking the store, written one
//! after the other.

use std::sync::Arc;

use events::envelope::{Actor as Who, StreamId};
use events::id::{AccountId, InviteId};
use events::invite::{Command, Refusal, State};
use events::time::Timestamp;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;

/// The invites. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Invites {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: Journal,
    entity: Mutex<Entity<State>>,
    published: RwLock<Arc<State>>,
}

impl Invites {
    /// The invites as the log has them.
    pub async fn open(journal: Journal) -> Result<Self, Fault> {
        let entity = journal.load::<State>(StreamId::invites()).await?;
        let published = RwLock::new(Arc::new(entity.state().clone()));
        Ok(Self { inner: Arc::new(Inner { journal, entity: Mutex::new(entity), published }) })
    }

    /// All of them.
    pub fn all(&self) -> Arc<State> {
        Arc::clone(&self.inner.published.read())
    }

    /// Whether a code's hash opens an account now. One that does not costs no write.
    pub fn is_valid(&self, hash: &[u8; 32]) -> bool {
        let now = self.now();
        self.all().of_hash(hash).is_some_and(|(_, invite)| invite.left(now) > 0)
    }

    /// Uses an invite for an account; the invite's id, once that is durable.
    pub async fn take(
        &self,
        hash: [u8; 32],
        account: AccountId,
    ) -> Result<InviteId, TransactError<Refusal>> {
        let at = self.now();
        self.transact(&Command::Use { hash, account, at }, Who::Owner, at).await?;
        let all = self.all();
        all.of_hash(&hash).map(|(id, _)| id).ok_or(TransactError::Refused(Refusal::NotValid))
    }

    /// Has a command decided; the invites are as it leaves them once that is durable.
    pub async fn transact(
        &self,
        command: &Command,
        who: Who,
        at: Timestamp,
    ) -> Result<(), TransactError<Refusal>> {
        let mut entity = self.inner.entity.lock().await;
        let decided = self.inner.journal.transact(&mut entity, command, who, at).await;
        // Also what a failed append has left in the log.
        *self.inner.published.write() = Arc::new(entity.state().clone());
        decided.map(drop)
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> Timestamp {
        self.inner.journal.now()
    }
}
