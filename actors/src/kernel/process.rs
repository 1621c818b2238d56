//! The one runtime of every process that takes something step by step to its end: an order, a
//! deposit, a lease, an account's deliveries.
//!
//! A process knows its next step and nothing else. Whose it is, when it is woken, how a failed step
//! is tried again, and what takes the place of one that a bug has ended, is the same for all and
//! stands here.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef};

use super::alarm::Alarm;
use super::clock::{Clock, Elapsed};
use super::fault::Fault;
use super::registry::{Key, Registry};
use super::supervision::{Replace, STEP_RETRY, Supervised, Supervision};
use crate::store::BoxFuture;

/// What a process does after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next step.
    Again,
    /// Nothing until then, or until it is woken or told something.
    Wait(Option<Elapsed>),
    /// It is at its end.
    Done,
}

/// Something that is taken step by step to its end. What it has to know stands in the log: another
/// one can take its place at any time.
pub trait Process: Send + Sized + 'static {
    /// What it is the only one for.
    type Key: Key + Ord + std::fmt::Debug + Send + Sync;
    /// What another one in its place must know beside the key.
    type Memo: Clone + Send + Sync;
    /// What it can be told, beside that something may have changed.
    type Message: Send;

    /// What it is called in the log of the service.
    const NAME: &'static str;
    /// Between two tries of a step that the world did not let happen.
    const RETRY: Duration = STEP_RETRY;

    /// Takes note of what it is told; a step follows.
    fn told(&mut self, message: Self::Message);

    /// Takes the next step.
    fn step(&mut self) -> impl Future<Output = Result<Next, Fault>> + Send;

    /// Does what is to be done once nobody finds it any more.
    fn ended(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// What reaches a process.
pub enum Message<M> {
    /// Something may have changed.
    Wake,
    /// Something that it is told.
    Told(M),
}

/// A process at work, and the messages that it has not read.
pub struct Running<P: Process> {
    actor: ActorRef<Message<P::Message>>,
    unread: Arc<AtomicU32>,
    memo: P::Memo,
}

impl<P: Process> Clone for Running<P> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            unread: Arc::clone(&self.unread),
            memo: self.memo.clone(),
        }
    }
}

impl<P: Process> Running<P> {
    fn send(&self, message: Message<P::Message>) -> bool {
        self.unread.fetch_add(1, Ordering::SeqCst);
        self.actor.send_message(message).is_ok()
    }
}

/// Starts another process in the place of one that a bug has ended.
type Restart<P> = Box<
    dyn Fn(<P as Process>::Key, <P as Process>::Memo) -> BoxFuture<'static, Result<(), Fault>>
        + Send
        + Sync,
>;

struct Inner<P: Process> {
    running: Registry<P::Key, Running<P>>,
    alarm: Alarm<P::Key>,
    clock: Clock,
    supervision: Supervision,
    restart: OnceLock<Arc<Restart<P>>>,
}

/// The processes of one kind, by what they are for. Cloning shares them.
pub struct Processes<P: Process>(Arc<Inner<P>>);

impl<P: Process> Clone for Processes<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Process> Processes<P> {
    /// No process yet. They wait by this clock's elapsed time.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner {
            running: Registry::default(),
            alarm: Alarm::new(clock),
            clock,
            supervision: Supervision::default(),
            restart: OnceLock::new(),
        }))
    }

    /// Starts the alarm in the current runtime. As long as there is an owner, `absent` is called
    /// with keys that are due and have no process, and `restart` puts another process in the place
    /// of one that a bug has ended.
    pub fn start<O, F>(
        &self,
        owner: &Arc<O>,
        absent: impl Fn(&Arc<O>, P::Key) + Send + 'static,
        restart: impl Fn(Arc<O>, P::Key, P::Memo) -> F + Send + Sync + 'static,
    ) where
        O: Send + Sync + 'static,
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let (restarting, ringing, processes) =
            (Arc::downgrade(owner), Arc::downgrade(owner), Arc::downgrade(&self.0));
        let restart: Restart<P> = Box::new(move |key, memo| match restarting.upgrade() {
            Some(owner) => Box::pin(restart(owner, key, memo)),
            None => Box::pin(std::future::ready(Ok(()))),
        });
        let _ = self.0.restart.set(Arc::new(restart));
        tokio::spawn(self.0.alarm.clone().ring(move |key| {
            if let (Some(owner), Some(inner)) = (ringing.upgrade(), processes.upgrade())
                && !Self(inner).wake(key)
            {
                absent(&owner, key);
            }
        }));
    }

    /// Has a process for the key: the one that runs, or a new one, which takes its first step by
    /// itself. Answers whether it is new.
    pub async fn run<F, E>(
        &self,
        key: P::Key,
        memo: P::Memo,
        make: impl FnOnce() -> F,
    ) -> Result<bool, E>
    where
        F: Future<Output = Result<P, E>>,
        E: From<Fault>,
    {
        let mut is_new = false;
        let start = || async {
            let process = make().await?;
            let supervisor = self.0.supervision.of(&self.0).await?;
            let unread: Arc<AtomicU32> = Arc::default();
            let worker = Working {
                key,
                process,
                unread: Arc::clone(&unread),
                alarm: None,
                processes: self.clone(),
            };
            let spawned = ractor::Actor::spawn_linked(
                None,
                Worker(std::marker::PhantomData),
                worker,
                supervisor,
            )
            .await;
            let (actor, _) = spawned.map_err(|_| Fault::ActorEnded)?;
            is_new = true;
            Ok::<_, E>(Running { actor, unread, memo })
        };
        self.0.running.get_or_start(key, start).await?;
        Ok(is_new)
    }

    /// Says that something may have changed for the key; false if it has no process.
    pub fn wake(&self, key: P::Key) -> bool {
        // One that a bug has ended is about to be replaced, and its successor looks by itself.
        self.0.running.visit(key, |running| running.send(Message::Wake)).is_some()
    }

    /// Tells the key's process something; `None` if there is none, false if it is just being
    /// replaced.
    pub fn tell(&self, key: P::Key, message: P::Message) -> Option<bool> {
        self.0.running.visit(key, |running| running.send(Message::Told(message)))
    }

    /// Says to every process that something may have changed.
    pub fn wake_all(&self) {
        for (_, running) in self.0.running.all() {
            running.send(Message::Wake);
        }
    }

    /// Whether the key has a process.
    pub fn has(&self, key: P::Key) -> bool {
        self.0.running.visit(key, |_| ()).is_some()
    }

    /// What is kept beside the key's process.
    pub fn memo(&self, key: P::Key) -> Option<P::Memo> {
        self.0.running.visit(key, |running| running.memo.clone())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.running.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What wakes keys at their time, also those that have no process.
    pub fn alarm(&self) -> &Alarm<P::Key> {
        &self.0.alarm
    }
}

