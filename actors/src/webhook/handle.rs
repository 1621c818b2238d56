//! Webhooks: finds or starts an account's deliverer when something is due, and asks it for redeliveries.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use events::account::{Event, State};
use events::id::AccountId;
use events::time::Timestamp;
use ractor::{Actor, ActorId, ActorRef};
use tokio::sync::oneshot;

use super::deliverer::{Deliverer, DeliveryQueue, Message};
use super::lanes::{Lanes, Load};
use super::sender::WebhookSender;
use crate::account::{Accounts, Listener};
use crate::kernel::alarm::Alarm;
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::kernel::registry::Registry;
use crate::kernel::supervision::{Replace, Supervised, Supervision};
use crate::store::BoxFuture;

/// Between two tries to start a deliverer that the world did not let start.
const START_RETRY: Duration = Duration::from_secs(1);

/// A delivery ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookPayload {
    /// Where.
    pub url: String,
    /// The delivery's id, the same at every attempt.
    pub id: String,
    /// The event's name.
    pub event: &'static str,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// Whose HMACs sign it, the current one first.
    pub secrets: Vec<Arc<str>>,
    /// Now.
    pub at: Timestamp,
}

/// What is due and in which words: the edge knows both, from the views and the log.
pub trait PayloadSource: Send + Sync + 'static {
    /// The account's deliveries that have not ended, after `after`, oldest first, at most `limit`.
    fn open(&self, account: AccountId, after: u64, limit: u32) -> BoxFuture<'_, Result<Vec<u64>, Fault>>;

    /// The letter of a delivery; `None` where the account has no webhook any more.
    fn write(&self, account: AccountId, sequence: u64) -> BoxFuture<'_, Result<Option<WebhookPayload>, Fault>>;
}

/// A deliverer at work, and the messages it has not read.
#[derive(Debug, Clone)]
pub struct Working {
    pub(super) actor: ActorRef<Message>,
    pub(super) unread: Arc<AtomicU32>,
}

impl Working {
    pub(super) fn tell(&self, message: Message) -> bool {
        self.unread.fetch_add(1, Ordering::SeqCst);
        self.actor.send_message(message).is_ok()
    }
}

/// What deliverers share.
pub struct Inner {
    pub(super) accounts: Accounts,
    pub(super) journal: Journal,
    pub(super) payloads: Arc<dyn PayloadSource>,
    pub(super) sender: Arc<dyn WebhookSender>,
    pub(super) alarm: Alarm<AccountId>,
    pub(super) working: Registry<AccountId, Working>,
    pub(super) lanes: Lanes,
    supervision: Supervision,
}

/// The webhooks. Cloning shares them.
#[derive(Clone)]
pub struct Webhooks {
    inner: Arc<Inner>,
}

impl Webhooks {
    /// The webhooks of `accounts`. Starts their alarm in the current runtime, and listens for what becomes due.
    pub fn start(accounts: Accounts, payloads: Arc<dyn PayloadSource>, sender: Arc<dyn WebhookSender>) -> Self {
        let alarm = Alarm::new(accounts.journal().clock());
        let inner = Arc::new(Inner {
            journal: accounts.journal().clone(),
            accounts,
            payloads,
            sender,
            alarm: alarm.clone(),
            working: Registry::default(),
            lanes: Lanes::default(),
            supervision: Supervision::default(),
        });
        let ringing = Arc::downgrade(&inner);
        tokio::spawn(alarm.ring(move |account| {
            if let Some(inner) = ringing.upgrade() {
                wake(&inner, account);
            }
        }));
        let listener: Arc<dyn Listener> = Arc::new(WebhookDueListener(Arc::downgrade(&inner)));
        inner.accounts.listen(listener);
        Self { inner }
    }

    /// Lets an account's open deliveries go on: what recovery does.
    pub fn resume(&self, account: AccountId) {
        wake(&self.inner, account);
    }

    /// Delivers these once more; answers once that is durable.
    pub async fn redeliver(&self, account: AccountId, sequences: Vec<u64>) -> Result<(), Fault> {
        loop {
            working(&self.inner, account).await?;
            let (reply, answer) = oneshot::channel();
            match self.inner.working.visit(account, |current| current.tell(Message::Redeliver(sequences.clone(), reply))) {
                Some(true) => return answer.await.map_err(|_| Fault::ActorEnded)?,
                Some(false) => return Err(Fault::ActorEnded),
                // It had nothing more to do and has left between the two steps: another one is started.
                None => {}
            }
        }
    }

    /// How full each lane of attempts is.
    pub fn loads(&self) -> [Load; 3] {
        self.inner.lanes.loads()
    }

    /// Accounts whose deliveries are under way.
    pub fn working(&self) -> usize {
        self.inner.working.len()
    }
}

/// Tells the account's deliverer to look at what is due; starts it if it does not work.
fn wake(inner: &Arc<Inner>, account: AccountId) {
    // One that a bug has ended is about to be replaced, and its successor looks by itself.
    if inner.working.visit(account, |working| working.tell(Message::Look)).is_some() {
        return;
    }
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        while let Err(fault) = working(&inner, account).await {
            tracing::warn!(%account, error = %fault, "an account's deliveries could not be started; trying again");
            tokio::time::sleep(START_RETRY).await;
        }
        // Found or started: either way it is to look.
        inner.working.visit(account, |working| working.tell(Message::Look));
    });
}

async fn working(inner: &Arc<Inner>, account: AccountId) -> Result<Working, Fault> {
    let start = || async {
        let unread: Arc<AtomicU32> = Arc::default();
        let round = DeliveryQueue::load(account, Arc::clone(inner), Arc::clone(&unread)).await?;
        let supervisor = inner.supervision.of(inner).await?;
        let (actor, _) = Deliverer::spawn_linked(None, Deliverer, round, supervisor).await.map_err(|_| Fault::ActorEnded)?;
        Ok::<_, Fault>(Working { actor, unread })
    };
    inner.working.get_or_start(account, start).await
}

impl Supervised for Inner {
    fn replace(self: Arc<Self>, failed: ActorId) -> Option<Replace> {
        let (account, _) = self.working.take(|working| working.actor.get_id() == failed)?;
        // Tries until it has started one.
        wake(&self, account);
        None
    }
}

/// Hears what becomes due.
struct WebhookDueListener(Weak<Inner>);

impl Listener for WebhookDueListener {
    fn committed(&self, account: AccountId, events: &[Event]) {
        if events.iter().any(|event| matches!(event, Event::WebhookDue { .. }))
            && let Some(inner) = self.0.upgrade()
        {
            wake(&inner, account);
        }
    }

    fn learned(&self, account: AccountId, state: &State) {
        if state.webhook.is_some()
            && let Some(inner) = self.0.upgrade()
        {
            wake(&inner, account);
        }
    }
}
