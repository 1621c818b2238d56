//! What an operator is told without asking: that something is made up, and how the clock stands to
//! the log.

use std::sync::Arc;
use std::time::Duration;

use actors::Deposits;
use actors::kernel::clock::Clock;
use events::time::Timestamp;

use super::{BootError, Service};
use crate::http::TOLERATED_AHEAD;

/// How often the machine's clock is compared with the log's time.
const CLOCK_LOOK: Duration = Duration::from_secs(10);

impl Service {
    /// Says when the machine's clock falls behind the log, and when it has caught up.
    pub(super) fn watch_clock(self: &Arc<Self>) {
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut was_ahead = false;
            while let Some(clock) = service.upgrade().map(|service| service.clock) {
                let ahead = clock.ahead();
                let is_ahead = ahead > TOLERATED_AHEAD;
                if is_ahead && !was_ahead {
                    let seconds = ahead.as_secs();
                    tracing::warn!(
                        seconds,
                        "the machine's clock is behind the log, whose times never run back: was \
                         it set ahead for a while?"
                    );
                } else if was_ahead && !is_ahead {
                    tracing::info!("the machine's clock has caught up with the log");
                }
                was_ahead = is_ahead;
                tokio::time::sleep(CLOCK_LOOK).await;
            }
        });
    }

    /// Says of which suppliers nobody has stated where their numbers come from.
    fn warn_of_provenance(&self) {
        let (known, now) = (&self.provenances, self.provenances.now());
        let real = self.router.suppliers().filter(|supplier| !supplier.is_simulated());
        for supplier in real.filter(|supplier| !known.holds(supplier.name(), now)) {
            let supplier = supplier.name();
            if known.is_required() {
                tracing::error!(%supplier, "its provenance is not stated, or its time is over: no \
                    order has a number of it; `telenumerus supplier provenance state` states it");
            } else {
                tracing::warn!(%supplier, "its provenance is not stated, or its time is over; \
                    `telenumerus supplier provenance state` states it, and suppliers.provenance = \
                    \"require\" keeps orders from suppliers without");
            }
        }
    }

    pub(super) fn warn(&self) {
        self.warn_of_provenance();
        if self.deposits.as_ref().is_some_and(Deposits::is_simulated) {
            tracing::warn!(
                "deposits are SIMULATED: any transaction hash is credited $10; set \
                 deposits.simulated = false before real callers come"
            );
        } else if self.deposits.is_none() {
            tracing::warn!(
                "no chain is configured: balances grow by `telenumerus admin credit` only"
            );
        }
        let simulated = self.router.suppliers().any(|supplier| supplier.is_simulated());
        let is_real_money = self.deposits.as_ref().is_some_and(|deposits| !deposits.is_simulated());
        if simulated && is_real_money && self.router.suppliers().len() == 1 {
            tracing::warn!(
                "money is real and every number is made up: callers pay for made-up codes; set \
                 suppliers.simulator.enabled = false"
            );
        }
        if simulated && self.router.suppliers().len() > 1 {
            tracing::warn!(
                "the simulator stands behind real sources: orders they cannot serve get made-up \
                 codes; set suppliers.simulator.enabled = false"
            );
        }
    }
}

/// No record is stamped before the last one. A clock that is a little behind it is helped on; one
/// that is far behind is wrong, or was.
pub(super) fn start_clock(last: Timestamp, allowed: Duration) -> Result<(), BootError> {
    let now = Clock::System.now();
    let behind = last.since(now);
    if behind > allowed {
        return Err(BootError::Clock { now, last, allowed_seconds: allowed.as_secs() });
    }
    if !behind.is_zero() {
        tracing::warn!(%now, %last, "the clock is behind the log's last record: time goes on from \
            there until the clock has caught up");
    }
    Clock::not_before(last);
    Ok(())
}
