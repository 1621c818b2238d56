//! The guard of targets: resolves a name itself, judges every address of the answer, and lets a
//! connection go nowhere else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use events::webhook::target::is_public;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

/// The name has no address that anybody may be sent to.
#[derive(Debug, Error)]
#[error("the name resolves to an address that is not public")]
pub struct NotPublic;

/// The name has no address at all.
#[derive(Debug, Error)]
#[error("the name does not resolve: {0}")]
pub struct NotResolved(String);

/// Resolves names for webhooks, afresh for each connection: an answer that was public a moment ago
/// proves nothing.
#[derive(Clone)]
pub struct Guard {
    resolver: Arc<TokioResolver>,
    allow_private: bool,
}

impl Guard {
    /// A guard that asks `servers`, or the system's where none are given.
    pub fn new(servers: &[SocketAddr], allow_private: bool) -> Result<Self, String> {
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(|error| error.to_string())?
        } else {
            let servers = servers.iter().map(|server| name_server(*server)).collect();
            TokioResolver::builder_with_config(
                ResolverConfig::from_parts(None, Vec::new(), servers),
                TokioRuntimeProvider::default(),
            )
        };
        // An attempt is a new question: a cached answer would be judged once and used often.
        builder.options_mut().cache_size = 0;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { resolver: Arc::new(resolver), allow_private })
    }

    async fn resolve(
        self,
        name: String,
    ) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        // With a dot behind, so that no search domain of this machine is tried.
        let absolute =
            if name.ends_with('.') || !name.contains('.') { name } else { format!("{name}.") };
        let answer = self
            .resolver
            .lookup_ip(absolute)
            .await
            .map_err(|error| NotResolved(error.to_string()))?;
        let addresses: Vec<IpAddr> = answer.iter().collect();
        // One private address among public ones is an attack or a mistake; neither gets a packet.
        if !self.allow_private && !addresses.iter().all(|address| is_public(*address)) {
            return Err(NotPublic.into());
        }
        if addresses.is_empty() {
            return Err(NotResolved("no address".to_owned()).into());
        }
        Ok(addresses)
    }
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.into())
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = Self::resolve(guard, name.as_str().to_owned()).await?;
            // Port 0: the URL's own.
            let addresses: Addrs =
                Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
