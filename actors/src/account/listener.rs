//! Who is told of facts once they are durable: what follows from them is then done at once, and
//! found again after a crash by recovery.

use std::sync::Arc;

use events::account::{Event, State};
use events::id::AccountId;
use parking_lot::RwLock;

/// Is told of accounts' facts. Called by book-keepers, between two commands: it must not wait.
pub trait Listener: Send + Sync + 'static {
    /// These facts are durable and published.
    fn committed(&self, account: AccountId, events: &[Event]);

    /// Facts whose number is unknown became durable; this is the state they led to.
    fn learned(&self, account: AccountId, state: &State);
}

/// Everybody who is told.
#[derive(Default)]
pub struct Listeners(RwLock<Vec<Arc<dyn Listener>>>);

impl Listeners {
    pub(super) fn add(&self, listener: Arc<dyn Listener>) {
        self.0.write().push(listener);
    }

    pub(super) fn committed(&self, account: AccountId, events: &[Event]) {
        self.0.read().iter().for_each(|listener| listener.committed(account, events));
    }

    pub(super) fn learned(&self, account: AccountId, state: &State) {
        self.0.read().iter().for_each(|listener| listener.learned(account, state));
    }
}
