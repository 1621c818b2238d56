//! Several nodes over one shared log: one leads and writes, the others follow and verify, and one
//! of them takes its place when it is silent or stops.
//!
//! Holds: when a leadership is taken, the signs of life, giving it up. Never holds: what keeps a
//! former leader from writing, which the shared log's comparison does at every commit, whatever
//! clocks and signs say. Proved by: `standing.rs` here, `tests/it/nodes.rs`.

mod copy;
mod followed;
mod identity;
mod sight;
mod standing;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::Journal;
use actors::kernel::clock::{Clock, Stopwatch};
use actors::kernel::entropy::Entropy;
use actors::kernel::outbound;
use actors::store::shared::{Commit, Lead, SharedLog, SharedLogError, end_of};
use actors::store::sqlite::{OpenError, ReplicaError};
use actors::store::{NewEvent, Record, Records};
use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::id::TermId;
use events::leadership::{Command, Event, Leader, State};
use shared_log::Postgres;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::boot::end_process;
use crate::config::Config;
use crate::data::{self, LockError};
use copy::OwnCopy;
pub use copy::{Difference, difference};
use identity::{described, identity};
pub use identity::{hindrance, is_own, patience};
pub use sight::{Sight, Trouble};
use standing::{Standing, Verdict};

/// Between two looks at the log and its leader.
const LOOK: Duration = Duration::from_millis(200);
/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(1);
/// How long a node that stops waits to write that it does.
const RELEASE: Duration = Duration::from_secs(5);

