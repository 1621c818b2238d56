//! The book-keeper: the only writer of one account's stream.

use std::sync::Arc;

use events::account::{Command, Event, Refusal, State};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{oneshot, watch};

use super::handle::{Entry, Published};
use super::listener::Listeners;
use crate::kernel::entity::{Committed, Context, Entity, TransactError};
use crate::kernel::registry::Registry;
use events::id::AccountId;

/// What the caller of a command gets.
pub type Answer = Result<Committed<Event>, TransactError<Refusal>>;

/// What a book-keeper can be asked. Small: mailboxes are made of these.
pub enum Message {
    /// Decide, append, publish, answer.
    Transact(Box<(Command, Context, oneshot::Sender<Answer>)>),
    /// Make the state anew of the log, and say when that is done.
    Reload(oneshot::Sender<()>),
    /// Leave memory, if nobody watches.
    Passivate,
}

/// The behaviour; the state is `BookkeeperState`.
pub struct Bookkeeper;

/// What a book-keeper has before it.
pub struct BookkeeperState {
    account: AccountId,
    entity: Entity<State>,
    published: watch::Sender<Arc<Published>>,
    registry: Arc<Registry<AccountId, Entry>>,
    listeners: Arc<Listeners>,
}

impl BookkeeperState {
    /// The state of an account as it was loaded.
    pub fn new(
        account: AccountId,
        entity: Entity<State>,
        published: watch::Sender<Arc<Published>>,
        registry: Arc<Registry<AccountId, Entry>>,
        listeners: Arc<Listeners>,
    ) -> Self {
        Self { account, entity, published, registry, listeners }
    }

    /// Reads on from the store; leaves, if that fails too, so that the next book-keeper starts from
    /// what is there.
    async fn learn(&mut self, myself: &ActorRef<Message>) {
        if self.entity.refresh().await.is_ok() {
            self.publish();
            return self.listeners.learned(self.account, self.entity.state());
        }
        self.leave(myself);
    }

    /// Whoever asks from now on finds another book-keeper, which starts from the log.
    fn leave(&self, myself: &ActorRef<Message>) {
        self.registry.remove_if(self.account, |entry| entry.is(myself));
        let _ = myself.drain();
    }

    /// Shows what the entity has learned from the log, if that is more than is shown.
    fn show(&self) {
        if self.published.borrow().revision != self.entity.revision() {
            self.publish();
            self.listeners.learned(self.account, self.entity.state());
        }
    }

    fn publish(&self) {
        self.published.send_replace(Arc::new(Published::of(&self.entity)));
    }
}

impl Actor for Bookkeeper {
    type Msg = Message;
    type State = BookkeeperState;
    type Arguments = BookkeeperState;

    async fn pre_start(
        &self,
        _myself: ActorRef<Message>,
        state: BookkeeperState,
    ) -> Result<BookkeeperState, ActorProcessingErr> {
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut BookkeeperState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Transact(request) => {
                let (command, context, reply) = *request;
                // Boxed, so that an actor at rest is as small as its mailbox and not as its largest
                // step.
                let answer = Box::pin(state.entity.transact(&command, &context)).await;
                match &answer {
                    Ok(committed) if !committed.events.is_empty() => {
                        state.publish();
                        state.listeners.committed(state.account, &committed.events);
                    }
                    // Nothing follows; but what it was decided on may be news: one who was here
                    // before has written it while this one had been started already.
                    Ok(_) | Err(TransactError::Refused(_)) => state.show(),
                    // What the store holds now is unknown: learn it before anything else is decided
                    // or shown.
                    Err(TransactError::Fault(_)) => state.learn(&myself).await,
                }
                // A caller that has hung up changes nothing: the facts are in the log.
                let _ = reply.send(answer);
            }
            Message::Reload(done) => {
                match Box::pin(state.entity.reload()).await {
                    Ok(()) => state.publish(),
                    Err(_) => state.leave(&myself),
                }
                let _ = done.send(());
            }
            Message::Passivate => {
                // The registry's own receiver is one; any other is somebody who waits for news.
                if state.published.receiver_count() <= 1 {
                    state.registry.remove_if(state.account, |entry| entry.is(&myself));
                    // Whoever still holds this actor gets an error for what it sends from now on,
                    // and finds the next one.
                    let _ = myself.drain();
                }
            }
        }
        Ok(())
    }
}
