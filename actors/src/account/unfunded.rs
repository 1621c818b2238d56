//! What owners of accounts that never had money may have done: opening such accounts costs nothing,
//! and each has its part of the disk.

use events::account::Command;
use events::id::AccountId;

use super::handle::Accounts;
use crate::kernel::fault::Fault;

impl Accounts {
    /// The command, within what an account may cause that never had money: itself, or the live one
    /// that it is for tests of.
    pub(super) async fn bounded(&self, id: AccountId, command: Command) -> Result<Command, Fault> {
        let Some(bytes) = self.unfunded_bytes().filter(|_| command.grows()) else {
            return Ok(command);
        };
        let Some(known) = self.find(id).await? else { return Ok(command) };
        let live = known.state.live_account();
        let pays = match live {
            Some(live) => self.find(live).await?.is_some_and(|live| live.state.was_ever_funded()),
            None => known.state.was_ever_funded(),
        };
        Ok(if pays { command } else { Command::Within { bytes, command: Box::new(command) } })
    }
}
