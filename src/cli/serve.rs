//! `telenumerus serve`: starts the service, says how to try it, and stops it in order.

mod standing_by;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use actors::Deposits;
use actors::store::Records;
use actors::store::sqlite::Loss;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use standing_by::{Listeners, Stood};

use super::{Outcome, Place, in_words};
use crate::boot::Service;
use crate::config::Config;
use crate::console::Sessions;
use crate::http::{self, App};
use crate::supervisor::Supervisor;
use crate::{admin, data, log_endpoint, serve, telemetry};

/// What the process ends with that is to be started again and to stand by.
const STEPPED_DOWN: u8 = 75;
/// Files, sockets to sources and webhooks, and the admin listener's connections.
const OTHER_FILES: u64 = 2_048;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus serve\n  telenumerus serve --config telenumerus.toml --data-dir /var/lib/telenumerus --listen 0.0.0.0:8080"
)]
pub struct Options {
    /// Address to listen on, in place of the configuration's; port 0 takes any free one.
    #[arg(long, env = "TELENUMERUS_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Address at which other programs read the log, in place of the configuration's (`[esdb]
    /// listen`).
    #[arg(long, env = "TELENUMERUS_ESDB__LISTEN", value_name = "ADDRESS")]
    esdb_listen: Option<SocketAddr>,
    /// Start with a log that has lost its end, or is not the one that was synced: what came after
    /// is gone. Leave it away afterwards.
    #[arg(long)]
    accept_loss: bool,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (mut config, data_dir) = place.load().map_err(in_words)?;
    if let Some(listen) = options.listen {
        config.http.listen = listen;
    }
    if let Some(listen) = options.esdb_listen {
        config.esdb.listen = Some(listen);
        config.esdb.check().map_err(in_words)?;
    }
    let _logs = telemetry::start_logs(&config.log);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
    let loss = if options.accept_loss { Loss::Accepted } else { Loss::Refused };
    runtime.block_on(start(config, &data_dir, loss))
}

async fn start(config: Config, data_dir: &Path, loss: Loss) -> Outcome {
    let metrics = telemetry::start_metrics().map_err(in_words)?;
    let supervisor = Supervisor::of_environment().unwrap_or_else(|error| {
        tracing::warn!(%error, "whoever started the service is not told how it is");
        Supervisor::none()
    });
    supervisor.starting("starting: the log is opened, the views catch up");
    // Signals first: one that comes while the log is replayed must not kill half-way.
    let mut ends = Ends::new()?;
    ignore_other_signals()?;
    let http_settings = config.http.clone();
    raise_file_limit(http_settings.max_connections);
    let listener = TcpListener::bind(config.http.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.http.listen))?;
    tokio::select! {
        () = data::room_to_start(data_dir) => {}
        () = ends.wanted() => return Ok(ExitCode::SUCCESS),
    }
    let address = listener.local_addr().map_err(in_words)?;
    let stood =
        standing_by::until_it_leads(&config, data_dir, &listener, &metrics, &supervisor, &mut ends);
    let Some(Stood { leading, listeners }) = stood.await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let is_ready = leading.is_some();
    let service = Service::start(config, data_dir, loss, leading).await.map_err(in_words)?;

    let (stop, stopping) = watch::channel(false);
    let Listeners { admin, readers } = match listeners {
        Some(listeners) => listeners,
        None => Listeners::open(&service.config, data_dir).await?,
    };
    let admin_address = admin.local_addr().map_err(in_words)?;
    let operators = admin::open(&service, data_dir, admin, metrics, stopping.clone())?;
    let readers = readers.map(|listener| {
        let log = Arc::clone(&service.store) as Arc<dyn Records>;
        log_endpoint::open(&service.config.esdb, log, listener, stopping.clone())
    });
    let readers = readers.transpose()?;
    let app = App::new(&service, stopping.clone());
    let (router, settings) = (
        http::router(&app, Sessions::open(data_dir.join("http.sessions"))),
        http_settings.listener(http::refuse(&app)),
    );
    let public = tokio::spawn(serve::serve(listener, router, settings, stopping));
    data::announce(data_dir, address).map_err(in_words)?;
    let status = format!("serving on {address}");
    if is_ready {
        supervisor.starting(&status);
    } else {
        supervisor.ready(&status);
    }
    let is_simulated = service.deposits.as_ref().is_some_and(Deposits::is_simulated);
    // Calls that open an account by nothing but asking; where more is wanted they would be refused.
    let shows_calls = is_simulated && service.config.registration.is_plain();
    announce(address, admin_address, shows_calls);

    let code = end(&service, &mut ends).await;
    supervisor.stopping();
    tracing::info!("stopping: open requests are finished, streams end");
    stop.send_replace(true);
    let _ = tokio::join!(public, operators);
    if let Some(readers) = readers {
        let _ = readers.await;
    }
    service.close().await;
    tracing::info!("stopped");
    Ok(code)
}

