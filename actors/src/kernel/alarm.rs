//! Deadlines: one task that wakes whoever is due, by elapsed time: a clock that is set moves none,
//! and the machine's sleep counts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::kernel::clock::{Clock, Elapsed};

/// The longest sleep: a machine that was asleep, or a process that was stopped, is noticed within
/// it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Inner<K> {
    due: Mutex<BTreeSet<(Elapsed, K)>>,
    earlier: Notify,
}

/// Moments at which keys are due. Cloning shares them.
#[derive(Debug)]
pub struct Alarm<K> {
    inner: Arc<Inner<K>>,
    clock: Clock,
}

impl<K> Clone for Alarm<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), clock: self.clock }
    }
}

impl<K: Ord + Clone + Send + 'static> Alarm<K> {
    /// An alarm without moments; nothing rings until `ring` is started.
    pub fn new(clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { due: Mutex::default(), earlier: Notify::new() }), clock }
    }

    /// `key` is due at `at`. It may be due at several moments.
    pub fn set(&self, at: Elapsed, key: K) {
        let is_first = {
            let mut due = self.inner.due.lock();
            due.insert((at, key.clone()));
            due.first().is_some_and(|(first, first_key)| *first == at && *first_key == key)
        };
        if is_first {
            self.inner.earlier.notify_one();
        }
    }

    /// `key` is not due at `at` any more.
    pub fn clear(&self, at: Elapsed, key: K) {
        self.inner.due.lock().remove(&(at, key));
    }

    /// How many moments are set.
    pub fn len(&self) -> usize {
        self.inner.due.lock().len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `wake` for each key that is due, until the task is dropped.
    pub async fn ring(self, wake: impl Fn(K) + Send) {
        loop {
            let now = self.clock.elapsed();
            let (due, next) = self.take_due(now);
            due.into_iter().for_each(&wake);
            let sleep = next.map_or(LONGEST_SLEEP, |next| next.since(now)).min(LONGEST_SLEEP);
            let _ = tokio::time::timeout(sleep, self.inner.earlier.notified()).await;
        }
    }

    fn take_due(&self, now: Elapsed) -> (Vec<K>, Option<Elapsed>) {
        let mut due = self.inner.due.lock();
        let mut keys = Vec::new();
        while let Some((at, _)) = due.first() {
            if *at > now {
                return (keys, Some(*at));
            }
            keys.extend(due.pop_first().map(|(_, key)| key));
        }
        (keys, None)
    }
}
