//! Webhooks: finds or starts an account's deliverer when something is due, and asks it for
//! redeliveries.

use std::sync::{Arc, Weak};
use std::time::Duration;

use events::account::{Event, State};
use events::id::AccountId;
use events::time::Timestamp;
use tokio::sync::oneshot;

use super::deliverer::{DeliveryQueue, Message};
use super::lanes::{Lanes, Load};
use super::sender::WebhookSender;
use crate::account::{Accounts, Listener};
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::kernel::process::Processes;
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
    /// Whether the first attempt fails before it is sent, as a test order's scenario asks for.
    pub fails_first: bool,
    /// Whose HMACs sign it, the current one first.
    pub secrets: Vec<Arc<str>>,
    /// Now.
    pub at: Timestamp,
}

/// What is due and in which words: the HTTP layer knows both, from the views and the log.
pub trait PayloadSource: Send + Sync + 'static {
    /// The account's deliveries that have not ended, after `after`, oldest first, at most `limit`.
    fn open(
        &self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<u64>, Fault>>;

    /// The letter of a delivery; `None` where the account has no webhook any more.
    fn write(
        &self,
        account: AccountId,
        sequence: u64,
    ) -> BoxFuture<'_, Result<Option<WebhookPayload>, Fault>>;
}

/// What deliverers share.
pub struct Inner {
    pub(super) accounts: Accounts,
    pub(super) journal: Journal,
    pub(super) payloads: Arc<dyn PayloadSource>,
    pub(super) sender: Arc<dyn WebhookSender>,
    pub(super) queues: Processes<DeliveryQueue>,
    pub(super) lanes: Lanes,
}

/// The webhooks. Cloning shares them.
#[derive(Clone)]
pub struct Webhooks {
    inner: Arc<Inner>,
}

impl Webhooks {
    /// The webhooks of `accounts`. Starts their alarm in the current runtime, and listens for what
    /// becomes due.
    pub fn start(
        accounts: Accounts,
        payloads: Arc<dyn PayloadSource>,
        sender: Arc<dyn WebhookSender>,
    ) -> Self {
        let inner = Arc::new(Inner {
            journal: accounts.journal().clone(),
            queues: Processes::new(accounts.journal().clock()),
            accounts,
            payloads,
            sender,
            lanes: Lanes::default(),
        });
        inner.queues.start(&inner, wake, |inner, account, ()| async move {
            run(&inner, account).await.map(drop)
        });
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
            run(&self.inner, account).await?;
            let (reply, answer) = oneshot::channel();
            match self.inner.queues.tell(account, Message::Redeliver(sequences.clone(), reply)) {
                Some(true) => return answer.await.map_err(|_| Fault::ActorEnded)?,
                Some(false) => return Err(Fault::ActorEnded),
                // It had nothing more to do and has left between the two steps: another one is
                // started.
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
        self.inner.queues.len()
    }
}

/// Has the account's deliveries looked at; starts their queue if it does not work.
fn wake(inner: &Arc<Inner>, account: AccountId) {
    if inner.queues.wake(account) {
        return;
    }
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        loop {
            match run(&inner, account).await {
                Ok(is_new) => {
                    if !is_new {
                        // Somebody else was faster: it is to look all the same.
                        inner.queues.wake(account);
                    }
                    return;
                }
                Err(fault) => {
                    tracing::warn!(
                        %account, error = %fault,
                        "an account's deliveries could not be started; trying again"
                    );
                    tokio::time::sleep(START_RETRY).await;
                }
            }
        }
    });
}

async fn run(inner: &Arc<Inner>, account: AccountId) -> Result<bool, Fault> {
    inner.queues.run(account, (), || DeliveryQueue::load(account, Arc::clone(inner))).await
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
