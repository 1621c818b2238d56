//! One aggregate in memory: load -> decide -> append -> evolve. The only caller of `append`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use events::decider::Aggregate;
use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::id::{CommandId, EventId};
use events::time::Timestamp;
use thiserror::Error;

use crate::kernel::fault::Fault;
use crate::store::{
    Append, AppendError, Appended, EventStore, Expected, NewEvent, ReadError, Snapshot,
};

/// Events between two snapshots: replaying fewer takes a few milliseconds.
const EVENTS_BETWEEN_SNAPSHOTS: u64 = 512;
/// Events read at a time.
const PAGE: usize = 1_024;

/// Why a command made nothing happen.
#[derive(Debug, Error)]
pub enum TransactError<R> {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(R),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Who wants something, when, and the id under which its events are recognised.
#[derive(Debug, Clone)]
pub struct Context {
    /// Fresh for each command, the same for its retries.
    pub command: CommandId,
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// What a command made happen.
#[derive(Debug, Clone)]
pub struct Committed<E> {
    /// The facts, durable; none if it was already so.
    pub events: Vec<E>,
    /// Where the aggregate's last append ends in the log.
    pub position: Position,
}

/// An aggregate in memory, as it is in the store.
#[derive(Debug)]
pub struct Entity<S> {
    store: Arc<dyn EventStore>,
    stream: StreamId,
    state: S,
    revision: Option<Revision>,
    last_event: Option<EventId>,
    position: Position,
    snapshot_due: u64,
    /// Whether an append may be in the log that the state does not have: nothing is decided before
    /// the stream was read again.
    is_unsettled: bool,
}

/// What became of one decision.
enum Attempt<E> {
    /// It is durable.
    Committed(Committed<E>),
    /// Nothing of it is in the log, for this reason; on the state as it is now it may be decided
    /// again.
    NotWritten(AppendError),
}

impl<S: Aggregate> Entity<S> {
    /// An aggregate that does not exist yet, without looking: the first append finds out.
    pub fn absent(store: Arc<dyn EventStore>, stream: StreamId) -> Self {
        Self {
            store,
            stream,
            state: S::default(),
            revision: None,
            last_event: None,
            position: Position(0),
            snapshot_due: EVENTS_BETWEEN_SNAPSHOTS,
            is_unsettled: false,
        }
    }

    /// The aggregate as it is in the store: from its snapshot, if it has one, and the events after
    /// it.
    pub async fn load(store: Arc<dyn EventStore>, stream: StreamId) -> Result<Self, Fault> {
        let mut entity = Self::absent(store, stream);
        entity.start_from_snapshot().await?;
        entity.catch_up().await?;
        Ok(entity)
    }

    /// The state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Where its last append ends in the log.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Where the stream ends; `None` if it has no event.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// Decides, appends, evolves. Where the append was not written because the stream has gone on,
    /// or nobody knew whether it was and it turns out not to be, it reloads and decides once more,
    /// under the same event ids.
    pub async fn transact(
        &mut self,
        command: &S::Command,
        context: &Context,
    ) -> Result<Committed<S::Event>, TransactError<S::Refusal>> {
        if self.is_unsettled {
            self.catch_up().await?;
        }
        if let Attempt::Committed(committed) = self.attempt(command, context).await? {
            return Ok(committed);
        }
        self.catch_up().await?;
        match self.attempt(command, context).await? {
            Attempt::Committed(committed) => Ok(committed),
            Attempt::NotWritten(error) => Err(TransactError::Fault(error.into())),
        }
    }

    /// Learns what the store holds after a failure that left it unknown.
    pub async fn refresh(&mut self) -> Result<(), Fault> {
        self.catch_up().await
    }

    /// Makes the state anew of its events, as the store gives them now.
    pub async fn reload(&mut self) -> Result<(), Fault> {
        let mut anew = Self::absent(Arc::clone(&self.store), self.stream.clone());
        anew.catch_up().await?;
        *self = anew;
        Ok(())
    }

