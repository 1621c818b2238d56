//! Where a start goes on: orders, leases, deliveries and deposits, from what the log says of them.

use actors::Deposits;
use actors::numbers::Lease;
use projections::Assigned;

use super::{BootError, Service};
use crate::telemetry::OrderMetrics;

impl Service {
    /// Lets every open order and deposit go on from where its state says it is.
    pub(super) async fn resume(&self, metrics: &OrderMetrics) -> Result<(), BootError> {
        let orders = self.views.open_orders().await?;
        let mut deposits = Vec::new();
        for chain in self.deposits.iter().flat_map(Deposits::chains) {
            deposits.extend(self.views.open_deposits(chain).await?);
        }
        if !orders.is_empty() || !deposits.is_empty() {
            tracing::info!(
                orders = orders.len(),
                deposits = deposits.len(),
                "open orders and deposits go on"
            );
        }
        let open: Vec<_> = orders.into_iter().map(|order| (order.account, order.order)).collect();
        let damaged = self.orders.resume(&open).await?;
        for (account, order) in &open {
            if let Ok(Some(known)) = self.accounts.order(*account, *order).await {
                metrics.resume(*account, &known);
            }
        }
        for assigned in self.views.assigned(damaged).await? {
            // The order cannot be read; its number must not be given to another one all the same.
            let Assigned { account, order, supplier, phone, platform, country, at } = assigned;
            self.orders.hold_number(&Lease {
                account,
                order,
                attempt: 1,
                supplier,
                phone,
                platform,
                country,
                assigned_at: at,
                scenario: None,
            });
        }
        for pull in &self.pulls {
            pull.resume(self.views.open_leases(pull.name().to_string()).await?).await?;
        }
        for supplier in self.views.sources_with_open_leases().await? {
            if !self.pulls.iter().any(|pull| *pull.name() == supplier) {
                tracing::error!(%supplier, "a source has numbers leased to us and is not \
                    configured any more: they cost until it is, or gives them back by itself");
            }
        }
        for account in self.views.accounts_with_open_deliveries().await? {
            self.webhooks.resume(account);
        }
        self.parts.resume(self.views.numbers_with_parts().await?);
        if let Some(handle) = &self.deposits {
            for deposit in deposits {
                handle.follow(deposit).await?;
            }
        }
        Ok(())
    }
}
