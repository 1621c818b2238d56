//! Deposits and webhooks as the configuration wants them.

use std::sync::Arc;
use std::time::Duration;

use actors::account;
use actors::deposit::simulated::Simulated;
use actors::store::EventStore;
use actors::webhook::{Answers, HttpSender, SenderSettings};
use actors::{Accounts, Deposits, Orders, Webhooks};
use projections::Views;

use super::BootError;
use crate::config::Config;
use crate::deposit_chains;
use crate::payloads::Writer;

/// How long a start waits for a chain to say which one it is.
const CHAIN_PATIENCE: Duration = Duration::from_secs(5);

/// Deposits as configured; a chain of the wrong network is a mistake that must be mended first.
pub(super) async fn deposits(
    config: &Config,
    simulated: bool,
    accounts: &Accounts,
) -> Result<Option<Deposits>, BootError> {
    if simulated {
        return Ok(Some(Deposits::simulated(
            accounts.clone(),
            Simulated::new(accounts.journal().clock()),
        )));
    }
    let coins = deposit_chains::configured(&config.deposits, accounts.journal().clock())
        .map_err(BootError::Deposits)?;
    if coins.is_empty() {
        return Ok(None);
    }
    let deposits = Deposits::watching(accounts.clone(), coins).await?;
    for coin in deposits.coins() {
        // One that does not answer yet is asked again by its watcher, which says so.
        let checked = tokio::time::timeout(CHAIN_PATIENCE, coin.check()).await;
        if let Ok(Err(error)) = checked
            && error.is_for_good()
        {
            return Err(BootError::Deposits(format!("deposits.{}: {error}", coin.currency())));
        }
    }
    Ok(Some(deposits))
}

/// What accounts may cause and wait for.
pub(super) fn accounts(config: &Config) -> account::Settings {
    let kibibytes = u64::from(config.registration.unfunded_log_kb);
    let unfunded_bytes = (kibibytes > 0).then_some(kibibytes << 10);
    account::Settings { unfunded_bytes, ..account::Settings::default() }
}

pub(super) fn webhooks(
    config: &Config,
    accounts: &Accounts,
    orders: &Orders,
    views: &Views,
    store: Arc<dyn EventStore>,
) -> Result<(Webhooks, Answers), BootError> {
    let settings = SenderSettings {
        allow_private_targets: config.webhooks.allow_private_targets,
        allowed_ports: config.webhooks.allowed_ports.clone(),
        dns_servers: config.webhooks.dns_servers.clone(),
        extra_ca_file: config.webhooks.extra_ca_file.clone(),
    };
    let post = HttpSender::new(&settings).map_err(BootError::Webhooks)?;
    let payloads =
        Writer { accounts: accounts.clone(), orders: orders.clone(), views: views.clone(), store };
    let answers = post.answers();
    Ok((Webhooks::start(accounts.clone(), Arc::new(payloads), Arc::new(post)), answers))
}
