//! The composition root: opens the store, brings the views up, lets open orders go on, and hands
//! out what the listeners need.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actors::account;
use actors::account::{History, Invites};
use actors::inbox::REPEATED_WITHIN;
use actors::kernel::clock::{Clock, Stopwatch};
use actors::kernel::entropy::Entropy;
use actors::numbers::{Provenances, Router, SessionAvailability};
use actors::store::EventStore;
use actors::store::shared::SharedLog;
use actors::store::sqlite::{self, Loss, SqliteStore};
use actors::webhook::Answers;
use actors::{
    Accounts, Deposits, Fault, Inbox, Inventory, Journal, Orders, Parts, Policies, Webhooks,
};
use events::policy::Judge;
use events::price::Catalogue;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;
use projections::{Log, LogError, Projector, ViewError, Views};
use suppliers::http::Pull;
use suppliers::inbound::InboundFormat;
use suppliers::purchasing::NumberPurchasing;
use suppliers::simulator::Simulator;
use suppliers::smpp::{self, BindConfiguration, Smpp};
use thiserror::Error;

use crate::config::{Config, ConfigError};
use crate::data::LockError;
use crate::erasure::Erasures;
use crate::node::Leading;
use crate::read_model::{StoreLog, ViewedAssignments, ViewedEnds, chain_of};
use crate::sources::{self, Sources};
use crate::telemetry::OrderMetrics;
use crate::{data, past};

mod configured;
mod resume;
mod unused;
mod watch;

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
    /// An erasure that a stop had interrupted.
    #[error("an erasure that was decided could not be carried out: {0}")]
    Erasure(String),
    /// The key of the vault.
    #[error("{0}")]
    Vault(String),
    /// The log is not this node's alone.
    #[error(
        "the log of {path} is shared (store.shared): what is appended goes through the node that \
         leads; ask it, or start this one"
    )]
    Shared { path: PathBuf },
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
    /// What orders are judged by.
    pub policies: Policies,
    /// Codes that open accounts.
    pub invites: Invites,
    /// What of the log's secrets was erased, and what may not be.
    pub erasures: Erasures,
    /// Where suppliers' numbers come from, as the operator has stated it.
    pub provenances: Arc<Provenances>,
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
    _lock: Option<File>,
    /// Of this node over a shared log, with the lock.
    leading: Option<Leading>,
}

/// The views could not be built, for this reason.
fn unbuilt(error: LogError) -> BootError {
    BootError::Replay(match error {
        LogError::Failed(detail) => detail,
        LogError::Unreadable(detail) => format!(
            "{detail}. Views are built of every record: restore a backup of the log, or the \
             views.db that went with it"
        ),
    })
}

impl Service {
    /// Starts everything but the listeners.
    pub async fn start(
        config: Config,
        data_dir: &Path,
        loss: Loss,
        leading: Option<Leading>,
    ) -> Result<Arc<Self>, BootError> {
        let simulated_deposits = config.simulated_deposits()?;
        config.simulated_numbers()?;
        let catalogue = config.catalogue()?;
        let (lock, store) = open_log(&config, data_dir, loss, leading.as_ref())?;
        let (log, views, projector) = viewed(&store, data_dir).await?;

        let (clock, entropy) = (Clock::System, Entropy::System);
        let accounts = Accounts::new(
            Journal::new(Arc::clone(&store) as Arc<dyn EventStore>, clock, entropy.clone()),
            configured::accounts(&config),
        );
        let recent = views.numbers_on_orders(clock.now().minus(REPEATED_WITHIN)).await?;
        let policies = Policies::open(accounts.journal().clone()).await?;
        let invites = Invites::open(accounts.journal().clone()).await?;
        let erasures = Erasures::open(accounts.journal().clone()).await?;
        let Sources { router, provenances, reach, simulator, pulls, inventory, purchasing } =
            sources::sources(&config, &views, &accounts, &entropy, &recent, store.vault()).await?;
        let orders = Orders::start(accounts.clone(), Arc::clone(&router));
        let vault = store.vault().cloned();
        let past = Arc::new(ViewedAssignments { views: views.clone(), head: store.head(), vault });
        let recent = recent.into_iter().map(|(phone, _)| phone);
        let inbox = Inbox::new(accounts.clone(), orders.clone(), Arc::clone(&router), past, recent)
            .holding(&config.orders.held_kinds());
        for pull in &pulls {
            pull.connect(orders.clone(), inbox.clone());
        }
        let wait = Duration::from_secs(config.suppliers.parts_wait_seconds.into());
        let parts = Parts::start(accounts.journal().clone(), inbox.clone(), wait);
        let deposits = configured::deposits(&config, simulated_deposits, &accounts).await?;
        let (webhooks, webhook_answers) = configured::webhooks(
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
            policies,
            invites,
            erasures,
            provenances,
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
            leading,
        });
        service.go_on(reach, simulator, projector, log).await?;
        Ok(service)
    }

    /// Takes up what was under way, then everything that is new.
    async fn go_on(
        self: &Arc<Self>,
        reach: Arc<SessionAvailability>,
        simulator: Arc<Simulator>,
        projector: Projector,
        log: Arc<dyn Log>,
    ) -> Result<(), BootError> {
        let metrics = OrderMetrics::new();
        self.accounts.listen(Arc::clone(&metrics) as Arc<dyn account::Listener>);
        self.resume(&metrics).await?;
        // Only now: a message must find its order's runner at work.
        self.bind(reach).await?;
        tokio::spawn(simulator.run(self.inbox.clone(), self.orders.clone()));
        self.follow(projector, log);
        self.warn();
        self.watch_clock();
        self.remove_unused();
        self.carry_on_erasing().await.map_err(|error| BootError::Erasure(chain_of(&error)))?;
        self.keep_retention();
        // Word lists are read at their first use, which no caller should wait for.
        tokio::task::spawn_blocking(|| natural_language::understand("a Google number"));
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
                metrics::counter!(
                    "inbound_messages_total", "supplier" => "smpp", "outcome" => outcome
                )
                .increment(1);
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

    /// The leadership of this node, if its log is one that several share.
    pub fn leading(&self) -> Option<&Leading> {
        self.leading.as_ref()
    }

    /// Whether appends can be written, as far as the last one shows, and the shared log's answers.
    pub fn takes_appends(&self) -> bool {
        self.store.takes_appends() && self.leading.as_ref().is_none_or(Leading::is_reached)
    }

    /// By what an order is judged now.
    pub fn judge(&self) -> Judge {
        let real_numbers = self.router.suppliers().any(|supplier| !supplier.is_simulated());
        Judge { policy: self.policies.in_force(), real_numbers }
    }

    /// Takes what is under way, then closes the log.
    pub async fn close(&self) {
        if let Some(sessions) = self.smpp.get() {
            sessions.stop().await;
        }
        if let Some(leading) = &self.leading {
            leading.release(self.accounts.journal()).await;
        }
        self.store.close().await;
        if let Some(leading) = &self.leading {
            leading.end().await;
        }
    }
}

