//! Accounts: finds an account's book-keeper, limits what may wait for it, and reads what it has
//! published.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use events::account::{
    Command, Event, OrderRefusal, Refusal, RegistrationKind, Standing, StandingRefusal, State,
    TestKey,
};
use events::envelope::{Actor as Who, Position, Revision, StreamId};
use events::id::AccountId;
use events::order;
use events::time::Timestamp;
use ractor::{Actor, ActorRef};
use thiserror::Error;
use tokio::sync::{oneshot, watch};

use super::bookkeeper::{Answer, Bookkeeper, BookkeeperState, Message};
use crate::kernel::entity::{Committed, Context, Entity, TransactError};
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::kernel::registry::Registry;
use crate::kernel::supervision::{STEP_RETRY, repeat_every};

use super::listener::{Listener, Listeners};

/// How often idle accounts are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Tries to reach an actor that was just leaving: one, and one more for its successor.
const TRIES: usize = 3;

/// Bounds on what may wait and stay.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Commands that may wait for one account.
    pub max_waiting_per_account: u32,
    /// Commands that may wait in all.
    pub max_waiting: u32,
    /// How long an account nobody asks for stays in memory.
    pub idle: Duration,
    /// Bytes of the log that an account which never had money may cause, if not any number.
    pub unfunded_bytes: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_waiting_per_account: 256,
            max_waiting: 8_192,
            idle: Duration::from_secs(30),
            unfunded_bytes: None,
        }
    }
}

/// An account's state after its last append, free to read.
#[derive(Debug, Clone)]
pub struct Published {
    /// The state.
    pub state: State,
    /// Where that append ends in the log.
    pub position: Position,
    /// Where it ends in the account's stream.
    pub revision: Option<Revision>,
}

impl Published {
    pub(super) fn of(entity: &Entity<State>) -> Self {
        Self {
            state: entity.state().clone(),
            position: entity.position(),
            revision: entity.revision(),
        }
    }
}

/// Whether the effect of a request was there before, under the same idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed(pub bool);

/// There is nothing to read.
#[derive(Debug, Error)]
pub enum AccessError {
    /// No such account.
    #[error("there is no such account")]
    NotFound,
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is needed to talk to a book-keeper.
#[derive(Debug, Clone)]
pub struct Entry {
    actor: ActorRef<Message>,
    published: watch::Receiver<Arc<Published>>,
    waiting: Arc<AtomicU32>,
    last_used: Arc<AtomicI64>,
}

impl Entry {
    pub(super) fn is(&self, actor: &ActorRef<Message>) -> bool {
        self.actor.get_id() == actor.get_id()
    }
}

struct Inner {
    journal: Journal,
    registry: Arc<Registry<AccountId, Entry>>,
    settings: Settings,
    waiting: AtomicU32,
    listeners: Arc<Listeners>,
}

/// The accounts. Cloning shares them.
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts")
            .field("in_memory", &self.inner.registry.len())
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// The accounts in a journal. Starts the task that lets idle ones leave, in the current
    /// runtime.
    pub fn new(journal: Journal, settings: Settings) -> Self {
        let inner = Inner {
            journal,
            registry: Arc::default(),
            settings,
            waiting: AtomicU32::new(0),
            listeners: Arc::default(),
        };
        let accounts = Self { inner: Arc::new(inner) };
        repeat_every(&accounts.inner, SWEEP, |inner| async move { sweep(&inner) });
        accounts
    }

    /// From here on, `listener` is told of every account's facts once they are durable.
    pub fn listen(&self, listener: Arc<dyn Listener>) {
        self.inner.listeners.add(listener);
    }

    /// Book-keepers in memory.
    pub fn in_memory(&self) -> usize {
        self.inner.registry.len()
    }

    /// Whether the account's book-keeper runs: then reading it asks no store.
    pub fn is_in_memory(&self, id: AccountId) -> bool {
        self.inner.registry.visit(id, |_| ()).is_some()
    }

    /// The account's state now and whenever it changes. The receiver closes when the account leaves
    /// memory: ask again.
    pub async fn watch(
        &self,
        id: AccountId,
    ) -> Result<watch::Receiver<Arc<Published>>, AccessError> {
        Ok(self.entry(id).await?.published)
    }

    /// The account's state now.
    pub async fn read(&self, id: AccountId) -> Result<Arc<Published>, AccessError> {
        // The common case without a single clone of a channel: the state is there to be read.
        let entry = self.entry(id).await?;
        let published = entry.published.borrow();
        Ok(Arc::clone(&published))
    }

    /// Opens an account; its id must be fresh.
    pub async fn register(
        &self,
        id: AccountId,
        key_hash: [u8; 32],
        webhook_secret: String,
    ) -> Result<Committed<Event>, TransactError<Refusal>> {
        let at = self.inner.journal.now();
        self.open(id, Known::Absent, Command::Register { id, key_hash, webhook_secret, at }, at)
            .await
    }

