//! A store in front of another one, which fails as ordered: what its callers must do then is the
//! same over every store.

use std::collections::VecDeque;
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::chain::Hash;
use super::memory::Failure;
use super::port::{Append, AppendError, Appended, BoxFuture, EventStore, ReadError, Snapshot};

/// What a store was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To append.
    Append,
    /// To read a stream.
    Read,
}

/// A store that answers as the one behind it does, unless it is to fail.
#[derive(Debug)]
pub struct FailingStore {
    inner: Arc<dyn EventStore>,
    orders: Mutex<Orders>,
}

#[derive(Debug, Default)]
struct Orders {
    appends: VecDeque<Option<Failure>>,
    /// Whether the next reads of a stream fail.
    reads: VecDeque<bool>,
    asked: Vec<Asked>,
}

impl FailingStore {
    /// In front of `inner`, with nothing ordered yet.
    pub fn before(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, orders: Mutex::default() }
    }

    /// The next appends fail so, in this order; `None` lets one pass.
    pub fn fail_appends(&self, failures: impl IntoIterator<Item = Option<Failure>>) {
        self.orders.lock().appends.extend(failures);
    }

    /// The next reads of a stream fail where it says so.
    pub fn fail_reads(&self, failures: impl IntoIterator<Item = bool>) {
        self.orders.lock().reads.extend(failures);
    }

    /// From here on nothing fails.
    pub fn heal(&self) {
        let mut orders = self.orders.lock();
        orders.appends.clear();
        orders.reads.clear();
    }

    /// What it was asked since the last time, in order.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.orders.lock().asked)
    }
}

impl EventStore for FailingStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            let ordered = {
                let mut orders = self.orders.lock();
                orders.asked.push(Asked::Append);
                orders.appends.pop_front().flatten()
            };
            Failure::of(ordered, self.inner.append(append)).await
        })
    }

    fn read_stream(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>> {
        let fails = {
            let mut orders = self.orders.lock();
            orders.asked.push(Asked::Read);
            orders.reads.pop_front().unwrap_or(false)
        };
        if fails {
            let failed = ReadError::Failed("ordered".to_owned());
            return Box::pin(std::future::ready(Err(failed)));
        }
        self.inner.read_stream(stream, from, limit)
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Recorded<Event>>>, ReadError>> {
        self.inner.read_all(after, limit)
    }

    fn chain_at(&self, position: Position) -> BoxFuture<'_, Result<Option<Hash>, ReadError>> {
        self.inner.chain_at(position)
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }

    fn has_room(&self) -> bool {
        self.inner.has_room()
    }

    fn load_snapshot(&self, stream: StreamId) -> BoxFuture<'_, Option<Snapshot>> {
        self.inner.load_snapshot(stream)
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) {
        self.inner.save_snapshot(stream, snapshot);
    }

    fn ignored_snapshot(&self, stream: &StreamId) {
        self.inner.ignored_snapshot(stream);
    }
}
