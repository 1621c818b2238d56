//! `telenumerus serve`: starts the service, says how to try it, and stops it in order.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use actors::Deposits;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Outcome, Place, in_words};
use crate::boot::Service;
use crate::config::Config;
use crate::http::{self, App};
use crate::{admin, data, telemetry};

#[derive(Debug, Args)]
pub struct Options {
    /// Address to listen on, in place of the configuration's; port 0 takes any free one.
    #[arg(long, env = "TELENUMERUS_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (mut config, data_dir) = place.load().map_err(in_words)?;
    if let Some(listen) = options.listen {
        config.http.listen = listen;
    }
    let _logs = telemetry::start_logs(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
    runtime.block_on(serve(config, &data_dir))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config, data_dir: &Path) -> Result<(), String> {
    let metrics = telemetry::start_metrics().map_err(in_words)?;
    // Signals first: one that comes while the log is replayed must not kill half-way.
    let mut terminate = signal(SignalKind::terminate()).map_err(in_words)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(in_words)?;
    let http_settings = config.http.clone();
    let listener = TcpListener::bind(config.http.listen).await.map_err(|error| format!("cannot listen on {}: {error}", config.http.listen))?;
    tokio::select! {
        () = data::room_to_start(data_dir) => {}
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    }
    let service = Service::start(config, data_dir).await.map_err(in_words)?;
    let address = listener.local_addr().map_err(in_words)?;

    let (stop, stopping) = watch::channel(false);
    let (admin_address, operators) = admin::open(&service, data_dir, metrics, stopping.clone()).await?;
    let router = http::router(&App::new(&service, stopping.clone()));
    let public = tokio::spawn(async move { http::serve::serve(listener, router, &http_settings, stopping).await });
    announce(address, admin_address, service.deposits.as_ref().is_some_and(Deposits::is_simulated));

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: open requests are finished, streams end");
    stop.send_replace(true);
    let _ = tokio::join!(public, operators);
    service.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What a newcomer needs to see, and the one line that programs wait for.
fn announce(address: SocketAddr, admin: SocketAddr, simulated: bool) {
    let base = format!("http://{address}");
    println!("listening on {base}");
    tracing::info!(%address, %admin, "ready");
    if !simulated {
        return;
    }
    println!(
        r#"
Deposits are simulated: any 64-hex hash is worth $10 after 2 seconds. Try it in another terminal:

  KEY=$(curl -s -X POST {base}/api/v1/register | sed 's/.*"api_key":"\([^"]*\)".*/\1/')
  TX=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
  curl -s {base}/api/v1/deposit/verify -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d "{{\"tx_hash\": \"$TX\"}}"; echo
  sleep 3
  ORDER=$(curl -s {base}/api/v1/order -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{{"platform": "google", "country": "US"}}' | sed 's/.*"order_id":"\([^"]*\)".*/\1/')
  curl -s "{base}/api/v1/order/$ORDER?wait=30" -H "Authorization: Bearer $KEY"; echo
  curl -s {base}/api/v1/account -H "Authorization: Bearer $KEY"; echo

Operators: http://{admin}/metrics, and `telenumerus admin --help`.
"#
    );
}
