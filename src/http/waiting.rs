//! How many requests of one account may wait for news at a time: nobody may hold all the connections there are.

use std::collections::HashMap;
use std::sync::Arc;

use actors::Accounts;
use events::account::Standing;
use events::id::AccountId;
use parking_lot::Mutex;

use super::error::{ApiError, ErrorCode};

/// Streams and long-polls of one account: a few for each order of a busy one, far from all connections.
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
            let text = format!("This account already has {PER_ACCOUNT} streams and waiting requests open; close some first.");
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

/// Returns once the account is suspended: whoever waits for its news waits no longer.
pub async fn suspended(accounts: &Accounts, account: AccountId) {
    // Where it cannot be read, what is waited for says so itself.
    while let Ok(mut watch) = accounts.watch(account).await {
        let is_suspended = watch.wait_for(|published| matches!(published.state.standing, Standing::Suspended(_))).await.is_ok();
        if is_suspended {
            return;
        }
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_so_many_places_and_gets_them_back() {
        let room = WaitingRoom::default();
        let places: Vec<Place> = (0..PER_ACCOUNT).map(|_| room.enter(AccountId(1)).unwrap()).collect();
        assert_eq!(room.enter(AccountId(1)).unwrap_err().code(), ErrorCode::RateLimited);
        assert!(room.enter(AccountId(2)).is_ok(), "others are not affected");
        drop(places);
        assert!(room.enter(AccountId(1)).is_ok());
        assert!(room.waiting.lock().is_empty(), "nobody is remembered who does not wait");
    }
}
