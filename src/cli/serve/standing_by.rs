//! A node of several before it leads: its listeners are open, and say so.

use std::io::Write;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Ends;
use crate::cli::in_words;
use crate::config::Config;
use crate::http::standby;
use crate::node::{Leading, Node};
use crate::supervisor::Supervisor;
use crate::{admin, data, log_endpoint, serve};

/// What a service has that may start: as the leader of several nodes the listeners that it has
/// opened already, and with a log of its own neither.
#[derive(Default)]
pub struct Stood {
    /// Its leadership.
    pub leading: Option<Leading>,
    /// Its listeners.
    pub listeners: Option<Listeners>,
}

/// The listeners beside the public one.
pub struct Listeners {
    /// Where operators ask.
    pub admin: TcpListener,
    /// Where other programs read the log, if they may.
    pub readers: Option<TcpListener>,
}

impl Listeners {
    /// Binds as configured.
    pub async fn open(config: &Config, data_dir: &Path) -> Result<Self, String> {
        let admin = admin::bind(&config.admin, data_dir).await?;
        let readers = log_endpoint::bind(&config.esdb, data_dir).await?;
        Ok(Self { admin, readers })
    }
}

/// Stands by until this node leads, if its log is a shared one; `None` if it is to end before.
pub async fn until_it_leads(
    config: &Config,
    data_dir: &Path,
    listener: &TcpListener,
    metrics: &PrometheusHandle,
    supervisor: &Supervisor,
    ends: &mut Ends,
) -> Result<Option<Stood>, String> {
    let Some(mut node) = Node::of(config, data_dir).map_err(in_words)? else {
        return Ok(Some(Stood::default()));
    };
    let address = listener.local_addr().map_err(in_words)?;
    let (stop, stopping) = watch::channel(false);
    let settings = config.http.listener(standby::refuse());
    let router = standby::router(node.sight(), &config.webhooks);
    tokio::spawn(serve::serve(same(listener)?, router, settings, stopping.clone()));

    let listeners = Listeners::open(config, data_dir).await?;
    let (metrics, sight) = (metrics.clone(), node.sight());
    admin::standby::open(
        config,
        data_dir,
        same(&listeners.admin)?,
        metrics,
        sight,
        stopping.clone(),
    )?;
    if let Some(readers) = &listeners.readers {
        let records = node.records().map_err(in_words)?;
        log_endpoint::open(&config.esdb, records, same(readers)?, stopping)?;
    }
    announce(node.name(), address);
    data::announce(data_dir, address).map_err(in_words)?;
    supervisor.ready(&format!("standing by on {address}"));
    let leading = tokio::select! {
        leading = node.lead() => leading.map_err(in_words)?,
        () = ends.wanted() => return Ok(None),
    };
    // Readers of the log find the same listener again, behind which the leader's log is then.
    stop.send_replace(true);
    supervisor.starting("taking over: the views catch up");
    Ok(Some(Stood { leading: Some(leading), listeners: Some(listeners) }))
}

/// The same listener once more: the leader takes it over.
fn same(listener: &TcpListener) -> Result<TcpListener, String> {
    let same = listener.as_fd().try_clone_to_owned().map_err(in_words)?;
    TcpListener::from_std(same.into()).map_err(in_words)
}

fn announce(node: &str, address: SocketAddr) {
    // Whoever started it may have closed its end: it stands by all the same.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "standing by on http://{address}").and_then(|()| out.flush());
    tracing::info!(node, %address, "this node stands by and follows the shared log");
}
