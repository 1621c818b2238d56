//! When each key was last used, in memory: what is recorded of every call would be more than what
//! the calls do.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::id::{AccountId, ApiKeyId};
use events::time::Timestamp;
use parking_lot::Mutex;

/// Keys remembered; a key takes about a hundred bytes.
const REMEMBERED: usize = 200_000;

/// The keys used since the service started.
#[derive(Debug, Clone, Default)]
pub struct KeyUses(Arc<Mutex<BTreeMap<(AccountId, ApiKeyId), Timestamp>>>);

impl KeyUses {
    /// A key was used.
    pub fn note(&self, account: AccountId, key: ApiKeyId, at: Timestamp) {
        let mut uses = self.0.lock();
        if let Some(last) = uses.get_mut(&(account, key)) {
            *last = at;
            return;
        }
        if uses.len() >= REMEMBERED {
            // Those used longest ago are what nobody asks for: everything before the median goes.
            let mut moments: Vec<Timestamp> = uses.values().copied().collect();
            let middle = moments.len() / 2;
            let (_, median, _) = moments.select_nth_unstable(middle);
            let median = *median;
            uses.retain(|_, last| *last > median);
        }
        uses.insert((account, key), at);
    }

    /// When a key was last used, if it was.
    pub fn last(&self, account: AccountId, key: ApiKeyId) -> Option<Timestamp> {
        self.0.lock().get(&(account, key)).copied()
    }

    /// A key is none any more.
    pub fn forget(&self, account: AccountId, key: ApiKeyId) {
        self.0.lock().remove(&(account, key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_counts_and_memory_is_bounded() {
        let uses = KeyUses::default();
        let at = |number: usize| Timestamp::from_millis(i64::try_from(number).unwrap());
        for number in 0..REMEMBERED + 10 {
            uses.note(AccountId(u128::try_from(number).unwrap()), ApiKeyId(1), at(number));
        }
        uses.note(AccountId(u128::try_from(REMEMBERED).unwrap()), ApiKeyId(1), at(1_000_000));
        assert!(uses.0.lock().len() <= REMEMBERED);
        assert_eq!(
            uses.last(AccountId(u128::try_from(REMEMBERED).unwrap()), ApiKeyId(1)),
            Some(at(1_000_000))
        );
        assert_eq!(uses.last(AccountId(0), ApiKeyId(1)), None, "the oldest went");
        uses.forget(AccountId(u128::try_from(REMEMBERED).unwrap()), ApiKeyId(1));
        assert_eq!(uses.last(AccountId(u128::try_from(REMEMBERED).unwrap()), ApiKeyId(1)), None);
    }
}