    async fn attempt(
        &mut self,
        command: &S::Command,
        context: &Context,
    ) -> Result<Attempt<S::Event>, TransactError<S::Refusal>> {
        let events = guarded(&self.stream, || self.state.decide(command))?
            .map_err(TransactError::Refused)?;
        if events.is_empty() {
            return Ok(Attempt::Committed(Committed { events, position: self.position }));
        }
        let metadata = Metadata {
            causation: context.command,
            correlation: None,
            actor: context.actor.clone(),
            at: context.at,
        };
        let append = || Append {
            stream: self.stream.clone(),
            expected: Expected::after(self.revision),
            events: events
                .iter()
                .enumerate()
                .map(|(index, event)| NewEvent::new(index, event.clone().into(), &metadata))
                .collect(),
        };
        let last_event = Some(context.command.event(events.len() - 1));
        let mut outcome = self.store.append(append()).await;
        if let Err(AppendError::NotWritten(_) | AppendError::Away(_)) = outcome {
            // What failed for a moment is tried once more, as it is.
            outcome = self.store.append(append()).await;
        }
        if let Err(AppendError::Unknown(detail)) = outcome {
            match self.settled(events.len(), context).await {
                Ok(Some(appended)) => outcome = Ok(appended),
                Ok(None) => return Ok(Attempt::NotWritten(AppendError::NotWritten(detail))),
                Err(_) => return Err(TransactError::Fault(AppendError::Unknown(detail).into())),
            }
        }
        match outcome {
            Ok(appended) => {
                for event in &events {
                    self.evolve(event)?;
                }
                self.revision = Some(appended.revision);
                self.position = appended.position;
                self.last_event = last_event;
                self.snapshot_if_due();
                Ok(Attempt::Committed(Committed { events, position: appended.position }))
            }
            Err(error @ AppendError::Conflict { .. }) => Ok(Attempt::NotWritten(error)),
            Err(error) => Err(TransactError::Fault(error.into())),
        }
    }

    /// Asks the log whether it has an append of which the store could not say so: all of it stands
    /// where it was to stand, or nothing does.
    async fn settled(
        &mut self,
        events: usize,
        context: &Context,
    ) -> Result<Option<Appended>, ReadError> {
        self.is_unsettled = true;
        let from = Expected::after(self.revision).next();
        let read = self.store.read_stream(self.stream.clone(), from, events).await?;
        self.is_unsettled = false;
        let is_ours = read.first().is_some_and(|first| first.id == context.command.event(0));
        let last = read.last().filter(|_| is_ours);
        Ok(last.map(|last| Appended { revision: last.revision, position: last.position }))
    }

    /// A state that cannot take the event is forgotten with everything known of it: the next load
    /// starts from the log.
    fn evolve(&mut self, event: &S::Event) -> Result<(), Fault> {
        let state = std::mem::take(&mut self.state);
        match guarded(&self.stream, || state.evolve(event)) {
            Ok(state) => {
                self.state = state;
                Ok(())
            }
            Err(fault) => {
                *self = Self::absent(Arc::clone(&self.store), self.stream.clone());
                Err(fault)
            }
        }
    }

    async fn start_from_snapshot(&mut self) -> Result<(), Fault> {
        let Some(snapshot) = self.store.load_snapshot(self.stream.clone()).await else {
            return Ok(());
        };
        // The snapshot counts only if its last event is the one that stands there in this log.
        let record = self.store.read_stream(self.stream.clone(), snapshot.revision, 1).await?;
        let record = record.first().filter(|record| record.id == snapshot.last_event);
        let state = guarded(&self.stream, || S::from_snapshot(&snapshot.bytes)).ok().flatten();
        let (Some(record), Some(state)) = (record, state) else {
            self.store.ignored_snapshot(&self.stream);
            return Ok(());
        };
        self.state = state;
        self.revision = Some(snapshot.revision);
        self.last_event = Some(record.id);
        self.position = record.position;
        self.snapshot_due = snapshot.revision.0 + EVENTS_BETWEEN_SNAPSHOTS;
        Ok(())
    }

