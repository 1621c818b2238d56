//! The disk of a run: a log in memory that outlives each process over it, with faults, delays and
//! a power cut behind any append.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actors::store::memory::{Failure, MemoryStore};
use actors::store::{Append, AppendError, Appended, BoxFuture, EventStore, ReadError, Snapshot};
use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::marks::{Mark, Marks};

/// The log and what is to happen to those who use it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Disk {
    pub log: MemoryStore,
    orders: Arc<Mutex<Orders>>,
    marks: Marks,
}

#[derive(Debug, Default)]
struct Orders {
    /// How the next appends fail, and how many reads with them.
    failures: VecDeque<Option<(Failure, u32)>>,
    failing_reads: u32,
    slow: VecDeque<(u64, u64)>,
    /// Appends until the power goes, and for how long it is gone.
    crash_behind: Option<(u8, u64)>,
    /// The power is gone, for so long.
    is_off: Option<u64>,
    off: Arc<Notify>,
}

impl Disk {
    pub fn new(marks: Marks) -> Self {
        Self { log: MemoryStore::default(), orders: Arc::default(), marks }
    }

    pub fn fail_append(&self, after: u8, how: Failure, reads: u32) {
        let mut orders = self.orders.lock();
        while orders.failures.len() < usize::from(after) {
            orders.failures.push_back(None);
        }
        orders.failures.push_back(Some((how, reads)));
    }

    pub fn fail_read(&self) {
        self.orders.lock().failing_reads += 1;
    }

    pub fn slow_appends(&self, appends: u8, before_millis: u64, after_millis: u64) {
        let slow = std::iter::repeat_n((before_millis, after_millis), appends.into());
        self.orders.lock().slow.extend(slow);
    }

    pub fn crash_behind(&self, append: u8, down_millis: u64) {
        self.orders.lock().crash_behind = Some((append, down_millis));
    }

    /// From here on nothing fails.
    pub fn heal(&self) {
        let mut orders = self.orders.lock();
        *orders = Orders { off: Arc::clone(&orders.off), ..Orders::default() };
    }

    /// Another process starts; nothing that was to happen to the one before happens to it.
    pub fn power_on(&self) {
        self.heal();
    }

    pub fn marks(&self) -> Marks {
        self.marks.clone()
    }

    /// Waits until the power is gone; for how long.
    pub async fn power_cut(&self) -> u64 {
        let off = Arc::clone(&self.orders.lock().off);
        loop {
            let notified = off.notified();
            if let Some(down) = self.orders.lock().is_off {
                return down;
            }
            notified.await;
        }
    }

    /// Never comes back where the power is gone.
    async fn needs_power(&self) {
        if self.orders.lock().is_off.is_some() {
            std::future::pending::<()>().await;
        }
    }

    fn written(&self) {
        let mut orders = self.orders.lock();
        match orders.crash_behind.take() {
            Some((0, down)) => {
                orders.is_off = Some(down);
                orders.off.notify_waiters();
                self.marks.see(Mark::CrashBehindAppend);
            }
            Some((more, down)) => orders.crash_behind = Some((more - 1, down)),
            None => {}
        }
    }

    async fn append_here(&self, append: Append) -> Result<Appended, AppendError> {
        self.needs_power().await;
        let (failure, slow) = {
            let mut orders = self.orders.lock();
            (orders.failures.pop_front().flatten(), orders.slow.pop_front())
        };
        let (before, after) = slow.unwrap_or_default();
        pause(before).await;
        self.needs_power().await;
        if let Some((failure, reads)) = failure {
            self.orders.lock().failing_reads += reads;
            self.marks.see(match failure {
                Failure::BeforeWriting => Mark::AppendFailed,
                Failure::Lost => Mark::AppendLost,
                Failure::AfterWriting => Mark::AppendUnanswered,
            });
        }
        let outcome = Failure::of(failure.map(|(how, _)| how), async {
            let appended = self.log.append(append).await;
            if appended.is_ok() {
                self.written();
            }
            appended
        })
        .await;
        self.needs_power().await;
        pause(after).await;
        self.needs_power().await;
        outcome
    }
}

async fn pause(millis: u64) {
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

impl EventStore for Disk {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(self.append_here(append))
    }

    fn read_stream(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>> {
        let mut orders = self.orders.lock();
        if orders.failing_reads > 0 {
            orders.failing_reads -= 1;
            self.marks.see(Mark::ReadFailed);
            return Box::pin(std::future::ready(Err(ReadError::Failed("ordered".to_owned()))));
        }
        drop(orders);
        self.log.read_stream(stream, from, limit)
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Recorded<Event>>>, ReadError>> {
        self.log.read_all(after, limit)
    }

    fn chain_at(&self, position: Position) -> BoxFuture<'_, Result<Option<[u8; 32]>, ReadError>> {
        self.log.chain_at(position)
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.log.head()
    }

    fn load_snapshot(&self, stream: StreamId) -> BoxFuture<'_, Option<Snapshot>> {
        self.log.load_snapshot(stream)
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) {
        self.log.save_snapshot(stream, snapshot);
    }
}
