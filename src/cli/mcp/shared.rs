//! The service on a directory that several hosts share: another host's as long as that runs, else
//! this process's own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Stopwatch;
use actors::kernel::entropy::Entropy;
use actors::store::sqlite::Loss;
use axum::http::Method;
use futures_util::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::boot::{BootError, Service};
use crate::cli::in_words;
use crate::config::Config;
use crate::console::Sessions;
use crate::data::LockError;
use crate::http::{self, App};
use crate::mcp::{Api, Call, Caller, Directory, OwnKey};
use crate::{admin, data, serve, telemetry};

/// How long a host looks for a service that somebody else starts or ends.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);

/// How often a fresh account's simulated deposit is looked at, and for how long: it takes two
/// seconds.
const CREDIT_LOOK: Duration = Duration::from_millis(100);
const CREDIT_PATIENCE: Duration = Duration::from_secs(10);

/// The directory, and where its service is, as far as this process knows.
pub struct SharedDirectory {
    path: PathBuf,
    config: Config,
    keys: Arc<OwnKey>,
    metrics: PrometheusHandle,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    service: Option<Api>,
    own: Option<Running>,
}

/// A service of this process's own.
struct Running {
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    public: JoinHandle<()>,
    operators: JoinHandle<()>,
}

impl SharedDirectory {
    /// Nothing runs before it is asked for.
    pub fn new(config: Config, path: &Path, keys: Arc<OwnKey>) -> Result<Self, String> {
        let metrics = telemetry::start_metrics().map_err(in_words)?;
        Ok(Self { path: path.to_owned(), config, keys, metrics, known: Mutex::default() })
    }

    /// Ends this process's own service, if it has one.
    pub async fn leave(&self) {
        let mut known = self.known.lock().await;
        known.service = None;
        let Some(own) = known.own.take() else { return };
        own.stop.send_replace(true);
        let _ = tokio::join!(own.public, own.operators);
        own.service.close().await;
    }

    /// Another host's service, or, where none holds the directory, one of this process's own. The
    /// lock decides, never an address that was left behind.
    async fn find(&self) -> Result<(Api, Option<Running>), String> {
        let looking = Stopwatch::start();
        loop {
            match Service::start(self.config.clone(), &self.path, Loss::Refused, None).await {
                Ok(service) => return self.run(service).await.map(|(api, own)| (api, Some(own))),
                Err(BootError::Data { source: LockError::InUse, .. }) => {}
                Err(error) => return Err(error.to_string()),
            }
            let address = data::announced(&self.path);
            if let Some(address) = address
                && TcpStream::connect(address).await.is_ok()
            {
                let api = Api::there(&format!("http://{address}"))?;
                self.open_account(&api).await?;
                return Ok((api, None));
            }
            if looking.elapsed() > PATIENCE {
                return Err(format!(
                    "another process runs on {} and does not say where it is reached",
                    self.path.display()
                ));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn run(&self, service: Arc<Service>) -> Result<(Api, Running), String> {
        let (stop, stopping) = watch::channel(false);
        let app = App::new(&service, stopping.clone());
        let router = http::router(&app, Sessions::open(self.path.join("http.sessions")));
        let api = Api::Here(router.clone());
        // Before others can find it: they use the account that is opened here.
        if let Err(text) = self.open_account(&api).await {
            service.close().await;
            return Err(text);
        }
        // So that an operator can credit the account: `telenumerus admin credit --data-dir DIR`.
        let admin = admin::bind(&self.config.admin, &self.path).await?;
        let (metrics, ending) = (self.metrics.clone(), stopping.clone());
        let operators = admin::open(&service, &self.path, admin, metrics, ending)?;
        // So that another host on the directory can use this service.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(in_words)?;
        data::announce(&self.path, listener.local_addr().map_err(in_words)?).map_err(in_words)?;
        let settings = self.config.http.listener(http::refuse(&app));
        let public = tokio::spawn(serve::serve(listener, router, settings, stopping));
        Ok((api, Running { service, stop, public, operators }))
    }

    /// An account for a directory that has none, with simulated money where that is what there is:
    /// the first `sms_verify` gets a code.
    async fn open_account(&self, api: &Api) -> Result<(), String> {
        self.keys.load()?;
        if let Some((key, complaint)) = self.keys.found() {
            let account = api
                .call(&Caller::with_key(Some(&key)), call(Method::GET, "/api/v1/account", None))
                .await;
            return if account.body["error_code"] == "INVALID_API_KEY" {
                Err(complaint)
            } else {
                Ok(())
            };
        }
        if self.keys.get().is_some() {
            return Ok(());
        }
        let opened = api
            .call(&Caller::default(), call(Method::POST, "/api/v1/register", Some(json!({}))))
            .await;
        let key = opened.body["api_key"]
            .as_str()
            .ok_or_else(|| format!("no account could be opened: {}", opened.body["error"]))?;
        self.keys.open(key);
        let caller = Caller::with_key(self.keys.get().as_ref());
        let addresses =
            api.call(&caller, call(Method::GET, "/api/v1/deposit/addresses", None)).await;
        if addresses.body["simulated"] == true {
            let half = || u128::from_be_bytes(Entropy::System.bytes());
            let hash = format!("{:032x}{:032x}", half(), half());
            // The first tool may want a number at once: it finds the money there.
            let credited = async {
                let claim = || {
                    call(Method::POST, "/api/v1/deposit/verify", Some(json!({ "tx_hash": hash })))
                };
                while api.call(&caller, claim()).await.body["status"] == "pending" {
                    tokio::time::sleep(CREDIT_LOOK).await;
                }
            };
            if tokio::time::timeout(CREDIT_PATIENCE, credited).await.is_err() {
                tracing::warn!("the simulated deposit of a fresh account is not credited yet");
            }
        }
        Ok(())
    }
}

impl Directory for SharedDirectory {
    fn service<'a>(&'a self, lost: Option<&'a str>) -> BoxFuture<'a, Result<Api, String>> {
        Box::pin(async move {
            let mut known = self.known.lock().await;
            match (&known.service, lost) {
                (Some(Api::There { url, .. }), Some(lost)) if url == lost => {}
                (Some(api), _) => return Ok(api.clone()),
                (None, _) => {}
            }
            let (api, own) = self.find().await?;
            known.own = own;
            known.service = Some(api.clone());
            Ok(api)
        })
    }
}

fn call(method: Method, path: &str, body: Option<Value>) -> Call {
    Call { method, path: path.to_owned(), body }
}
