//! Taking turns on a number: whoever writes into its stream waits for the one before, instead of both deciding on the same past.

use events::phone::Phone;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

/// Numbers are spread over so many locks.
const LOCKS: usize = 64;

/// One turn at a time a number.
#[derive(Debug)]
pub struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// Waits for the number's turn, which lasts as long as the guard.
    pub async fn take(&self, phone: &Phone) -> MutexGuard<'_, ()> {
        let digest = Sha256::digest(phone.as_str());
        self.0[usize::from(digest[0]) % LOCKS].lock().await
    }
}