    /// Opens an account for tests that belongs to no other; its id must be fresh.
    pub async fn register_for_tests(
        &self,
        id: AccountId,
        key_hash: [u8; 32],
        webhook_secret: String,
    ) -> Result<Committed<Event>, TransactError<Refusal>> {
        let at = self.inner.journal.now();
        let command = Command::RegisterForTests { id, key_hash, webhook_secret, at };
        self.open(id, Known::Absent, command, at).await
    }

    /// Opens an account under what the operator wants of every newcomer; its id must be fresh.
    pub async fn register_under(
        &self,
        id: AccountId,
        register: Command,
        kind: RegistrationKind,
        terms: Option<String>,
    ) -> Result<Committed<Event>, TransactError<Refusal>> {
        let at = self.inner.journal.now();
        let register = Box::new(register);
        let command = Command::RegisterUnder { register, kind, terms, at };
        self.open(id, Known::Absent, command, at).await
    }

    /// Gives a live account's test account a key; the first one opens it.
    pub async fn add_test_key(
        &self,
        wanted: TestKey,
    ) -> Result<Committed<Event>, TransactError<Refusal>> {
        let (id, at) = (wanted.account, wanted.at);
        let command = self.bounded(wanted.live, Command::AddTestKey(wanted)).await?;
        self.open(id, Known::MayExist, command, at).await
    }

    /// Decides `command` for an account that may not exist yet.
    async fn open(
        &self,
        id: AccountId,
        known: Known,
        command: Command,
        at: Timestamp,
    ) -> Result<Committed<Event>, TransactError<Refusal>> {
        if !self.inner.journal.store().has_room() {
            return Err(Fault::NoSpace.into());
        }
        let start = || async {
            let stream = StreamId::account(id);
            let entity = match known {
                Known::Absent => self.inner.journal.absent(stream),
                Known::MayExist => self.inner.journal.load::<State>(stream).await?,
            };
            self.start(id, entity).await
        };
        let entry = || async { Ok(self.inner.registry.get_or_start(id, start).await?) };
        self.decided(id, entry, command, self.inner.journal.context(Who::Owner, at)).await
    }

    /// Decides `command` for the account, and answers once its facts are durable and published.
    pub async fn transact(
        &self,
        id: AccountId,
        command: Command,
        who: Who,
        at: Timestamp,
    ) -> Answer {
        let command = if who == Who::Owner { self.bounded(id, command).await? } else { command };
        let entry = || async { self.entry(id).await.map_err(refused_or_fault) };
        self.decided(id, entry, command, self.inner.journal.context(who, at)).await
    }

    /// Has the account's actor, which `entry` finds or starts, decide `command`.
    async fn decided<Found>(
        &self,
        id: AccountId,
        entry: impl Fn() -> Found,
        command: Command,
        context: Context,
    ) -> Answer
    where
        Found: Future<Output = Result<Entry, TransactError<Refusal>>>,
    {
        for _ in 1..TRIES {
            let entry = entry().await?;
            match self.ask(&entry, command.clone(), context.clone()).await {
                // The actor was leaving, or was ended by a bug: its successor decides anew, under
                // the same event ids.
                Err(TransactError::Fault(Fault::ActorEnded)) => self.forget(id, &entry),
                Ok(answer) => {
                    if let Err(TransactError::Fault(Fault::Unknown(_))) = &answer {
                        self.find_out(id);
                    }
                    return answer;
                }
                Err(error) => return Err(error),
            }
        }
        self.ask(&entry().await?, command, context).await?
    }

    /// Tells the listeners what may have been written without anybody's knowing, once that can be
    /// read: a book-keeper that could not read it has left, and nobody may ask for the next one.
    fn find_out(&self, id: AccountId) {
        let accounts = self.clone();
        tokio::spawn(async move {
            loop {
                match accounts.read(id).await {
                    Ok(published) => {
                        return accounts.inner.listeners.learned(id, &published.state);
                    }
                    Err(AccessError::Fault(fault)) if !fault.is_damage() => {
                        tokio::time::sleep(STEP_RETRY).await;
                    }
                    Err(AccessError::Fault(_) | AccessError::NotFound) => return,
                }
            }
        });
    }

    /// Does something with one of the account's orders.
    pub async fn transact_order(
        &self,
        id: AccountId,
        order: events::id::OrderId,
        command: order::Command,
        who: Who,
        at: Timestamp,
    ) -> Result<Committed<Event>, TransactError<OrderRefusal>> {
        self.transact(id, Command::Order(order, command), who, at).await.map_err(
            |error| match error {
                TransactError::Refused(Refusal::Order(refusal)) => TransactError::Refused(refusal),
                TransactError::Refused(Refusal::Standing(StandingRefusal::NotRegistered)) => {
                    TransactError::Refused(OrderRefusal::NotFound)
                }
                // Nothing else refuses what is done to an order: the account's state is not what
                // its log says.
                TransactError::Refused(refusal) => Fault::Damaged {
                    stream: StreamId::account(id).as_str().into(),
                    detail: refusal.to_string().into(),
                }
                .into(),
                TransactError::Fault(fault) => TransactError::Fault(fault),
            },
        )
    }