/// The directory's lock and its log, with a clock that does not run behind it.
pub(crate) fn open_store(
    config: &Config,
    data_dir: &Path,
    loss: Loss,
) -> Result<(File, Arc<SqliteStore>), BootError> {
    if config.store.shared.is_some() {
        return Err(BootError::Shared { path: data_dir.to_owned() });
    }
    let lock = data::lock(data_dir)
        .map_err(|source| BootError::Data { path: data_dir.to_owned(), source })?;
    data::make_private(data_dir);
    Ok((lock, opened(config, data_dir, loss, None)?))
}

/// The log as views read it, and the views as far as it goes.
async fn viewed(
    store: &Arc<SqliteStore>,
    data_dir: &Path,
) -> Result<(Arc<dyn Log>, Views, Projector), BootError> {
    let log: Arc<dyn Log> = Arc::new(StoreLog(Arc::clone(store) as Arc<dyn EventStore>));
    past::forget_views_of_another(store, data_dir).await?;
    let views = Views::open(data_dir)?;
    let projector = Projector::new(views.clone());
    projector.catch_up(&log).await.map_err(unbuilt)?;
    store.witnessed_by(Arc::new(ViewedEnds(views.clone())));
    Ok((log, views, projector))
}

/// The directory's log, with its lock unless that is the leader's of a shared one.
fn open_log(
    config: &Config,
    data_dir: &Path,
    loss: Loss,
    leading: Option<&Leading>,
) -> Result<(Option<File>, Arc<SqliteStore>), BootError> {
    let Some(leading) = leading else {
        let (lock, store) = open_store(config, data_dir, loss)?;
        return Ok((Some(lock), store));
    };
    Ok((None, opened(config, data_dir, loss, Some(Arc::clone(&leading.log)))?))
}

fn opened(
    config: &Config,
    data_dir: &Path,
    loss: Loss,
    shared: Option<Arc<dyn SharedLog>>,
) -> Result<Arc<SqliteStore>, BootError> {
    let master = config.vault.master().map_err(BootError::Vault)?;
    let on_fatal = Arc::new(end_process);
    let store = SqliteStore::open_under(data_dir, on_fatal, loss, master.as_ref(), shared)?;
    let store = Arc::new(store);
    if store.vault().is_some() {
        tracing::info!("the vault is on: secrets are written under keys of their own");
    }
    for exposure in config.vault.exposures(data_dir) {
        tracing::warn!("vault.key_file: {exposure}");
    }
    store.keep_free(u64::from(config.store.reserve_mb) << 20);
    if let Some(last) = store.last_stamp() {
        let allowed = Duration::from_secs(config.store.max_clock_behind_seconds.into());
        watch::start_clock(last, allowed)?;
    }
    Ok(store)
}

pub(crate) fn name(name: &str) -> SupplierName {
    name.parse().expect("built-in suppliers have proper names")
}

/// Nothing may be acknowledged any more: the only safe thing is to stop, and to be started again
/// from what is on disk.
pub(crate) fn end_process(reason: &str) {
    // Not through the log, whose lines wait for their turn: there is none left.
    eprintln!("telenumerus: {reason}; the service ends now");
    std::process::exit(70);
}
