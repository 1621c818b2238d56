//! The policy as processes use it: read at each order without asking the store, written one version
//! after the other.

use std::sync::Arc;

use events::envelope::{Actor as Who, StreamId};
use events::policy::{Command, InForce, Refusal, State};

use crate::kernel::entity::TransactError;
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::kernel::singleton::Singleton;

/// The service's policy. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Policies {
    policy: Arc<Singleton<State>>,
}

impl Policies {
    /// The policy as the log has it.
    pub async fn open(journal: Journal) -> Result<Self, Fault> {
        let policy = Arc::new(Singleton::open(journal, StreamId::policy()).await?);
        Ok(Self { policy })
    }

    /// What orders are judged by now.
    pub fn in_force(&self) -> Arc<InForce> {
        self.policy.with(|known| Arc::clone(&known.in_force))
    }

    /// The same, with who applied it.
    pub fn state(&self) -> State {
        self.policy.state()
    }

    /// Has a command decided; orders are judged by its outcome once that is durable.
    pub async fn transact(
        &self,
        command: &Command,
        who: Who,
    ) -> Result<State, TransactError<Refusal>> {
        let Command::Apply { at, .. } = command;
        self.policy.transact(command, who, *at).await
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> events::time::Timestamp {
        self.policy.now()
    }
}