impl<P: Process> Supervised for Inner<P> {
    fn replace(self: Arc<Self>, failed: ActorId) -> Option<Replace> {
        let (key, running) = self.running.take(|running| running.actor.get_id() == failed)?;
        let restart = Arc::clone(self.restart.get()?);
        Some(Box::new(move || restart(key, running.memo.clone())))
    }
}

/// The behaviour of every process; the state is `Working`.
struct Worker<P>(std::marker::PhantomData<fn() -> P>);

/// A process and what the runtime keeps beside it.
struct Working<P: Process> {
    key: P::Key,
    process: P,
    unread: Arc<AtomicU32>,
    /// When its alarm rings.
    alarm: Option<Elapsed>,
    processes: Processes<P>,
}

impl<P: Process> Working<P> {
    /// Takes steps until one waits for the world; true once it is at its end.
    async fn drive(&mut self) -> bool {
        loop {
            match self.process.step().await {
                Ok(Next::Again) => {}
                Ok(Next::Wait(until)) => {
                    self.wake_at(until);
                    return false;
                }
                Ok(Next::Done) => {
                    self.wake_at(None);
                    return true;
                }
                Err(fault) => {
                    // The step is still the next one: look again shortly.
                    tracing::warn!(
                        process = P::NAME, of = ?self.key, error = %fault,
                        "a step failed and is tried again"
                    );
                    self.wake_at(Some(self.processes.0.clock.elapsed().plus(P::RETRY)));
                    return false;
                }
            }
        }
    }

    fn wake_at(&mut self, until: Option<Elapsed>) {
        if self.alarm == until {
            return;
        }
        if let Some(before) = self.alarm.take() {
            self.processes.0.alarm.clear(before, self.key);
        }
        if let Some(until) = until {
            self.processes.0.alarm.set(until, self.key);
            self.alarm = Some(until);
        }
    }

    /// Leaves, unless it has been told something meanwhile, which is read next.
    fn leaves(&self, myself: &ActorRef<Message<P::Message>>) -> bool {
        let is_idle = |running: &Running<P>| {
            running.actor.get_id() == myself.get_id() && running.unread.load(Ordering::SeqCst) == 0
        };
        self.processes.0.running.remove_if(self.key, is_idle)
    }
}

impl<P: Process> Actor for Worker<P> {
    type Msg = Message<P::Message>;
    type State = Working<P>;
    type Arguments = Working<P>;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        working: Working<P>,
    ) -> Result<Working<P>, ActorProcessingErr> {
        working.unread.fetch_add(1, Ordering::SeqCst);
        let _ = myself.send_message(Message::Wake);
        Ok(working)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        working: &mut Working<P>,
    ) -> Result<(), ActorProcessingErr> {
        working.unread.fetch_sub(1, Ordering::SeqCst);
        // An alarm that has rung is not set any more.
        working.alarm = working.alarm.filter(|at| *at > working.processes.0.clock.elapsed());
        if let Message::Told(message) = message {
            working.process.told(message);
        }
        // Boxed, so that an actor at rest is as small as its mailbox and not as its largest step.
        if Box::pin(working.drive()).await && working.leaves(&myself) {
            Box::pin(working.process.ended()).await;
            myself.stop(None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
