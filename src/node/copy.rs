//! A node's own copy of the shared log while it does not lead: every record is held against the
//! chain before it is taken.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actors::store::chain::Mark;
use actors::store::shared::{SharedLog, SharedLogError};
use actors::store::sqlite::Replica;
use actors::store::{NewEvent, Record, Records};
use events::envelope::{Position, Revision, StreamId};
use events::id::TermId;
use events::time::Timestamp;
use thiserror::Error;

use super::NodeError;
use super::followed::Followed;

/// Records in one page.
const PAGE: usize = 512;

/// How the shared log and a node's copy of it contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Difference {
    /// It has nothing, and the copy has something.
    #[error(
        "the shared log is empty, and this node's copy ends at position {own}. If it is to be this \
         node's log, `telenumerus log push-missing` writes it there"
    )]
    Empty {
        /// Where the copy ends.
        own: u64,
    },
    /// It ends before the copy.
    #[error(
        "the shared log ends at position {shared}, and this node's copy has position {own}: the \
         shared log has lost its end (an old backup, or a standby that had not everything). Look \
         for the node whose copy is longest; there `telenumerus log push-missing` gives back what \
         is missing. Until then no node leads"
    )]
    Shorter {
        /// Where the shared log ends.
        shared: u64,
        /// Where the copy ends.
        own: u64,
    },
    /// Another record stands where the copy ends.
    #[error(
        "the shared log has another record at position {at} than this node's copy: they are two \
         logs, or one of them went on after the other had lost its end. Keep this directory for \
         what only it has, and start the node with an empty one"
    )]
    Other {
        /// Where.
        at: u64,
    },
}

/// Whether the shared log continues a copy that ends at `own`.
pub async fn difference(
    log: &dyn SharedLog,
    own: Mark,
) -> Result<Option<Difference>, SharedLogError> {
    let head = log.head().await?;
    let Some(before) = own.position.0.checked_sub(1).filter(|_| head != own) else {
        return Ok(None);
    };
    if let Some(difference) = difference_of_ends(head, own) {
        return Ok(Some(difference));
    }
    let there = log.read(Position(before), 1).await?;
    let is_same = there.first().is_some_and(|record| record.chain == own.chain);
    Ok((!is_same).then_some(Difference::Other { at: own.position.0 }))
}

/// What two ends contradict each other in; `None` if the shared log may go on from the copy's.
pub(super) fn difference_of_ends(head: Mark, own: Mark) -> Option<Difference> {
    let (shared, own_position) = (head.position.0, own.position.0);
    match shared.cmp(&own_position) {
        Ordering::Greater => None,
        Ordering::Equal => (head != own).then_some(Difference::Other { at: own_position }),
        Ordering::Less if shared == 0 => Some(Difference::Empty { own: own_position }),
        Ordering::Less => Some(Difference::Shorter { shared, own: own_position }),
    }
}

/// The copy.
pub struct OwnCopy {
    replica: Replica,
    directory: PathBuf,
    is_compared: bool,
    followed: Followed,
    /// A record that this version does not understand.
    unreadable: Option<String>,
}

impl OwnCopy {
    /// The copy in the directory.
    pub fn open(directory: &Path) -> Result<Self, NodeError> {
        let replica = Replica::open(directory)?;
        Ok(Self {
            replica,
            directory: directory.to_owned(),
            is_compared: false,
            followed: Followed::default(),
            unreadable: None,
        })
    }

    /// Has others read it while it is written.
    pub fn serve(&mut self) -> Result<Arc<dyn Records>, NodeError> {
        let reader = tokio::task::block_in_place(|| self.replica.serve(&self.directory))?;
        Ok(Arc::new(reader))
    }

    /// Where it ends.
    pub fn end(&self) -> Mark {
        let (position, chain) = self.replica.end();
        Mark { position, chain }
    }

    /// Takes what is new in the log.
    pub async fn follow(&mut self, log: &dyn SharedLog) -> Result<(), NodeError> {
        if !self.is_compared {
            if let Some(difference) = difference(log, self.end()).await? {
                return Err(difference.into());
            }
            self.is_compared = true;
        }
        loop {
            // What is before the end that is read first is there: it moves with its records.
            let (head, end) = (log.head().await?, self.end());
            if head == end {
                return Ok(());
            }
            if let Some(difference) = difference_of_ends(head, end) {
                return Err(difference.into());
            }
            let records = log.read(end.position, PAGE).await?;
            if records.is_empty() {
                let text = format!(
                    "it ends at position {} and has no record behind position {}: its tables were \
                     changed by hand",
                    head.position.0, end.position.0
                );
                return Err(SharedLogError::Unusable(text).into());
            }
            tokio::task::block_in_place(|| self.replica.extend(&records))?;
            self.learn(&records);
        }
    }

