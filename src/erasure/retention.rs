//! The end of what messages say, and of orders' numbers: so long after their orders were over,
//! their keys are erased.

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
use crate::config::Retention;
use crate::read_model::chain_of;

/// Between two looks.
const LOOK: Duration = Duration::from_mins(5);
/// Orders looked at together, and erased by one fact.
const PAGE: u32 = 200;
/// What the log says of why.
const REASON: &str = "retention";

/// Kinds that end by themselves, and the name under which the vault has up to which end orders were
/// looked at.
const ENDING: [(SecretKind, &str); 2] =
    [(SecretKind::Message, "messages kept until"), (SecretKind::Phone, "numbers kept until")];

/// Has all orders looked at again.
pub fn begin_anew(vault: &Vault) -> Result<(), VaultError> {
    ENDING.iter().try_for_each(|(_, looked_at)| vault.set_progress(looked_at, 0))
}

/// For how long secrets of a kind are kept after their order's end; `None` is for ever.
fn kept(kind: SecretKind, retention: Retention) -> Option<Duration> {
    let hours = match kind {
        SecretKind::Message => retention.messages_hours,
        SecretKind::Phone => retention.numbers_days.saturating_mul(24),
        SecretKind::Webhook => 0,
    };
    (hours > 0).then(|| Duration::from_hours(hours.into()))
}

impl Service {
    /// Erases what was kept for as long as the configuration wants, as long as the service runs.
    pub fn keep_retention(self: &Arc<Self>) {
        let is_ended =
            |(kind, _): &(SecretKind, &str)| kept(*kind, self.config.retention).is_some();
        if self.store.vault().is_none() || !ENDING.iter().any(is_ended) {
            return;
        }
        repeat_every(self, LOOK, |service| async move {
            for (kind, looked_at) in ENDING {
                service.look_at_old(kind, looked_at).await;
            }
        });
    }

    async fn look_at_old(&self, kind: SecretKind, looked_at: &str) {
        let Some(kept) = kept(kind, self.config.retention) else { return };
        let kind_name = kind.name();
        match self.erase_what_is_old(kind, looked_at, kept).await {
            Ok(0) => {}
            Ok(orders) => tracing::info!(orders, "{kind_name} of old orders are erased"),
            Err(error) => tracing::warn!(
                error = chain_of(&error),
                "{kind_name} of old orders cannot be erased; it is tried again"
            ),
        }
    }

    async fn erase_what_is_old(
        &self,
        kind: SecretKind,
        looked_at: &str,
        kept: Duration,
    ) -> Result<usize, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        let before = self.clock.now().minus(kept);
        let mut orders = 0;
        loop {
            let after = Timestamp::from_millis(vault.progress(looked_at)?);
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
                let found = self.keys_of_order(place, &[kind]).await?;
                if !found.is_unsealed && self.has_keys(&found.names)? {
                    old.push(Subject { account: place.account, order: Some(place.order) });
                }
            }
            if !old.is_empty() {
                orders += old.len();
                self.erase(old, &[kind], REASON, Actor::Service).await?;
            }
            vault.set_progress(looked_at, end.millis())?;
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
