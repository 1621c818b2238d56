//! `telenumerus mcp`: the tools over stdio, for a service elsewhere or one of this process's own.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use parking_lot::Mutex;
use rmcp::ServiceExt;
use tokio::sync::watch;

use super::{Outcome, Place, in_words};
use crate::admin;
use crate::boot::Service;
use crate::http::{self, App};
use crate::mcp::{Api, Host, Keys, Tasks};
use crate::secret::Secret;
use crate::telemetry;

#[derive(Debug, Args)]
pub struct Options {
    /// The service to talk to.
    #[arg(long, env = "TELENUMERUS_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// Run a service of its own on this data directory instead.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    embedded: Option<PathBuf>,
    /// The API key; `sms_register` makes one where there is none.
    #[arg(long, env = "TELENUMERUS_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let key = options.api_key.as_ref().filter(|key| !key.is_empty()).map(|key| Secret::new(key.clone()));
    let keys = Keys::Own(Arc::new(Mutex::new(key)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
    match &options.embedded {
        None => {
            let host = Host::new(Api::there(&options.url)?, keys, &http::document(), Tasks::default());
            runtime.block_on(serve(host))?;
        }
        Some(data_dir) => {
            let (mut config, _) = place.load().map_err(in_words)?;
            // There is one caller, and it sees its answers.
            config.log.access = false;
            // Standard output is the protocol's: the log goes to standard error, as always.
            let _logs = telemetry::start_logs(&config.log);
            runtime.block_on(embedded(config, data_dir, keys))?;
        }
    }
    // Reading standard input may still be under way on a thread that nothing can end.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn embedded(config: crate::config::Config, data_dir: &std::path::Path, keys: Keys) -> Result<(), String> {
    let metrics = telemetry::start_metrics().map_err(in_words)?;
    let service = Service::start(config, data_dir, actors::store::sqlite::Loss::Refused).await.map_err(in_words)?;
    let (stop, stopping) = watch::channel(false);
    // So that an operator can credit the account: `telenumerus admin credit --data-dir DIR`.
    let (_, operators) = admin::open(&service, data_dir, metrics, stopping.clone()).await?;
    let app = App::new(&service, stopping);
    let host = Host::new(Api::Here(http::router(&app)), keys, &http::document(), Tasks::default());
    let served = serve(host).await;
    stop.send_replace(true);
    let _ = operators.await;
    service.close().await;
    served
}

/// Until the client closes its end.
async fn serve(host: Host) -> Result<(), String> {
    let running = host.serve(rmcp::transport::stdio()).await;
    match running {
        Ok(running) => running.waiting().await.map(drop).map_err(in_words),
        // A client that leaves before it has said anything was not served, and nothing is wrong.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