    /// The account's state now; `None` if there is no such account.
    pub async fn find(&self, id: AccountId) -> Result<Option<Arc<Published>>, Fault> {
        match self.read(id).await {
            Ok(published) => Ok(Some(published)),
            Err(AccessError::NotFound) => Ok(None),
            Err(AccessError::Fault(fault)) => Err(fault),
        }
    }

    /// The order as the account remembers it: open, or recently ended. An account that is not there
    /// remembers none.
    pub async fn order(
        &self,
        id: AccountId,
        order: events::id::OrderId,
    ) -> Result<Option<Arc<order::State>>, Fault> {
        Ok(self.find(id).await?.and_then(|known| known.state.order(order).cloned()))
    }

    /// Whether pools keep some of their numbers from the account; from one that is not there they
    /// need keep nothing.
    pub async fn is_unproven(&self, id: AccountId) -> Result<bool, Fault> {
        Ok(self.find(id).await?.is_some_and(|known| known.state.is_unproven()))
    }

    /// Bytes of the log that an account which never had money may cause, if not any number.
    pub(super) fn unfunded_bytes(&self) -> Option<u64> {
        self.inner.settings.unfunded_bytes
    }

    /// What everything that accounts do is recorded in.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    async fn entry(&self, id: AccountId) -> Result<Entry, AccessError> {
        let entry = match self.inner.registry.get(id) {
            Some(entry) => entry,
            None => self.inner.registry.get_or_start(id, || self.load(id)).await?,
        };
        entry.last_used.store(self.inner.journal.now().millis(), Ordering::Relaxed);
        Ok(entry)
    }

    async fn load(&self, id: AccountId) -> Result<Entry, AccessError> {
        let entity = self.inner.journal.load::<State>(StreamId::account(id)).await?;
        if entity.state().standing == Standing::Unregistered {
            return Err(AccessError::NotFound);
        }
        Ok(self.start(id, entity).await?)
    }

    async fn start(&self, id: AccountId, entity: Entity<State>) -> Result<Entry, Fault> {
        let (publish, published) = watch::channel(Arc::new(Published::of(&entity)));
        let bookkeeper = BookkeeperState::new(
            id,
            entity,
            publish,
            Arc::clone(&self.inner.registry),
            Arc::clone(&self.inner.listeners),
        );
        let (actor, _) =
            Bookkeeper::spawn(None, Bookkeeper, bookkeeper).await.map_err(|_| Fault::ActorEnded)?;
        let last_used = Arc::new(AtomicI64::new(self.inner.journal.now().millis()));
        Ok(Entry { actor, published, waiting: Arc::default(), last_used })
    }

    /// `Err` if the request was not admitted or the actor ended before it answered.
    async fn ask(
        &self,
        entry: &Entry,
        command: Command,
        context: Context,
    ) -> Result<Answer, TransactError<Refusal>> {
        let _in_all = Admission::enter(&self.inner.waiting, self.inner.settings.max_waiting)
            .ok_or(Fault::Overloaded)?;
        let _here = Admission::enter(&entry.waiting, self.inner.settings.max_waiting_per_account)
            .ok_or(Fault::Overloaded)?;
        let (reply, answer) = oneshot::channel();
        let message = Message::Transact(Box::new((command, context, reply)));
        entry.actor.send_message(message).map_err(|_| Fault::ActorEnded)?;
        Ok(answer.await.map_err(|_| Fault::ActorEnded)?)
    }

    /// Has an account in memory made anew of the log: what stands there may read otherwise now.
    pub async fn reload(&self, id: AccountId) {
        let Some(entry) = self.inner.registry.get(id) else { return };
        let (done, reloaded) = oneshot::channel();
        if entry.actor.send_message(Message::Reload(done)).is_ok() {
            let _ = reloaded.await;
        }
    }

    fn forget(&self, id: AccountId, gone: &Entry) {
        self.inner.registry.remove_if(id, |entry| entry.is(&gone.actor));
    }
}

fn refused_or_fault(error: AccessError) -> TransactError<Refusal> {
    match error {
        AccessError::NotFound => {
            TransactError::Refused(Refusal::Standing(StandingRefusal::NotRegistered))
        }
        AccessError::Fault(fault) => TransactError::Fault(fault),
    }
}

/// What is known of an account that does not run, before its stream is read.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// Nobody has its id: the first append finds out, and nothing is read.
    Absent,
    /// It may have been opened before.
    MayExist,
}

/// A place among those who may wait; given back when dropped.
struct Admission<'a>(&'a AtomicU32);

impl<'a> Admission<'a> {
    fn enter(waiting: &'a AtomicU32, limit: u32) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) < limit {
            return Some(Self(waiting));
        }
        waiting.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Asks accounts that nobody has used for a while to leave, as long as there are accounts.
fn sweep(inner: &Inner) {
    let idle_since = inner.journal.now().minus(inner.settings.idle).millis();
    for (_, entry) in inner.registry.all() {
        if entry.last_used.load(Ordering::Relaxed) < idle_since {
            let _ = entry.actor.send_message(Message::Passivate);
        }
    }
}
