//! `telenumerus mcp`: the tools over stdio, for a service elsewhere or one of this process's own.

mod shared;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rmcp::ServiceExt;

use super::{Outcome, Place, in_words};
use crate::config::Config;
use crate::mcp::{Api, Directory, Host, Keys, OwnKey, Stdio, Tasks};
use crate::{http, telemetry};
use shared::SharedDirectory;

/// How long the last answers may take to be written.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus mcp --embedded agent-data\n  TELENUMERUS_URL=http://127.0.0.1:8080 TELENUMERUS_API_KEY=tn_… telenumerus mcp"
)]
pub struct Options {
    /// The service to talk to.
    #[arg(
        long,
        env = "TELENUMERUS_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    url: String,
    /// Run a service of its own on this data directory instead.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    embedded: Option<PathBuf>,
    /// The API key; `sms_register` makes one where there is none.
    #[arg(long, env = "TELENUMERUS_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let given = OwnKey::given(options.api_key.as_deref());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
    match &options.embedded {
        None => {
            let host = Host::new(
                Api::there(&options.url)?,
                Keys::Own(Arc::new(given)),
                &http::document(),
                Tasks::default(),
            );
            runtime.block_on(talk(host))?;
        }
        Some(data_dir) => {
            let (mut config, _) = place.load().map_err(in_words)?;
            // There is one caller, and it sees its answers.
            config.log.access = false;
            // Standard output is the protocol's: the log goes to standard error, as always.
            let _logs = telemetry::start_logs(&config.log);
            runtime.block_on(embedded(config, data_dir, given))?;
        }
    }
    // Reading standard input may still be under way on a thread that nothing can end.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// A service of this process's own, or, where another host runs one on the directory already, that
/// one; whoever leaves, the others go on.
async fn embedded(config: Config, data_dir: &Path, given: OwnKey) -> Result<(), String> {
    let keys = Arc::new(given.kept_in(data_dir));
    // Before anything is made: what is wrong with it is for people to mend.
    keys.load()?;
    let directory = Arc::new(SharedDirectory::new(config, data_dir, Arc::clone(&keys))?);
    let served = match directory.service(None).await {
        Ok(_) => {
            talk(Host::new(
                Api::Shared(Arc::clone(&directory) as _),
                Keys::Own(keys),
                &http::document(),
                Tasks::default(),
            ))
            .await
        }
        Err(text) => Err(text),
    };
    directory.leave().await;
    served
}

/// Until the client closes its end.
async fn talk(host: Host) -> Result<(), String> {
    let (transport, written) = Stdio::open();
    let served = match host.serve(transport).await {
        Ok(running) => running.waiting().await.map(drop).map_err(in_words),
        // A client that leaves before it has said anything was not served, and nothing is wrong.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    // A client that does not read its last answers is not waited for.
    let _ = tokio::time::timeout(LAST_ANSWERS, written).await;
    served
}
