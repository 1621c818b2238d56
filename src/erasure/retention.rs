//! The end of what messages say: so long after their orders were over, their keys are erased.

use std::sync::Arc;
use std::time::Duration;

use actors::kernel::supervision::repeat_every;
use actors::vault::{Vault, VaultError};
use events::codec::SecretKind;
use events::envelope::Actor;
use events::erasure::Subject;
use events::time::Timestamp;

use super::ErasureError;
use crate::boot::Service;
use crate::read_model::chain_of;

/// Between two looks.
const LOOK: Duration = Duration::from_mins(5);
/// Orders looked at together, and erased by one fact.
const PAGE: u32 = 200;
/// Up to which end orders were looked at, in the vault.
const LOOKED_AT: &str = "messages kept until";
/// What the log says of why.
const REASON: &str = "retention";

/// Has all orders looked at again.
pub fn begin_anew(vault: &Vault) -> Result<(), VaultError> {
    vault.set_progress(LOOKED_AT, 0)
}

impl Service {
    /// Erases what messages say when it was kept for as long as the configuration wants, as long as
    /// the service runs.
    pub fn keep_retention(self: &Arc<Self>) {
        if self.config.retention.messages_hours == 0 || self.store.vault().is_none() {
            return;
        }
        repeat_every(self, LOOK, |service| async move {
            match service.erase_what_is_old().await {
                Ok(0) => {}
                Ok(orders) => tracing::info!(orders, "what messages of old orders say is erased"),
                Err(error) => tracing::warn!(
                    error = chain_of(&error),
                    "what messages of old orders say cannot be erased; it is tried again"
                ),
            }
        });
    }

    async fn erase_what_is_old(&self) -> Result<usize, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        let kept = Duration::from_hours(self.config.retention.messages_hours.into());
        let before = self.clock.now().minus(kept);
        let mut orders = 0;
        loop {
            let after = Timestamp::from_millis(vault.progress(LOOKED_AT)?);
            let page = self.views.over_between(after, before, PAGE).await?;
            let Some(end) = next(&page.iter().map(|(_, over)| *over).collect::<Vec<_>>(), after)
            else {
                return Ok(orders);
            };
            let held = self.erasures.state();
            let mut old = Vec::new();
            for (place, _) in page.into_iter().filter(|(_, over)| *over <= end) {
                if held.held().contains_key(&place.account) {
                    continue;
                }
                let found = self.keys_of_order(place, &[SecretKind::Message]).await?;
                if !found.is_unsealed && self.has_keys(&found.names)? {
                    old.push(Subject { account: place.account, order: Some(place.order) });
                }
            }
            if !old.is_empty() {
                orders += old.len();
                self.erase(old, REASON, Actor::Service).await?;
            }
            vault.set_progress(LOOKED_AT, end.millis())?;
        }
    }
}

/// Up to which end a page of orders is whole: one that is full may have left out others that ended
/// in the same moment as its last.
fn next(ends: &[Timestamp], after: Timestamp) -> Option<Timestamp> {
    let last = *ends.last()?;
    let is_full = ends.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
    let before = ends.iter().rev().find(|end| **end < last).copied();
    match before {
        Some(before) if is_full && before > after => Some(before),
        Some(_) | None => Some(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_is_taken_up_to_its_last_whole_moment() {
        let at = Timestamp::from_millis;
        assert_eq!(next(&[], at(0)), None);
        assert_eq!(next(&[at(3), at(4)], at(0)), Some(at(4)), "there is no more");
        let mut full = vec![at(3); 199];
        full.push(at(4));
        assert_eq!(next(&full, at(0)), Some(at(3)));
        assert_eq!(next(&[at(4); 200], at(3)), Some(at(4)), "more than a page in one moment");
    }
}
