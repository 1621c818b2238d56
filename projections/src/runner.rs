//! Keeps the views up with the log: reads what is new, folds it in, and stops loudly at a fact it
//! cannot read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use events::Event;
use events::envelope::{Position, Recorded};
use thiserror::Error;
use tokio::sync::watch;

use crate::views::{Chain, ViewError, Views};

/// Records folded in one transaction: enough to coalesce, few enough that a waiting reply does not
/// wait long.
const BATCH: usize = 8_192;
/// Between two batches, unless somebody waits: under load each batch then holds thousands of
/// records, and most orders of it from their first event to their last, which are one row.
const COALESCING_PAUSE: Duration = Duration::from_millis(250);
/// Before the next try after the file or the store failed.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What reading the log comes to, when it comes.
pub type Reading<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Arc<Recorded<Event>>>, LogError>> + Send + 'a>>;

/// What asking for the log's chain comes to, when it comes.
pub type Chaining<'a> = Pin<Box<dyn Future<Output = Result<Option<Chain>, LogError>> + Send + 'a>>;

/// The log as the views read it. The binary puts a store behind it.
pub trait Log: Send + Sync + 'static {
    /// Events after `after`, oldest first, at most `limit`.
    fn read_all(&self, after: Position, limit: usize) -> Reading<'_>;

    /// The log's chain after the record at `position`.
    fn chain_at(&self, position: Position) -> Chaining<'_>;

    /// The log's last durable position, now and whenever it moves.
    fn head(&self) -> watch::Receiver<Position>;

    /// The disk had no room for the views: whoever keeps some for what is under way gives it up.
    fn room_is_wanted(&self) {}
}

/// The log could not be read.
#[derive(Debug, Clone, Error)]
pub enum LogError {
    /// A record is corrupt or unknown to this version: nobody may go on past it.
    #[error("{0}")]
    Unreadable(String),
    /// The storage failed; try again.
    #[error("{0}")]
    Failed(String),
}

/// Folds a log into views.
#[derive(Debug)]
pub struct Projector {
    views: Views,
}

impl Projector {
    /// A projector into `views`.
    pub fn new(views: Views) -> Self {
        Self { views }
    }

    /// Folds in everything up to where the log's head is now. For starting up: recovery reads the
    /// views.
    pub async fn catch_up(&self, log: &Arc<dyn Log>) -> Result<(), LogError> {
        let head = *log.head().borrow();
        while *self.views.checkpoint().borrow() < head {
            self.step(log).await?;
        }
        Ok(())
    }

    /// Follows the log until it closes or cannot be read; the error says where it stopped.
    pub async fn follow(&self, log: &Arc<dyn Log>) -> Result<(), LogError> {
        let mut head = log.head();
        let checkpoint = self.views.checkpoint();
        loop {
            let reached = *checkpoint.borrow();
            if head.wait_for(|head| *head > reached).await.is_err() {
                return Ok(());
            }
            match self.step(log).await {
                Ok(()) => {
                    let _ = tokio::time::timeout(COALESCING_PAUSE, self.views.wanted()).await;
                }
                Err(LogError::Failed(detail)) => {
                    tracing::warn!(
                        detail,
                        "the views could not be kept up with the log; trying again"
                    );
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(unreadable @ LogError::Unreadable(_)) => {
                    tracing::error!(
                        error = %unreadable, after = reached.0,
                        "the views have stopped: a record cannot be read"
                    );
                    return Err(unreadable);
                }
            }
        }
    }

    async fn step(&self, log: &Arc<dyn Log>) -> Result<(), LogError> {
        let after = *self.views.checkpoint().borrow();
        let records = log.read_all(after, BATCH).await?;
        let Some(last) = records.last().map(|record| record.position) else { return Ok(()) };
        let chain = log.chain_at(last).await?;
        let views = self.views.clone();
        let applied =
            tokio::task::spawn_blocking(move || views.apply_chained(&records, chain)).await;
        match applied {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error @ ViewError::NoRoom)) => {
                log.room_is_wanted();
                Err(LogError::Failed(error.to_string()))
            }
            Ok(Err(ViewError::Failed(detail))) => Err(LogError::Failed(detail)),
            Ok(Err(ViewError::Behind)) => Err(LogError::Failed("behind".to_owned())),
            // A record that breaks a rule of the views breaks it again at every try.
            Err(error) => Err(LogError::Unreadable(format!(
                "the records after {} cannot be folded in: {error}",
                after.0
            ))),
        }
    }
}
