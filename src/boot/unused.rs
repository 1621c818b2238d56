//! Accounts that nobody has ever used are looked for, and closed.

use std::sync::Arc;
use std::time::Duration;

use actors::Fault;
use actors::kernel::entity::TransactError;
use actors::kernel::supervision::repeat_every;
use events::account::Command;
use events::envelope::{Actor, Position};
use events::id::AccountId;
use projections::ListedAccount;

use super::Service;
use crate::read_model::{chain_of, view_fault};

/// Between two looks at all accounts.
const LOOK: Duration = Duration::from_hours(1);
/// Accounts that are read at once.
const PAGE: u32 = 200;
/// Accounts that one look closes: others write to the same log.
const MOST_AT_ONCE: usize = 1_000;
const DAY: Duration = Duration::from_hours(24);

impl Service {
    /// Closes accounts that never had money and never ordered, as long as the service runs.
    pub(super) fn remove_unused(self: &Arc<Self>) {
        if self.config.registration.unused_days == 0 {
            return;
        }
        repeat_every(self, LOOK, |service| async move {
            match service.look_for_unused().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "accounts were removed that nobody used"),
                Err(fault) => tracing::warn!(
                    error = chain_of(&fault),
                    "accounts that nobody uses cannot be looked for"
                ),
            }
        });
    }

    async fn look_for_unused(&self) -> Result<usize, Fault> {
        let days = self.config.registration.unused_days;
        let before = self.clock.now().minus(DAY * days);
        let (mut removed, mut after) = (0, Position(0));
        while removed < MOST_AT_ONCE {
            let page = self.views.oldest_accounts(after, before, PAGE).await.map_err(view_fault)?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for account in page.iter().filter(|account| is_unused(account)) {
                removed += usize::from(self.remove(account.account, days).await?);
            }
        }
        Ok(removed)
    }

    /// Whether the account's own state, which alone decides, let it be closed.
    async fn remove(&self, account: AccountId, unused_days: u32) -> Result<bool, Fault> {
        let deposits = self.views.deposits(account, None, 1).await.map_err(view_fault)?;
        let test = self.accounts.find(account).await?.and_then(|known| known.state.test_account);
        let test = match test {
            Some(test) => self.accounts.find(test).await?,
            None => None,
        };
        let is_awaited = !deposits.is_empty() || test.is_some_and(|test| test.state.is_used);
        let at = self.clock.now();
        let remove = Command::RemoveUnused { unused_days, is_awaited, at };
        match self.accounts.transact(account, remove, Actor::Service, at).await {
            Ok(committed) => Ok(!committed.events.is_empty()),
            Err(TransactError::Refused(_)) => Ok(false),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }
}

/// Whether it is worth asking: what its view says may be old, and may leave out money that came and
/// went.
fn is_unused(account: &ListedAccount) -> bool {
    account.suspended.is_none() && account.sums == projections::AccountView::default()
}
