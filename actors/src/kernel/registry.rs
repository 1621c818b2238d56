//! Finds or starts the one actor of an id on this node.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

/// Locks the map is spread over: commands of different accounts rarely meet.
const SHARDS: usize = 16;

type Shard<K, E> = Mutex<HashMap<K, Arc<OnceCell<E>>>>;

/// The actors of one kind, by id. `E` is what is needed to talk to one; cloning it is cheap.
#[derive(Debug)]
pub struct Registry<K, E> {
    shards: Vec<Shard<K, E>>,
}

/// An id that can be spread over shards.
pub trait Key: Eq + Hash + Copy {
    /// Bits that differ between ids.
    fn bits(self) -> u128;
}

impl Key for events::id::AccountId {
    fn bits(self) -> u128 {
        self.0
    }
}

impl Key for events::id::OrderId {
    fn bits(self) -> u128 {
        self.0
    }
}

/// An order's attempt.
impl Key for (events::id::OrderId, u8) {
    fn bits(self) -> u128 {
        self.0.0
    }
}

impl Key for events::id::DepositId {
    fn bits(self) -> u128 {
        self.0
    }
}

impl<K: Key, E: Clone> Default for Registry<K, E> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl<K: Key, E: Clone> Registry<K, E> {
    fn shard(&self, key: K) -> &Shard<K, E> {
        let bits = usize::try_from(key.bits() & 0xffff).expect("16 bits fit any usize");
        &self.shards[bits % SHARDS]
    }

    /// The actor, if it runs.
    pub fn get(&self, key: K) -> Option<E> {
        self.shard(key).lock().get(&key).and_then(|cell| cell.get().cloned())
    }

    /// Does something with the actor, if it runs, while it cannot be forgotten. `f` must not wait.
    pub fn visit<T>(&self, key: K, f: impl FnOnce(&E) -> T) -> Option<T> {
        self.shard(key).lock().get(&key).and_then(|cell| cell.get()).map(f)
    }

    /// The actor; started by `start` if it does not run. Many callers at once start it once.
    pub async fn get_or_start<F, Error>(
        &self,
        key: K,
        start: impl FnOnce() -> F,
    ) -> Result<E, Error>
    where
        F: Future<Output = Result<E, Error>>,
    {
        let cell = Arc::clone(self.shard(key).lock().entry(key).or_default());
        let started = cell.get_or_try_init(start).await.cloned();
        if started.is_err() {
            // Leave nothing behind for an id that does not exist; a later caller tries anew.
            let mut shard = self.shard(key).lock();
            if shard
                .get(&key)
                .is_some_and(|known| Arc::ptr_eq(known, &cell) && !known.initialized())
            {
                shard.remove(&key);
            }
        }
        started
    }

    /// Forgets the actor if `is_it` says that it is the one meant.
    pub fn remove_if(&self, key: K, is_it: impl FnOnce(&E) -> bool) -> bool {
        let mut shard = self.shard(key).lock();
        let meant = shard.get(&key).and_then(|cell| cell.get()).is_some_and(is_it);
        if meant {
            shard.remove(&key);
        }
        meant
    }

    /// Forgets the one actor that `is_it` says is meant, wherever it is.
    pub fn take(&self, is_it: impl Fn(&E) -> bool) -> Option<(K, E)> {
        self.all()
            .into_iter()
            .find(|(_, running)| is_it(running))
            .filter(|(key, _)| self.remove_if(*key, is_it))
    }

    /// Every running actor.
    pub fn all(&self) -> Vec<(K, E)> {
        let running = |shard: &Shard<K, E>| {
            shard
                .lock()
                .iter()
                .filter_map(|(key, cell)| Some((*key, cell.get()?.clone())))
                .collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(running).collect()
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
