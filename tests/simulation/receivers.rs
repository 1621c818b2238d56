//! Receivers of webhooks: they take a delivery, or not, or not in time, and know what they took.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actors::Fault;
use actors::store::BoxFuture;
use actors::webhook::{PayloadSource, WebhookPayload, WebhookSender};
use events::id::AccountId;
use events::time::Timestamp;
use events::webhook::{self, Outcome, delivery_id};
use events::{Event, account};
use parking_lot::Mutex;

use crate::dice::Dice;
use crate::disk::Disk;
use crate::life::records;
use crate::marks::{Mark, Marks};

/// Where the accounts of a run want to be told.
pub const URL: &str = "https://hooks.acme.dev/";
/// A receiver that takes nothing.
pub const DEAD: &str = "https://dead.acme.dev/";

/// The receivers of a run. Cloning shares them.
#[derive(Clone)]
pub struct Receivers {
    disk: Disk,
    dice: Dice,
    marks: Marks,
    /// What was taken, by the delivery's id.
    taken: Arc<Mutex<BTreeSet<String>>>,
}

impl Receivers {
    pub fn new(seed: u64, disk: Disk) -> Self {
        Self { dice: Dice::of(seed, 4), marks: disk.marks(), disk, taken: Arc::default() }
    }

    pub fn has_taken(&self, id: &str) -> bool {
        self.taken.lock().contains(id)
    }
}

impl WebhookSender for Receivers {
    fn deliver(&self, letter: WebhookPayload) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let fails = if letter.url == DEAD { 0 } else { self.dice.below(10) };
            match fails {
                0 => {
                    tokio::time::sleep(Duration::from_secs(15)).await;
                    self.marks.see(Mark::DeliveryTimedOut);
                    Outcome::TimedOut
                }
                1 | 2 => {
                    self.marks.see(Mark::DeliveryRefused);
                    Outcome::Answered(500)
                }
                _ => {
                    if !self.taken.lock().insert(letter.id) {
                        self.marks.see(Mark::DeliveredAgain);
                    }
                    tokio::time::sleep(Duration::from_millis(self.dice.below(200))).await;
                    Outcome::Answered(200)
                }
            }
        })
    }
}

impl PayloadSource for Receivers {
    fn open(
        &self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<u64>, Fault>> {
        Box::pin(async move {
            let open = open_deliveries(&self.disk).await.remove(&account).unwrap_or_default();
            Ok(open.into_iter().filter(|sequence| *sequence > after).take(limit as usize).collect())
        })
    }

    fn write(
        &self,
        account: AccountId,
        sequence: u64,
    ) -> BoxFuture<'_, Result<Option<WebhookPayload>, Fault>> {
        Box::pin(async move {
            let records = records(&self.disk.log).await;
            let url = records.iter().rev().find_map(|record| match &record.event {
                Event::Account(account::Event::WebhookSet { url, .. })
                    if record.stream.account_id() == Some(account) =>
                {
                    Some(url.clone())
                }
                _ => None,
            });
            Ok(url.map(|url| WebhookPayload {
                url,
                id: delivery_id(account, sequence).to_string(),
                event: "webhook.test",
                body: Vec::new(),
                fails_first: false,
                secrets: Vec::new(),
                at: Timestamp::default(),
            }))
        })
    }
}

/// Deliveries that are due and have not ended, by account.
pub async fn open_deliveries(disk: &Disk) -> BTreeMap<AccountId, BTreeSet<u64>> {
    let mut open: BTreeMap<AccountId, BTreeSet<u64>> = BTreeMap::new();
    for record in records(&disk.log).await {
        match (&record.event, record.stream.account_id(), record.stream.webhook_account_id()) {
            (Event::Account(account::Event::WebhookDue { sequence, .. }), Some(account), _) => {
                open.entry(account).or_default().insert(*sequence);
            }
            (
                Event::Webhook(
                    webhook::Event::Delivered { sequence, .. }
                    | webhook::Event::Exhausted { sequence, .. },
                ),
                _,
                Some(account),
            ) => {
                open.entry(account).or_default().remove(sequence);
            }
            _ => {}
        }
    }
    open.retain(|_, sequences| !sequences.is_empty());
    open
}
