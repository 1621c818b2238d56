//! An aggregate that the whole service has one of: read without asking the store, written one
//! command after the other.

use events::decider::Aggregate;
use events::envelope::{Actor as Who, StreamId};
use events::time::Timestamp;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::entity::{Entity, TransactError};
use super::fault::Fault;
use super::journal::Journal;

/// The one aggregate of a stream; a clone of its state is cheap.
#[derive(Debug)]
pub struct Singleton<S> {
    journal: Journal,
    entity: Mutex<Entity<S>>,
    published: RwLock<S>,
}

impl<S: Aggregate + Clone> Singleton<S> {
    /// The aggregate as the log has it.
    pub async fn open(journal: Journal, stream: StreamId) -> Result<Self, Fault> {
        let entity = journal.load::<S>(stream).await?;
        let published = RwLock::new(entity.state().clone());
        Ok(Self { journal, entity: Mutex::new(entity), published })
    }

    /// Its state, as the last command that is durable has left it.
    pub fn state(&self) -> S {
        self.published.read().clone()
    }

    /// Looks at its state, which nobody changes meanwhile: briefly.
    pub fn with<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.published.read())
    }

    /// Has a command decided; the state is as it leaves it once that is durable.
    pub async fn transact(
        &self,
        command: &S::Command,
        who: Who,
        at: Timestamp,
    ) -> Result<S, TransactError<S::Refusal>> {
        let mut entity = self.entity.lock().await;
        let decided = self.journal.transact(&mut entity, command, who, at).await;
        // Also what a failed append has left in the log.
        *self.published.write() = entity.state().clone();
        decided.map(|_| entity.state().clone())
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> Timestamp {
        self.journal.now()
    }
}
