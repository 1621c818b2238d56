//! An account's deliveries at work: the only writer of their stream, and the one who makes their
//! attempts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use events::envelope::{Actor as Who, StreamId};
use events::id::AccountId;
use events::time::Timestamp;
use events::webhook::{Command, JITTER_PER_MILLE, Outcome, Receiver, Refusal, State};
use reqwest::Url;
use tokio::sync::oneshot;

use super::handle::Inner;
use super::lanes::Place;
use crate::kernel::clock::{Elapsed, Stopwatch};
use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::{Fault, detached};
use crate::kernel::process::{Next, Process};
use crate::kernel::supervision::STEP_RETRY;

/// Open deliveries of an account held in memory; the others wait in the view.
const IN_MEMORY: u32 = 1_000;
/// More than the longest pause between two attempts, jitter included.
const LONGEST_PAUSE: Duration = Duration::from_mins(67);
/// Attempts of one account under way at a time, while its receiver answers; one, while it does not.
const AT_ONCE: usize = 4;

/// What the first attempt comes to where a test order's scenario has it fail: as if a receiver were
/// overloaded.
const SCENARIO_FAILURE: Outcome = Outcome::Answered(503);

/// What a queue can be told.
pub enum Message {
    /// An attempt was made.
    Attempted {
        /// Of which delivery.
        sequence: u64,
        /// What it came to; `None` if the payload could not be made just now.
        outcome: Option<Outcome>,
        /// How long it took.
        millis: u32,
    },
    /// The owner wants these once more.
    Redeliver(Vec<u64>, oneshot::Sender<Result<(), Fault>>),
}

/// An account's deliveries at work.
pub struct DeliveryQueue {
    account: AccountId,
    inner: Arc<Inner>,
    entity: Entity<State>,
    /// What it was told and has not dealt with, the earliest first.
    told: VecDeque<Message>,
    /// Whether it was told something since its last step, rather than woken.
    is_told: bool,
    /// Open deliveries, and when each is due.
    waiting: BTreeMap<u64, Elapsed>,
    under_way: BTreeSet<u64>,
    /// The last delivery that was looked up.
    known: u64,
    /// Whether the view may hold more than is known.
    is_more: bool,
    receiver_answers: bool,
}

impl DeliveryQueue {
    /// An account's deliveries as they are in the log.
    pub async fn load(account: AccountId, inner: Arc<Inner>) -> Result<Self, Fault> {
        let entity = inner.journal.load(StreamId::webhook(account)).await?;
        let (waiting, under_way) = (BTreeMap::new(), BTreeSet::new());
        let told = VecDeque::new();
        Ok(Self {
            account,
            inner,
            entity,
            told,
            is_told: false,
            waiting,
            under_way,
            known: 0,
            is_more: true,
            receiver_answers: true,
        })
    }

    /// Takes open deliveries from the view into memory.
    async fn look(&mut self) -> Result<(), Fault> {
        let room = IN_MEMORY.saturating_sub(u32::try_from(self.waiting.len()).unwrap_or(u32::MAX));
        if room == 0 {
            self.is_more = true;
            return Ok(());
        }
        let found = self.inner.payloads.open(self.account, self.known, room).await?;
        self.is_more = found.len() == usize::try_from(room).unwrap_or(usize::MAX);
        for sequence in found {
            self.known = self.known.max(sequence);
            self.take_in(sequence);
        }
        Ok(())
    }

    fn take_in(&mut self, sequence: u64) {
        if let Some(progress) = self.entity.state().due(sequence) {
            let clock = self.inner.journal.clock();
            // Longer than any pause is left only where the clock was set back.
            let due = clock.when(progress.next_at).min(clock.elapsed().plus(LONGEST_PAUSE));
            self.waiting.insert(sequence, due);
        }
    }

    /// Starts every attempt that is due and has a place; answers when the next one is.
    fn attempt_due(&mut self) -> Option<Elapsed> {
        let now = self.inner.journal.clock().elapsed();
        let places = if self.receiver_answers { AT_ONCE } else { 1 };
        let mut due: Vec<(Elapsed, u64)> = self
            .waiting
            .iter()
            .filter(|(sequence, at)| **at <= now && !self.under_way.contains(sequence))
            .map(|(sequence, at)| (*at, *sequence))
            .collect();
        due.sort_unstable();
        for (_, sequence) in due.into_iter().take(places.saturating_sub(self.under_way.len())) {
            self.under_way.insert(sequence);
            let state = self.entity.state();
            let is_first = state.due(sequence).is_some_and(|progress| progress.attempts == 0);
            tokio::spawn(attempt(
                Arc::clone(&self.inner),
                self.account,
                sequence,
                state.receiver(),
                is_first,
            ));
        }
        let next = self
            .waiting
            .iter()
            .filter(|(sequence, _)| !self.under_way.contains(sequence))
            .map(|(_, at)| *at)
            .min();
        // What is due and has no place starts when an attempt ends.
        next.filter(|at| *at > now)
    }

