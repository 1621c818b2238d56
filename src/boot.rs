//! The composition root: opens the store, brings the views up, lets open orders go on, and hands
//! out what the listeners need.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actors::account;
use actors::account::History;
use actors::deposit::simulated::Simulated;
use actors::inbox::REPEATED_WITHIN;
use actors::kernel::clock::{Clock, Stopwatch};
use actors::kernel::entropy::Entropy;
use actors::numbers::{Lease, Router, SessionAvailability};
use actors::store::EventStore;
use actors::store::sqlite::{self, Loss, SqliteStore};
use actors::webhook::{Answers, HttpSender, SenderSettings};
use actors::{Accounts, Deposits, Fault, Inbox, Inventory, Journal, Orders, Parts, Webhooks};
use events::price::Catalogue;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;
use projections::{Assigned, Log, Projector, ViewError, Views};
use suppliers::http::Pull;
use suppliers::inbound::InboundFormat;
use suppliers::purchasing::NumberPurchasing;
use suppliers::smpp::{self, BindConfiguration, Smpp};
use thiserror::Error;

use crate::config::{Config, ConfigError};
use crate::data::LockError;
use crate::feed::{StoreLog, ViewedAssignments, ViewedEnds, chain_of};
use crate::http::TOLERATED_AHEAD;
use crate::past;
use crate::payloads::Writer;
use crate::sources::{self, Sources};
use crate::telemetry::OrderMetrics;
use crate::{coins, data};

/// How long a start waits for a chain to say which one it is.
const CHAIN_PATIENCE: Duration = Duration::from_secs(5);

/// The service could not start; the text says what to do.
#[derive(Debug, Error)]
pub enum BootError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory.
    #[error("the data directory {path}: {source}")]
    Data { path: PathBuf, source: LockError },
    /// The event log.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// The clock cannot be right.
    #[error(
        "the clock says {now}, and the log's last record is of {last}: set the clock right, or, \
         if it is and the record is not, let it be further behind \
         (store.max_clock_behind_seconds, now {allowed_seconds}); the service then counts on from \
         the record's time"
    )]
    Clock { now: Timestamp, last: Timestamp, allowed_seconds: u64 },
    /// The views.
    #[error(transparent)]
    Views(#[from] projections::OpenError),
    /// The views could not be brought up to the log.
    #[error("the log could not be replayed: {0}")]
    Replay(String),
    /// Deposits cannot be taken as the configuration wants it.
    #[error("{0}")]
    Deposits(String),
    /// Sources cannot be used as the configuration wants it.
    #[error("{0}")]
    Suppliers(String),
    /// Webhooks cannot be sent as the configuration wants it.
    #[error("webhooks: {0}")]
    Webhooks(String),
    /// An open order or deposit could not go on.
    #[error("an open order or deposit could not be resumed: {0}")]
    Resume(String),
}

impl From<ViewError> for BootError {
    fn from(error: ViewError) -> Self {
        Self::Replay(error.to_string())
    }
}

impl From<Fault> for BootError {
    fn from(fault: Fault) -> Self {
        Self::Resume(chain_of(&fault))
    }
}

/// How often the machine's clock is compared with the log's time.
const CLOCK_LOOK: Duration = Duration::from_secs(10);

/// Everything the listeners need.
pub struct Service {
    pub accounts: Accounts,
    /// Answers about the past of accounts.
    pub history: History,
    pub orders: Orders,
    pub inbox: Inbox,
    /// Where parts of messages go.
    pub parts: Parts,
    /// How messages are read of each supplier that brings them to us.
    pub inbound_formats: BTreeMap<SupplierName, Arc<dyn InboundFormat>>,
    /// Sessions at SMSCs; none before open orders have their numbers again.
    pub smpp: OnceLock<Smpp>,
    pub router: Arc<Router>,
    /// Sources that are asked for each number.
    pub pulls: Vec<Pull>,
    /// The numbers in the pools.
    pub inventory: Inventory,
    /// Where numbers are bought and given back.
    pub purchasing: NumberPurchasing,
    pub webhooks: Webhooks,
    /// What receivers answered last.
    pub webhook_answers: Answers,
    /// `None` where no chain is configured: only operators credit.
    pub deposits: Option<Deposits>,
    pub views: Views,
    pub store: Arc<SqliteStore>,
    pub catalogue: Catalogue,
    pub config: Config,
    pub clock: Clock,
    pub entropy: Entropy,
    pub started: Stopwatch,
    /// Why the views have stopped, if they have.
    pub views_stopped: Mutex<Option<String>>,
    /// Held as long as the service runs: two writers on one log would each believe to be the only
    /// one.
    _lock: File,
}

