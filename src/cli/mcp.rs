//! `telenumerus mcp`: the tools over stdio, for a service elsewhere or one of this process's own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use actors::entropy::Entropy;
use actors::store::sqlite::Loss;
use axum::http::Method;
use clap::Args;
use rmcp::ServiceExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Outcome, Place, in_words};
use crate::boot::{BootError, Service};
use crate::config::Config;
use crate::data::LockError;
use crate::http::{self, App};
use crate::mcp::{Api, Call, Caller, Host, Keys, OwnKey, Tasks};
use crate::{admin, data, serve, telemetry};

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
    let given = OwnKey::given(options.api_key.as_deref());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
    match &options.embedded {
        None => {
            let host = Host::new(Api::there(&options.url)?, Keys::Own(Arc::new(given)), &http::document(), Tasks::default());
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

/// A service of this process's own, or, where another host runs one on the directory already, that one.
async fn embedded(config: Config, data_dir: &Path, given: OwnKey) -> Result<(), String> {
    let http_settings = config.http.clone();
    let service = match Service::start(config, data_dir, Loss::Refused).await {
        Ok(service) => service,
        Err(BootError::Data { source: LockError::InUse, .. }) => return beside(data_dir, given).await,
        Err(error) => return Err(error.to_string()),
    };
    let metrics = telemetry::start_metrics().map_err(in_words)?;
    let keys = Arc::new(given.kept_in(data_dir));
    let (stop, stopping) = watch::channel(false);
    // So that an operator can credit the account: `telenumerus admin credit --data-dir DIR`.
    let (_, operators) = admin::open(&service, data_dir, metrics, stopping.clone()).await?;
    let app = App::new(&service, stopping.clone());
    let router = http::router(&app);
    // So that a second host on the directory can use this service.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(in_words)?;
    data::announce(data_dir, listener.local_addr().map_err(in_words)?).map_err(in_words)?;
    let public = tokio::spawn(serve::serve(listener, router.clone(), http_settings.listener(http::refuse(&app)), stopping));
    let api = Api::Here(router);
    open_account(&api, &keys).await?;
    let served = talk(Host::new(api, Keys::Own(keys), &http::document(), Tasks::default())).await;
    stop.send_replace(true);
    let _ = tokio::join!(public, operators);
    service.close().await;
    served
}

/// The service that another host runs on the directory, with the key that is kept there.
async fn beside(data_dir: &Path, given: OwnKey) -> Result<(), String> {
    let address = data::announced(data_dir);
    let address = address.ok_or_else(|| format!("another process runs on {} and does not say where it is reached", data_dir.display()))?;
    let (api, keys) = (Api::there(&format!("http://{address}"))?, Arc::new(given.kept_in(data_dir)));
    open_account(&api, &keys).await?;
    talk(Host::new(api, Keys::Own(keys), &http::document(), Tasks::default())).await
}

/// An account for a directory that has none, with simulated money where that is what there is: the first `sms_verify` gets a code.
async fn open_account(api: &Api, keys: &OwnKey) -> Result<(), String> {
    if keys.get().is_some() {
        return Ok(());
    }
    let opened = api.call(&Caller::default(), call(Method::POST, "/api/v1/register", Some(json!({})))).await;
    let key = opened.body["api_key"].as_str().ok_or_else(|| format!("no account could be opened: {}", opened.body["error"]))?;
    keys.open(key);
    let caller = Caller::with_key(keys.get().as_ref());
    let addresses = api.call(&caller, call(Method::GET, "/api/v1/deposit/addresses", None)).await;
    if addresses.body["simulated"] == true {
        let half = || u128::from_be_bytes(Entropy::System.bytes());
        let hash = format!("{:032x}{:032x}", half(), half());
        api.call(&caller, call(Method::POST, "/api/v1/deposit/verify", Some(json!({ "tx_hash": hash })))).await;
    }
    Ok(())
}

fn call(method: Method, path: &str, body: Option<Value>) -> Call {
    Call { method, path: path.to_owned(), body }
}

/// Until the client closes its end.
async fn talk(host: Host) -> Result<(), String> {
    let running = host.serve(rmcp::transport::stdio()).await;
    match running {
        Ok(running) => running.waiting().await.map(drop).map_err(in_words),
        // A client that leaves before it has said anything was not served, and nothing is wrong.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