    async fn record(&mut self, sequence: u64, outcome: Outcome, millis: u32) -> Result<(), Fault> {
        let entropy = self.inner.journal.entropy();
        let spread = u64::try_from(2 * JITTER_PER_MILLE + 1).expect("a small positive number");
        let jitter_per_mille =
            i32::try_from(entropy.below(spread)).expect("a small number") - JITTER_PER_MILLE;
        let at = self.inner.journal.now();
        let command = Command::RecordAttempt { sequence, outcome, millis, jitter_per_mille, at };
        match self.transact(&command, Who::Service, at).await {
            // A refusal: somebody else has ended it, and nothing is lost.
            Ok(()) | Err(TransactError::Refused(Refusal::AlreadyEnded)) => {}
            Err(TransactError::Fault(fault)) => return Err(fault),
        }
        self.receiver_answers = outcome.is_success();
        self.waiting.remove(&sequence);
        self.take_in(sequence);
        Ok(())
    }

    async fn redeliver(&mut self, sequences: Vec<u64>) -> Result<(), Fault> {
        for sequence in sequences {
            let at = self.inner.journal.now();
            match self.transact(&Command::Redeliver { sequence, at }, Who::Owner, at).await {
                Ok(()) | Err(TransactError::Refused(Refusal::AlreadyEnded)) => {
                    self.take_in(sequence);
                }
                Err(TransactError::Fault(fault)) => return Err(fault),
            }
        }
        Ok(())
    }

    async fn transact(
        &mut self,
        command: &Command,
        who: Who,
        at: Timestamp,
    ) -> Result<(), TransactError<Refusal>> {
        self.inner.journal.transact(&mut self.entity, command, who, at).await.map(drop)
    }

    /// Deals with what it was told. What the world does not let happen stays the first of it.
    async fn deal_with_told(&mut self) -> Result<(), Fault> {
        while let Some(message) = self.told.pop_front() {
            match message {
                Message::Attempted { sequence, outcome, millis } => {
                    if let Some(outcome) = outcome
                        && let Err(fault) = self.record(sequence, outcome, millis).await
                    {
                        // It was made and cannot be written down now.
                        self.told.push_front(Message::Attempted {
                            sequence,
                            outcome: Some(outcome),
                            millis,
                        });
                        return Err(fault);
                    }
                    self.under_way.remove(&sequence);
                }
                Message::Redeliver(sequences, reply) => {
                    let outcome = self.redeliver(sequences).await;
                    let _ = reply.send(outcome);
                }
            }
        }
        Ok(())
    }
}

impl Process for DeliveryQueue {
    type Key = AccountId;
    type Memo = ();
    type Message = Message;

    const NAME: &'static str = "deliveries";

    fn told(&mut self, message: Message) {
        self.told.push_back(message);
        self.is_told = true;
    }

    async fn step(&mut self) -> Result<Next, Fault> {
        let is_woken = !std::mem::take(&mut self.is_told);
        self.deal_with_told().await?;
        if (is_woken || (self.is_more && self.waiting.len() < AT_ONCE))
            && let Err(fault) = self.look().await
        {
            self.is_more = true;
            return Err(fault);
        }
        let next = self.attempt_due();
        let is_done = self.waiting.is_empty() && self.under_way.is_empty() && !self.is_more;
        Ok(if is_done { Next::Done } else { Next::Wait(next) })
    }
}

/// A place among the attempts of its like; none where nothing is sent.
async fn place(inner: &Inner, account: AccountId, receiver: Receiver) -> Option<Place> {
    let published = inner.accounts.read(account).await.ok()?;
    let webhook = published.state.webhook.as_ref()?;
    let url: Url = webhook.url.parse().ok()?;
    let host = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let standing = receiver.standing(webhook.since);
    drop(published);
    Some(inner.lanes.enter(standing, host.into()).await)
}

async fn attempt(
    inner: Arc<Inner>,
    account: AccountId,
    sequence: u64,
    receiver: Receiver,
    is_first: bool,
) {
    let _place = place(&inner, account, receiver).await;
    let watch = Stopwatch::start();
    let making = Arc::clone(&inner);
    let made = detached(async move {
        Ok(match making.payloads.write(account, sequence).await? {
            Some(letter) if is_first && letter.fails_first => SCENARIO_FAILURE,
            Some(letter) => making.sender.deliver(letter).await,
            None => Outcome::NoWebhook,
        })
    });
    let outcome = match made.await.unwrap_or_else(Err) {
        Ok(outcome) => Some(outcome),
        Err(fault) => {
            tracing::warn!(
                %account, sequence, error = %fault, "a delivery could not be made; trying again"
            );
            tokio::time::sleep(STEP_RETRY).await;
            None
        }
    };
    let millis = u32::try_from(watch.elapsed().as_millis()).unwrap_or(u32::MAX);
    // A queue that a bug has ended reads from the log what was made.
    let _ = inner.queues.tell(account, Message::Attempted { sequence, outcome, millis });
}
