//! The policy as processes use it: read at each order without asking the store, written one version
//! after the other.

use std::sync::Arc;

use events::envelope::{Actor as Who, StreamId};
use events::policy::{Command, InForce, Refusal, State};
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;

/// The service's policy. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Policies {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: Journal,
    entity: Mutex<Entity<State>>,
    published: RwLock<State>,
}

impl Policies {
    /// The policy as the log has it.
    pub async fn open(journal: Journal) -> Result<Self, Fault> {
        let entity = journal.load::<State>(StreamId::policy()).await?;
        let published = RwLock::new(entity.state().clone());
        Ok(Self { inner: Arc::new(Inner { journal, entity: Mutex::new(entity), published }) })
    }

    /// What orders are judged by now.
    pub fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.inner.published.read().in_force)
    }

    /// The same, with who applied it.
    pub fn state(&self) -> State {
        self.inner.published.read().clone()
    }

    /// Has a command decided; orders are judged by its outcome once that is durable.
    pub async fn transact(
        &self,
        command: &Command,
        who: Who,
    ) -> Result<State, TransactError<Refusal>> {
        let mut entity = self.inner.entity.lock().await;
        let Command::Apply { at, .. } = command;
        let decided = self.inner.journal.transact(&mut entity, command, who, *at).await;
        // Also what a failed append has left in the log.
        *self.inner.published.write() = entity.state().clone();
        decided.map(|_| entity.state().clone())
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> events::time::Timestamp {
        self.inner.journal.now()
    }
}