impl Service {
    /// Starts everything but the listeners.
    pub async fn start(
        config: Config,
        data_dir: &Path,
        loss: Loss,
    ) -> Result<Arc<Self>, BootError> {
        let simulated_deposits = config.simulated_deposits()?;
        config.simulated_numbers()?;
        let catalogue = config.catalogue()?;
        let lock = data::lock(data_dir)
            .map_err(|source| BootError::Data { path: data_dir.to_owned(), source })?;
        data::make_private(data_dir);
        let store = Arc::new(SqliteStore::open_with(data_dir, Arc::new(end_process), loss)?);
        store.keep_free(u64::from(config.store.reserve_mb) << 20);
        if let Some(last) = store.last_stamp() {
            start_clock(last, Duration::from_secs(config.store.max_clock_behind_seconds.into()))?;
        }
        let log: Arc<dyn Log> = Arc::new(StoreLog(Arc::clone(&store) as Arc<dyn EventStore>));
        past::forget_views_of_another(&store, data_dir).await?;
        let views = Views::open(data_dir)?;
        let projector = Projector::new(views.clone());
        projector.catch_up(&log).await.map_err(|error| BootError::Replay(error.to_string()))?;
        store.witnessed_by(Arc::new(ViewedEnds(views.clone())));

        let (clock, entropy) = (Clock::System, Entropy::System);
        let accounts = Accounts::new(
            Journal::new(Arc::clone(&store) as Arc<dyn EventStore>, clock, entropy.clone()),
            account::Settings::default(),
        );
        let recent = views.numbers_on_orders(clock.now().minus(REPEATED_WITHIN)).await?;
        let Sources { router, reach, simulator, pulls, inventory, purchasing } =
            sources::sources(&config, &views, &accounts, &entropy, &recent).await?;
        let orders = Orders::start(accounts.clone(), Arc::clone(&router));
        let past = Arc::new(ViewedAssignments { views: views.clone(), head: store.head() });
        let recent = recent.into_iter().map(|(phone, _)| phone);
        let inbox = Inbox::new(accounts.clone(), orders.clone(), Arc::clone(&router), past, recent);
        for pull in &pulls {
            pull.connect(orders.clone(), inbox.clone());
        }
        let parts = Parts::start(
            accounts.journal().clone(),
            inbox.clone(),
            Duration::from_secs(config.suppliers.parts_wait_seconds.into()),
        );
        let deposits = deposits(&config, simulated_deposits, &accounts).await?;
        let (webhooks, webhook_answers) = webhooks(
            &config,
            &accounts,
            &orders,
            &views,
            Arc::clone(&store) as Arc<dyn EventStore>,
        )?;
        let history = History::of(Arc::clone(&store) as Arc<dyn EventStore>);
        let service = Arc::new(Self {
            accounts,
            history,
            orders,
            inbox,
            parts,
            inbound_formats: sources::inbound_formats(&config),
            smpp: OnceLock::new(),
            router,
            pulls,
            inventory,
            purchasing,
            webhooks,
            webhook_answers,
            deposits,
            views,
            store,
            catalogue,
            config,
            clock,
            entropy,
            started: Stopwatch::start(),
            views_stopped: Mutex::new(None),
            _lock: lock,
        });
        let metrics = OrderMetrics::new();
        service.accounts.listen(Arc::clone(&metrics) as Arc<dyn account::Listener>);
        service.resume(&metrics).await?;
        // Only now: a message must find its order's runner at work.
        service.bind(reach).await?;
        tokio::spawn(simulator.run(service.inbox.clone(), service.orders.clone()));
        service.follow(projector, log);
        service.warn();
        service.watch_clock();
        // Word lists are read at their first use, which no caller should wait for.
        tokio::task::spawn_blocking(|| natural_language::understand("a Google number"));
        Ok(service)
    }

    /// Lets every open order and deposit go on from where its state says it is.
    async fn resume(&self, metrics: &OrderMetrics) -> Result<(), BootError> {
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

    /// Binds at the configured SMSCs.
    async fn bind(&self, reach: Arc<SessionAvailability>) -> Result<(), BootError> {
        let context = smpp::SessionContext {
            supplier: name("smpp"),
            inbox: self.inbox.clone(),
            parts: self.parts.clone(),
            reach,
            entropy: self.entropy.clone(),
            counted: Arc::new(|outcome| {
                metrics::counter!("inbound_messages_total", "supplier" => "smpp", "outcome" => outcome).increment(1);
            }),
            noticed: Arc::new(|oddity| {
                metrics::counter!("smpp_oddities_total", "oddity" => oddity).increment(1);
            }),
        };
        let sessions = Smpp::start(
            self.config.suppliers.smpp.binds.iter().map(BindConfiguration::bind).collect(),
            &context,
        )
        .await?;
        let _ = self.smpp.set(sessions);
        Ok(())
    }

    fn follow(self: &Arc<Self>, projector: Projector, log: Arc<dyn Log>) {
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            if let Err(error) = projector.follow(&log).await
                && let Some(service) = service.upgrade()
            {
                *service.views_stopped.lock() = Some(error.to_string());
            }
        });
    }

    /// Says when the machine's clock falls behind the log, and when it has caught up.
    fn watch_clock(self: &Arc<Self>) {
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

    fn warn(&self) {
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

    /// Takes what is under way, then closes the log.
    pub async fn close(&self) {
        if let Some(sessions) = self.smpp.get() {
            sessions.stop().await;
        }
        self.store.close().await;
    }
}

/// Deposits as configured; a chain of the wrong network is a mistake that must be mended first.
async fn deposits(
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
    let coins =
        coins::coins(&config.deposits, accounts.journal().clock()).map_err(BootError::Deposits)?;
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

fn webhooks(
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

pub(crate) fn name(name: &str) -> SupplierName {
    name.parse().expect("built-in suppliers have proper names")
}

/// Nothing may be acknowledged any more: the only safe thing is to stop, and to be started again
/// from what is on disk.
fn end_process(reason: &str) {
    // Not through the log, whose lines wait for their turn: there is none left.
    eprintln!("telenumerus: {reason}; the service ends now");
    std::process::exit(70);
}

/// No record is stamped before the last one. A clock that is a little behind it is helped on; one
/// that is far behind is wrong, or was.
fn start_clock(last: Timestamp, allowed: Duration) -> Result<(), BootError> {
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