    async fn catch_up(&mut self) -> Result<(), Fault> {
        loop {
            let from = Expected::after(self.revision).next();
            let page = self.store.read_stream(self.stream.clone(), from, PAGE).await?;
            let read = page.len();
            for record in page {
                if let Ok(event) = S::Event::try_from(record.event) {
                    self.evolve(&event)?;
                }
                self.revision = Some(record.revision);
                self.position = record.position;
                self.last_event = Some(record.id);
            }
            if read < PAGE {
                self.is_unsettled = false;
                self.snapshot_if_due();
                return Ok(());
            }
        }
    }

    fn snapshot_if_due(&mut self) {
        let (Some(revision), Some(last_event)) = (self.revision, self.last_event) else { return };
        if revision.0 < self.snapshot_due {
            return;
        }
        self.snapshot_due = revision.0 + EVENTS_BETWEEN_SNAPSHOTS;
        if let Some(bytes) = self.state.snapshot() {
            self.store.save_snapshot(self.stream.clone(), Snapshot { revision, last_event, bytes });
        }
    }
}

/// Runs what the domain says of a state. A state that no command can have led to may break a rule
/// it relies on; that ends this stream's service, and nobody else's.
fn guarded<T>(stream: &StreamId, run: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        let detail = text.unwrap_or_else(|| "a rule was broken".to_owned());
        tracing::error!(%stream, detail, "a stream's state is damaged; it is not served");
        Fault::Damaged { stream: stream.as_str().into(), detail: detail.into() }
    })
}

#[cfg(test)]
mod tests {
    use events::decider::Decider;

    use super::*;
    use crate::store::memory::MemoryStore;

    /// Counts, and breaks at the number that no command leads to.
    #[derive(Debug, Default)]
    struct Fragile(u64);

    impl Decider for Fragile {
        type Command = bool;
        type Event = events::account::Event;
        type Refusal = ();

        fn decide(&self, command: &bool) -> Result<Vec<Self::Event>, ()> {
            assert!(*command, "a rule of the decision");
            let (reason, at) = (String::new(), Timestamp::from_millis(1));
            Ok(vec![events::account::Event::Credited {
                amount: events::money::Money::from_cents(1),
                reason,
                at,
            }])
        }

        fn evolve(self, _event: &Self::Event) -> Self {
            assert!(self.0 < 2, "a rule of the state");
            Self(self.0 + 1)
        }
    }

    fn context(command: u128) -> Context {
        Context {
            command: CommandId(command << 8),
            actor: Actor::Service,
            at: Timestamp::from_millis(1),
        }
    }

    #[tokio::test]
    async fn a_state_that_breaks_a_rule_is_a_fault_and_no_panic() {
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::default());
        let stream = StreamId::account(events::id::AccountId(1));
        let mut entity = Entity::<Fragile>::load(Arc::clone(&store), stream.clone()).await.unwrap();
        let refused = entity.transact(&false, &context(1)).await;
        assert!(
            matches!(&refused, Err(TransactError::Fault(fault)) if fault.is_damage()),
            "{refused:?}"
        );
        for command in 2..4 {
            entity.transact(&true, &context(command)).await.unwrap();
        }
        let broken = entity.transact(&true, &context(4)).await;
        assert!(
            matches!(&broken, Err(TransactError::Fault(fault)) if fault.is_damage()),
            "{broken:?}"
        );
        assert_eq!(entity.revision(), None, "nothing of a broken state is kept");
        assert!(entity.refresh().await.is_err_and(|fault| fault.is_damage()));
        let loaded = Entity::<Fragile>::load(store, stream).await;
        assert!(matches!(loaded, Err(Fault::Damaged { .. })), "{loaded:?}");
    }
}
