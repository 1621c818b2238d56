//! How many requests of one account may wait for news at a time: nobody may hold all the
//! connections there are.

use std::collections::HashMap;
use std::sync::Arc;

use actors::Accounts;
use events::account::{Standing, State};
use events::id::AccountId;
use parking_lot::Mutex;

use super::auth::Caller;
use super::error::{ApiError, ErrorCode};

/// Streams and long-polls of one account: a few for each order of a busy one, far from all
/// connections.
const PER_ACCOUNT: u32 = 64;

/// Who waits now.
#[derive(Debug, Clone, Default)]
pub struct WaitingRoom {
    waiting: Arc<Mutex<HashMap<AccountId, u32>>>,
}

/// A place in it; given back when dropped, also when the caller hangs up.
#[derive(Debug)]
pub struct Place {
    account: AccountId,
    room: WaitingRoom,
}

impl WaitingRoom {
    /// Takes a place for a request of `account`.
    pub fn enter(&self, account: AccountId) -> Result<Place, ApiError> {
        let mut waiting = self.waiting.lock();
        let places = waiting.entry(account).or_default();
        if *places >= PER_ACCOUNT {
            let text = format!(
                "This account already has {PER_ACCOUNT} streams and waiting requests open; close \
                 some first."
            );
            return Err(ApiError::new(ErrorCode::RateLimited, text).retry_after(5));
        }
        *places += 1;
        Ok(Place { account, room: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.room.waiting.lock();
        if let Some(places) = waiting.get_mut(&self.account) {
            *places -= 1;
            if *places == 0 {
                waiting.remove(&self.account);
            }
        }
    }
}

/// Why a caller may not wait any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessEnd {
    /// An operator has suspended the account.
    Suspended,
    /// The key it called with opens nothing any more.
    KeyRemoved,
}

impl AccessEnd {
    /// Whether the caller's access has ended, as the account is now.
    pub fn of(caller: &Caller, account: &State) -> Option<Self> {
        if is_suspended(account) {
            return Some(Self::Suspended);
        }
        let opens = account.api_keys.get(caller.key).is_some();
        let is_there = opens && account.standing != Standing::Removed;
        (!is_there).then_some(Self::KeyRemoved)
    }

    /// The word for it in a stream's last message.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Suspended => "account_suspended",
            Self::KeyRemoved => "key_removed",
        }
    }
}

impl From<AccessEnd> for ApiError {
    fn from(end: AccessEnd) -> Self {
        match end {
            AccessEnd::Suspended => Self::suspended(),
            AccessEnd::KeyRemoved => Self::new(
                ErrorCode::InvalidApiKey,
                "The API key was removed while the call waited.",
            ),
        }
    }
}

fn is_suspended(account: &State) -> bool {
    matches!(account.standing, Standing::Suspended(_))
}

/// Returns once the caller's access ends: whoever waits for the account's news waits no longer.
pub async fn access_ended(accounts: &Accounts, caller: &Caller) -> AccessEnd {
    tokio::select! {
        end = ended(accounts, caller.account, |account| AccessEnd::of(caller, account)) => end,
        end = live_account_ended(accounts, caller) => end,
    }
}

/// Returns once the live account is suspended that the caller's test account belongs to; never for
/// a caller whose account belongs to none.
pub async fn live_account_ended(accounts: &Accounts, caller: &Caller) -> AccessEnd {
    match caller.live_account() {
        Some(live) => {
            let suspended = |account: &State| is_suspended(account).then_some(AccessEnd::Suspended);
            // Boxed: few callers have one, and everybody's waits would be as large.
            Box::pin(ended(accounts, live, suspended)).await
        }
        None => std::future::pending().await,
    }
}

/// Returns once `end` says of the account that access to it has ended.
async fn ended(
    accounts: &Accounts,
    id: AccountId,
    end: impl Fn(&State) -> Option<AccessEnd> + Sync,
) -> AccessEnd {
    // Where it cannot be read, what is waited for says so itself.
    while let Ok(mut watch) = accounts.watch(id).await {
        let published = watch.wait_for(|published| end(&published.state).is_some()).await;
        if let Some(end) = published.ok().and_then(|published| end(&published.state)) {
            return end;
        }
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_so_many_places_and_gets_them_back() {
        let room = WaitingRoom::default();
        let places: Vec<Place> =
            (0..PER_ACCOUNT).map(|_| room.enter(AccountId(1)).unwrap()).collect();
        assert_eq!(room.enter(AccountId(1)).unwrap_err().code(), ErrorCode::RateLimited);
        assert!(room.enter(AccountId(2)).is_ok(), "others are not affected");
        drop(places);
        assert!(room.enter(AccountId(1)).is_ok());
        assert!(room.waiting.lock().is_empty(), "nobody is remembered who does not wait");
    }
}
