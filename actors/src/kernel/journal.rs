//! How processes load an aggregate and have a command decided: a store, a clock and a source of
//! chance, handed over together. A bookkeeper alone transacts by itself, for its callers' retries
//! keep the id that they came with.

use std::sync::Arc;

use events::decider::Aggregate;
use events::envelope::{Actor, StreamId};
use events::time::Timestamp;

use super::clock::Clock;
use super::entity::{Committed, Context, Entity, TransactError};
use super::entropy::Entropy;
use super::fault::Fault;
use crate::store::EventStore;

/// The log, as processes use it. Cloning shares it.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn EventStore>,
    clock: Clock,
    entropy: Entropy,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Journal {
    /// A journal over a store, with the clock that stamps its records and the chance that makes its
    /// ids.
    pub fn new(store: Arc<dyn EventStore>, clock: Clock, entropy: Entropy) -> Self {
        Self { store, clock, entropy }
    }

    /// The aggregate of a stream, as it is in the store.
    pub async fn load<S: Aggregate>(&self, stream: StreamId) -> Result<Entity<S>, Fault> {
        Entity::load(Arc::clone(&self.store), stream).await
    }

    /// An aggregate that does not exist yet, without looking: the first append finds out.
    pub fn absent<S: Aggregate>(&self, stream: StreamId) -> Entity<S> {
        Entity::absent(Arc::clone(&self.store), stream)
    }

    /// Has the aggregate decide `command`; answers once what it makes happen is durable. After a
    /// fault the entity knows again what the store holds, as far as that can be read.
    pub async fn transact<S: Aggregate>(
        &self,
        entity: &mut Entity<S>,
        command: &S::Command,
        actor: Actor,
        at: Timestamp,
    ) -> Result<Committed<S::Event>, TransactError<S::Refusal>> {
        let outcome = entity.transact(command, &self.context(actor, at)).await;
        if let Err(TransactError::Fault(fault)) = &outcome {
            let refreshed = entity.refresh().await;
            // What is unknown stays so where the log cannot be read either; the entity reads it
            // before it decides anything.
            if !matches!(fault, Fault::Unknown(_)) {
                refreshed?;
            }
        }
        outcome
    }

    /// Who wants something now, under a fresh id.
    pub fn context(&self, actor: Actor, at: Timestamp) -> Context {
        Context { command: self.entropy.command_id(at), actor, at }
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The source of chance.
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }
}