/// Returns once the service is to end: with what.
async fn end(service: &Service, ends: &mut Ends) -> ExitCode {
    tokio::select! {
        () = ends.wanted() => ExitCode::SUCCESS,
        () = stepped_down(service) => ExitCode::from(STEPPED_DOWN),
    }
}

/// Ends once an operator wants this node to lead no longer.
async fn stepped_down(service: &Service) {
    match service.leading() {
        Some(leading) => leading.stepped_down().await,
        None => std::future::pending().await,
    }
}

/// The signals that end the service.
pub struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn new() -> Result<Self, String> {
        let terminate = signal(SignalKind::terminate()).map_err(in_words)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(in_words)?;
        Ok(Self { terminate, interrupt })
    }

    /// Returns once somebody wants the service to end.
    pub async fn wanted(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A terminal that closes ends no service, and neither do signals that other services take for a
/// wish (logs to be opened anew, a dump of their state): there is nothing of the kind here.
fn ignore_other_signals() -> Result<(), String> {
    for (kind, name) in [
        (SignalKind::hangup(), "SIGHUP"),
        (SignalKind::user_defined1(), "SIGUSR1"),
        (SignalKind::user_defined2(), "SIGUSR2"),
    ] {
        let mut signals = signal(kind).map_err(in_words)?;
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                tracing::info!(
                    signal = name,
                    "a signal is ignored: there is nothing to reload, and the service goes on"
                );
            }
            while signals.recv().await.is_some() {}
        });
    }
    Ok(())
}

/// Each connection is an open file, and many systems allow a process a thousand: as many are asked
/// for as may be needed.
fn raise_file_limit(max_connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = u64::try_from(max_connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let reached = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    if setrlimit(Resource::Nofile, Rlimit { current: Some(reached), maximum }).is_err()
        || reached < wanted
    {
        tracing::warn!(
            wanted,
            reached,
            "the system allows fewer open files than http.max_connections needs"
        );
    }
}

/// What a newcomer needs to see, and the one line that programs wait for.
fn announce(address: SocketAddr, admin: SocketAddr, shows_calls: bool) {
    let base = format!("http://{address}");
    // Whoever started it may have closed its end: the service serves all the same.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "listening on {base}").and_then(|()| out.flush());
    tracing::info!(%address, %admin, "ready");
    if !shows_calls {
        return;
    }
    let _ = writeln!(
        out,
        r#"
Deposits are simulated: any 64-hex hash is worth $10 after 2 seconds. Try it in another terminal:

  show() {{ if command -v jq > /dev/null; then jq .; else cat; echo; fi; }}
  KEY=$(curl -s -X POST {base}/api/v1/register | sed 's/.*"api_key":"\([^"]*\)".*/\1/')
  TX=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
  curl -s {base}/api/v1/deposit/verify -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d "{{\"tx_hash\": \"$TX\"}}" | show
  sleep 3
  ORDER=$(curl -s {base}/api/v1/order -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{{"platform": "google", "country": "US"}}' | sed 's/.*"order_id":"\([^"]*\)".*/\1/')
  curl -s "{base}/api/v1/order/$ORDER?wait=30" -H "Authorization: Bearer $KEY" | show
  curl -s {base}/api/v1/account -H "Authorization: Bearer $KEY" | show

Operators: http://{admin}/metrics, and `telenumerus admin --help`.
"#
    );
}
