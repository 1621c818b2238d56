//! Orders that have their codes and listen: each is a line in a table and an alarm, not an actor,
//! for there are many more of them than of orders that wait for a code. A runner takes one up again
//! when something happens to it.

use std::sync::Arc;

use events::id::{AccountId, OrderId};
use events::time::Timestamp;

use super::handle::{Inner, Orders};
use crate::kernel::clock::Elapsed;
use crate::kernel::supervision::STEP_RETRY;
use crate::numbers::Lease;

/// An order that listens.
#[derive(Debug)]
pub struct Listening {
    /// Whose order.
    pub account: AccountId,
    /// The number it keeps.
    pub lease: Option<Lease>,
    /// Until when, by the log and in elapsed time.
    pub deadline: (Timestamp, Elapsed),
}

/// From here on the order needs no runner until its alarm rings or somebody wakes it.
pub async fn begin(inner: &Arc<Inner>, order: OrderId, listening: Listening) {
    let (account, (_, due)) = (listening.account, listening.deadline);
    inner.listening.lock().insert(order, listening);
    inner.runners.alarm().set(due, order);
    // Whoever finished it just now found neither a runner nor the line in the table.
    let is_over = match inner.accounts.order(account, order).await {
        Ok(state) => state.is_none_or(|state| state.is_over()),
        Err(_) => true,
    };
    if is_over {
        take_up(inner, order);
    }
}

/// Gives the order a runner again, if it listens.
pub fn take_up(inner: &Arc<Inner>, order: OrderId) {
    let Some(Listening { account, lease, deadline }) = inner.listening.lock().remove(&order) else {
        return;
    };
    inner.runners.alarm().clear(deadline.1, order);
    let orders = Orders { inner: Arc::clone(inner) };
    tokio::spawn(async move {
        while orders
            .start_runner_within(account, order, lease.clone(), Some(deadline))
            .await
            .is_err()
        {
            tokio::time::sleep(STEP_RETRY).await;
        }
    });
}