    fn learn(&mut self, records: &[Record]) {
        for record in records {
            let event = record.event();
            self.followed.learn(record.position, record.stream.term_id(), event.as_ref().ok());
            if let Err(error) = event {
                let text = format!("record {}: {error}", record.position.0);
                self.unreadable.get_or_insert(text);
            }
        }
    }

    /// What it says of leaderships, as far as this node has followed.
    pub fn followed(&self) -> &Followed {
        &self.followed
    }

    /// This node tries to take a leadership.
    pub fn tried(&mut self, term: TermId) {
        self.followed.tried(term);
    }

    /// The record that an event would be, next in the log.
    pub fn next(&self, stream: &StreamId, revision: Revision, event: &NewEvent) -> Record {
        self.replica.next(stream, revision, event)
    }

    /// Why this node could not lead, if it cannot.
    pub fn obstacle(&self, now: Timestamp, allowed: Duration) -> Option<String> {
        if let Some(unreadable) = &self.unreadable {
            return Some(format!(
                "this version does not understand the log ({unreadable}); a newer one does"
            ));
        }
        let last = self.replica.last_stamp()?;
        // Without the two times, which change with every look: it is said once.
        (last.since(now) > allowed).then(|| {
            "this machine's clock is behind the log's last record by more than \
             store.max_clock_behind_seconds: set it right (`telenumerus doctor` says what it says)"
                .to_owned()
        })
    }

    /// Leaves the files to the store.
    pub fn close(self) {
        tokio::task::block_in_place(|| self.replica.close());
    }
}

#[cfg(test)]
mod tests {
    use actors::store::BoxFuture;
    use actors::store::shared::conformance::group;
    use actors::store::shared::memory::MemorySharedLog;
    use actors::store::shared::{Commit, Lead, end_of};

    use super::*;

    /// A log whose end says something else than its records.
    #[derive(Debug)]
    struct Edited {
        log: MemorySharedLog,
        head: Mark,
    }

    impl SharedLog for Edited {
        fn head(&self) -> BoxFuture<'_, Result<Mark, SharedLogError>> {
            Box::pin(std::future::ready(Ok(self.head)))
        }

        fn commit(&self, after: Mark, group: Arc<[Record]>) -> BoxFuture<'_, Commit> {
            self.log.commit(after, group)
        }

        fn read(
            &self,
            after: Position,
            limit: usize,
        ) -> BoxFuture<'_, Result<Vec<Record>, SharedLogError>> {
            self.log.read(after, limit)
        }

        fn leader(&self) -> BoxFuture<'_, Result<Option<Lead>, SharedLogError>> {
            self.log.leader()
        }

        fn lead(&self, lead: Lead) -> BoxFuture<'_, Result<bool, SharedLogError>> {
            self.log.lead(lead)
        }

        fn heard(&self) -> BoxFuture<'_, Result<Option<Duration>, SharedLogError>> {
            self.log.heard()
        }

        fn beat(
            &self,
            term: TermId,
            released: bool,
        ) -> BoxFuture<'_, Result<bool, SharedLogError>> {
            self.log.beat(term, released)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_whose_end_and_records_disagree_is_not_followed() {
        let (directory, log) = (tempfile::tempdir().unwrap(), MemorySharedLog::default());
        let records = group(Mark::START, 1, 3);
        assert_eq!(log.commit(Mark::START, Arc::clone(&records)).await, Commit::Taken);
        let end = end_of(&records).unwrap();
        let mut copy = OwnCopy::open(directory.path()).unwrap();
        let mut log = Edited { log, head: end };
        copy.follow(&log).await.unwrap();
        assert_eq!(copy.end(), end);
        log.head = Mark { position: Position(8), ..end };
        let unusable = copy.follow(&log).await.unwrap_err();
        let NodeError::Shared(SharedLogError::Unusable(text)) = unusable else {
            panic!("{unusable}")
        };
        assert!(text.contains("position 8"), "{text}");
        log.head = Mark { chain: [7; 32], ..end };
        let told = difference(&log, copy.end()).await.unwrap();
        assert_eq!(told, Some(Difference::Other { at: 3 }), "`node status` says so, too");
        let other = copy.follow(&log).await.unwrap_err();
        assert!(matches!(other, NodeError::Difference(Difference::Other { at: 3 })), "{other}");
        log.head = Mark { position: Position(2), ..end };
        let shorter = copy.follow(&log).await.unwrap_err();
        assert!(
            matches!(shorter, NodeError::Difference(Difference::Shorter { shared: 2, own: 3 })),
            "{shorter}"
        );
    }
}
