//! One at a time by key: whoever writes into a key's stream waits for the one before, instead of
//! both deciding on the same past.

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

/// Keys are spread over so many locks.
const LOCKS: usize = 64;

/// A lock for each key. Two keys may share one: that costs waiting, and nothing else.
#[derive(Debug)]
pub struct KeyedMutex(Vec<Mutex<()>>);

impl Default for KeyedMutex {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::default()).collect())
    }
}

impl KeyedMutex {
    /// Waits for the key's lock, which is held as long as the guard.
    pub async fn lock(&self, key: &str) -> MutexGuard<'_, ()> {
        let digest = Sha256::digest(key);
        self.0[usize::from(digest[0]) % LOCKS].lock().await
    }
}