/// A node that cannot go on; the text says what to do.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The shared log.
    #[error(transparent)]
    Shared(#[from] SharedLogError),
    /// It is not the log that this node's copy is of.
    #[error(transparent)]
    Difference(#[from] Difference),
    /// The data directory.
    #[error("the data directory: {0}")]
    Directory(#[from] LockError),
    /// This node's copy.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record does not continue it, or it could not be written.
    #[error("this node's copy of the log: {0}")]
    Copy(#[from] ReplicaError),
    /// The configuration.
    #[error("{0}")]
    Configured(String),
}

/// The shared log of the configuration, if there is one.
pub fn shared_log(config: &Config) -> Result<Option<Arc<dyn SharedLog>>, NodeError> {
    Ok(postgres(config)?.map(|log| Arc::new(log) as Arc<dyn SharedLog>))
}

/// The same, as the database that it is.
pub fn postgres(config: &Config) -> Result<Option<Postgres>, NodeError> {
    let Some(address) = &config.store.shared else { return Ok(None) };
    let authorities = config.store.shared_ca_file.as_deref().map(outbound::certificates);
    let authorities = authorities.transpose().map_err(|error| {
        NodeError::Configured(format!("configuration: store.shared_ca_file: {error}"))
    })?;
    let log = Postgres::new(address.expose(), authorities.unwrap_or_default())
        .map_err(|error| NodeError::Configured(format!("configuration: store.shared: {error}")))?;
    Ok(Some(log))
}

/// A node that does not lead.
pub struct Node {
    log: Arc<dyn SharedLog>,
    copy: OwnCopy,
    lock: File,
    me: Leader,
    patience: Duration,
    clock_behind: Duration,
    sight: watch::Sender<Sight>,
}

impl Node {
    /// The node of the configuration, if its log is a shared one; it has the data directory from
    /// here on.
    pub fn of(config: &Config, data_dir: &Path) -> Result<Option<Self>, NodeError> {
        let Some(log) = shared_log(config)? else { return Ok(None) };
        let lock = data::lock(data_dir)?;
        data::make_private(data_dir);
        let me = described(config, identity(config, data_dir).map_err(LockError::Files)?);
        let (copy, patience) = (OwnCopy::open(data_dir)?, patience(config));
        let sight = Sight {
            node: me.node.clone(),
            copy: copy.end().position.0,
            patience,
            trouble: Some(Trouble::Unseen),
            ..Sight::default()
        };
        Ok(Some(Self {
            log,
            copy,
            lock,
            me,
            patience,
            sight: watch::channel(sight).0,
            clock_behind: Duration::from_secs(config.store.max_clock_behind_seconds.into()),
        }))
    }

    /// Who it is.
    pub fn name(&self) -> &str {
        &self.me.node
    }

    /// Its copy of the log, for others to read while it stands by.
    pub fn records(&mut self) -> Result<Arc<dyn Records>, NodeError> {
        self.copy.serve()
    }

    /// What it sees, as long as it stands by.
    pub fn sight(&self) -> watch::Receiver<Sight> {
        self.sight.subscribe()
    }

    /// Follows the log until this node leads it.
    pub async fn lead(mut self) -> Result<Leading, NodeError> {
        let mut standing = Standing::new(self.me.clone(), self.patience);
        loop {
            match self.look(&mut standing).await {
                Ok(Some((term, since))) => return Ok(self.leading(term, since)),
                Ok(None) => self.saw(None),
                Err(NodeError::Shared(error)) => {
                    let Some(trouble) = Trouble::of(&error) else { return Err(error.into()) };
                    standing.lost_sight();
                    self.saw(Some(trouble));
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether the log could be seen; what has changed in that stands in this node's own log.
    fn saw(&self, trouble: Option<Trouble>) {
        let copy = self.copy.end().position.0;
        let mut before = None;
        self.sight.send_modify(|sight| {
            sight.copy = copy;
            before = std::mem::replace(&mut sight.trouble, trouble.clone());
        });
        let kind = |trouble: &Option<Trouble>| trouble.as_ref().map(Trouble::name);
        if kind(&before) == kind(&trouble) {
            return;
        }
        match trouble {
            None if before == Some(Trouble::Unseen) => {}
            None => tracing::info!("the shared log is seen again"),
            Some(Trouble::Denied(error)) => tracing::error!(
                error,
                "this node follows nothing and cannot take over; it asks again"
            ),
            Some(trouble) => tracing::warn!(
                error = trouble.text(),
                "this node follows nothing for now; it asks again"
            ),
        }
    }

    /// One look: what is new in the log, who leads, and whether that is this node's to do.
    async fn look(
        &mut self,
        standing: &mut Standing,
    ) -> Result<Option<(TermId, Position)>, NodeError> {
        self.copy.follow(&*self.log).await?;
        if let Some(own) = self.copy.followed().led_by_own() {
            return Ok(Some(own));
        }
        let lead = self.log.leader().await?;
        let obstacle = self.copy.obstacle(Clock::System.now(), self.clock_behind);
        let verdict =
            standing.judge(lead.as_ref(), self.copy.end(), self.copy.followed().taken(), obstacle);
        self.sight.send_modify(|sight| {
            sight.hindrance = standing.hindrance().map(str::to_owned);
            (sight.lead, sight.silent) = (lead, standing.silent());
        });
        match verdict {
            Verdict::Take => self.claim().await,
            Verdict::Wait => Ok(None),
        }
    }

    /// Takes the leadership, if the log still ends where this node's copy does. Where the answer is
    /// lost, the next look finds it in the log, or does not.
    async fn claim(&mut self) -> Result<Option<(TermId, Position)>, NodeError> {
        let (entropy, now) = (Entropy::System, Clock::System.now());
        let term = TermId(entropy.command_id(now).0);
        let metadata = Metadata {
            causation: entropy.command_id(now),
            correlation: None,
            actor: Actor::Service,
            at: now,
        };
        let event = Event::Taken { leader: self.me.clone(), at: now };
        let event = NewEvent::new(0, event.into(), &metadata);
        let record = self.copy.next(&StreamId::leadership(term), Revision(0), &event);
        self.copy.tried(term);
        let group: Arc<[Record]> = vec![record].into();
        match self.log.commit(self.copy.end(), Arc::clone(&group)).await {
            Commit::Taken => tracing::info!(%term, "this node leads from here on"),
            Commit::Refused(head) if Some(head) == end_of(&group) => {}
            Commit::Refused(_) => tracing::info!("another node was first"),
            Commit::NotTaken(error) | Commit::Unknown(error) => {
                return Err(SharedLogError::Unavailable(error).into());
            }
        }
        self.copy.follow(&*self.log).await?;
        Ok(self.copy.followed().led_by_own())
    }

    fn leading(self, term: TermId, since: Position) -> Leading {
        self.copy.close();
        let is_reached = Arc::new(AtomicBool::new(true));
        let name = self.me.node.clone();
        let lead = Lead { term, since, leader: self.me, beat: 0, is_released: false };
        let beats = tokio::spawn(beats(Arc::clone(&self.log), lead, Arc::clone(&is_reached)));
        let (stepping_down, _) = watch::channel(None);
        Leading {
            log: self.log,
            name,
            term,
            _lock: self.lock,
            beats: beats.abort_handle(),
            is_reached,
            stepping_down,
        }
    }
}

/// Says again and again that this node leads; ends the process where another does.
async fn beats(log: Arc<dyn SharedLog>, lead: Lead, is_reached: Arc<AtomicBool>) {
    let mut is_said = false;
    loop {
        let told =
            if is_said { log.beat(lead.term, false).await } else { log.lead(lead.clone()).await };
        match told {
            Ok(true) => {
                is_said = true;
                is_reached.store(true, Ordering::Relaxed);
            }
            Ok(false) => end_process("another node leads the shared log"),
            Err(error) => {
                if is_reached.swap(false, Ordering::Relaxed) {
                    tracing::warn!(%error, "no sign of life could be given: another node takes \
                        over if it can");
                }
            }
        }
        tokio::time::sleep(BEAT).await;
    }
}

/// The leadership of this node; signs of life are given as long as it is there.
pub struct Leading {
    /// The log.
    pub log: Arc<dyn SharedLog>,
    name: String,
    term: TermId,
    /// Of the data directory.
    _lock: File,
    beats: AbortHandle,
    is_reached: Arc<AtomicBool>,
    stepping_down: watch::Sender<Option<(Actor, String)>>,
}

impl Leading {
    /// This node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its term.
    pub const fn term(&self) -> TermId {
        self.term
    }

    /// Has this node stop in order: who wants it, and why.
    pub fn step_down(&self, who: Actor, reason: String) {
        self.stepping_down.send_replace(Some((who, reason)));
    }

    /// Ends once somebody wants this node to stop.
    pub async fn stepped_down(&self) {
        // The sender is this leadership's own: it does not end before.
        let _ = self.stepping_down.subscribe().wait_for(Option::is_some).await;
    }

    /// Whether the last sign of life could be given.
    pub fn is_reached(&self) -> bool {
        self.is_reached.load(Ordering::Relaxed)
    }

    /// Writes down that it is over, as the last that this node does before its store is closed.
    pub async fn release(&self, journal: &Journal) {
        let now = journal.now();
        let wanted = self.stepping_down.borrow().clone();
        let (who, reason) =
            wanted.unwrap_or_else(|| (Actor::Service, "stopped in order".to_owned()));
        let release = Command::Release { reason, at: now };
        let released = async {
            let mut term = journal.load::<State>(StreamId::leadership(self.term)).await?;
            journal.transact(&mut term, &release, who, now).await
        };
        match tokio::time::timeout(RELEASE, released).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the leadership could not be given up in the log");
            }
            Err(_) => tracing::warn!("the leadership was not given up in the log in time"),
        }
    }

    /// Says that nobody need wait for this node; its store is closed.
    pub async fn end(&self) {
        self.beats.abort();
        let watch = Stopwatch::start();
        if let Err(error) = self.log.beat(self.term, true).await {
            let milliseconds = watch.elapsed().as_millis();
            tracing::warn!(%error, milliseconds, "the other nodes could not be told");
        }
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.beats.abort();
    }
}
