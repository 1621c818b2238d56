//! The log for other programs: the KurrentDB v1 streams protocol, read only, over the store or over
//! the copy of a node that stands by, for named readers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::store::Records;
use axum::http;
use esdb::{Authority, Bounds};
use prost_types::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt;

use crate::config::Esdb;
use crate::serve::ConnectionLimits;
use crate::serve::http2::{self, Answers, Call};

mod readers;
mod told;

use readers::Readers;
use told::StoredLog;

/// Where other programs on this machine find the endpoint.
const ADDRESS_FILE: &str = "esdb.addr";
/// Of all readers with tokens, for the connections of those without: a quarter.
const RESERVED_SHARE: usize = 4;
/// Services that anybody may ask what this is: nothing of the log is in their answers.
const OPEN_TO_ALL: [&str; 2] =
    ["/event_store.client.gossip.", "/event_store.client.server_features."];

/// Binds where the endpoint is to be, if there is to be one.
pub async fn bind(settings: &Esdb, data_dir: &Path) -> Result<Option<TcpListener>, String> {
    let file = data_dir.join(ADDRESS_FILE);
    let Some(listen) = settings.listen else {
        let _ = std::fs::remove_file(file);
        return Ok(None);
    };
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen} (esdb.listen): {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    std::fs::write(&file, address.to_string())
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Some(listener))
}

/// Serves the endpoint on its listener until `stopping` turns true; the end of that.
pub fn open(
    settings: &Esdb,
    log: Arc<dyn Records>,
    listener: TcpListener,
    stopping: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, String> {
    let tls = tls(settings)?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let bounds = Bounds {
        subscriptions: settings.max_subscriptions,
        patience: Duration::from_secs(settings.patience_seconds.into()),
    };
    let log = Arc::new(StoredLog::new(log));
    let routes = esdb::routes(log, bounds, env!("CARGO_PKG_VERSION"), now, stopping.clone());
    let answers =
        Endpoint { routes, readers: Arc::new(Readers::of(settings)), port: address.port() };
    let (in_all, reserved) = (settings.max_connections, settings.max_connections / RESERVED_SHARE);
    let limits = ConnectionLimits { in_all, reserved, per_address: in_all, per_account: in_all };
    tracing::info!(
        %address, encrypted = tls.is_some(), readers = settings.readers.len(),
        "other programs read the log here"
    );
    Ok(tokio::spawn(http2::serve(listener, answers, tls, limits, stopping)))
}

/// How connections are encrypted, if they are to be.
fn tls(settings: &Esdb) -> Result<Option<TlsAcceptor>, String> {
    let (Some(chain), Some(key)) = (&settings.certificate_file, &settings.key_file) else {
        return Ok(None);
    };
    let certificates = actors::kernel::outbound::certificates(chain)
        .map_err(|error| format!("esdb.certificate_file: {error}"))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("esdb.key_file: {}: {error}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key));
    let mut config =
        config.map_err(|error| format!("esdb.certificate_file and esdb.key_file: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// The time, as the protocol tells it.
fn now() -> Timestamp {
    let now = actors::kernel::clock::Clock::System.now().millis();
    let nanos = i32::try_from(now.rem_euclid(1_000) * 1_000_000).unwrap_or(0);
    Timestamp { seconds: now.div_euclid(1_000), nanos }
}

/// The services behind the check of who calls.
#[derive(Clone)]
struct Endpoint {
    routes: Routes,
    readers: Arc<Readers>,
    port: u16,
}

impl Answers<Body> for Endpoint {
    async fn answer(&self, Call { mut request, connection, hangup }: Call) -> http::Response<Body> {
        let is_open_to_all =
            OPEN_TO_ALL.iter().any(|service| request.uri().path().starts_with(service));
        match self.readers.of_call(request.headers(), connection.peer()) {
            Ok(reader) => {
                if let Some(name) = &reader.name {
                    // A reader with a token is not evicted for strangers.
                    connection.shows_key(
                        u128::from(
                            name.bytes()
                                .fold(7u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte)),
                        ),
                        true,
                    );
                }
                request.extensions_mut().insert(reader);
            }
            Err(_) if is_open_to_all => {}
            Err(refused) => return refused.into_http(),
        }
        if let Some(authority) = request.uri().authority() {
            let named = Authority(
                authority.host().trim_matches(['[', ']']).to_owned(),
                authority.port_u16().unwrap_or(self.port),
            );
            request.extensions_mut().insert(named);
        }
        request.extensions_mut().insert(hangup);
        let routes = self.routes.clone();
        routes.oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}
