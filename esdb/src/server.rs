//! The services that clients call, over any log.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use prost_types::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::flow::{Hangup, flow};
use crate::log::Log;
use crate::message::uuid;
use crate::protocol::gossip::gossip_server::{Gossip, GossipServer};
use crate::protocol::gossip::{ClusterInfo, EndPoint, MemberInfo, member_info::VNodeState};
use crate::protocol::server_features::server_features_server::{
    ServerFeatures, ServerFeaturesServer,
};
use crate::protocol::server_features::{SupportedMethod, SupportedMethods};
use crate::protocol::streams::streams_server::{Streams, StreamsServer};
use crate::protocol::streams::{
    AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq,
    ReadResp, TombstoneReq, TombstoneResp,
};
use crate::query::Query;
use crate::reading::Reading;
use crate::refusal::{exhausted, read_only, unauthenticated};
use crate::writers::{refuse_append, refuse_batch};

/// Of a call: what it asks is small.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How much a server does at a time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Reads and subscriptions.
    pub subscriptions: usize,
    /// How long a reader may take nothing of what waits for it.
    pub patience: Duration,
}

/// The name and port under which a call was made, an extension of it: where a client that asks for
/// members is to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority(pub String, pub u16);

/// The services over `log`: what an accept loop hands its calls to. `version` is three numbers, as
/// clients read it.
pub fn routes<L: Log>(
    log: Arc<L>,
    bounds: Bounds,
    version: &str,
    now: fn() -> Timestamp,
    stopping: watch::Receiver<bool>,
) -> Routes {
    let open = Arc::new(Semaphore::new(bounds.subscriptions));
    let service = Service { log, bounds, open, next: AtomicU64::new(1), now, stopping };
    let features = Features { version: version.to_owned() };
    Routes::new(StreamsServer::new(service).max_decoding_message_size(MAX_REQUEST_BYTES))
        .add_service(ServerFeaturesServer::new(features.clone()))
        .add_service(GossipServer::new(features))
}

struct Service<L> {
    log: Arc<L>,
    bounds: Bounds,
    open: Arc<Semaphore>,
    next: AtomicU64,
    now: fn() -> Timestamp,
    stopping: watch::Receiver<bool>,
}

type Answer<T> = Result<Response<T>, Status>;
type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Counts an open read for as long as it lives.
struct Open {
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("esdb_reads_open").increment(1.0);
        Self { _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("esdb_reads_open").decrement(1.0);
    }
}

#[tonic::async_trait]
impl<L: Log> Streams for Service<L> {
    type ReadStream = Messages<ReadResp>;
    type BatchAppendStream = Messages<BatchAppendResp>;

    async fn read(&self, request: Request<ReadReq>) -> Answer<Self::ReadStream> {
        let (_, extensions, request) = request.into_parts();
        let reader = extensions
            .get::<L::Reader>()
            .cloned()
            .ok_or_else(|| unauthenticated("the call names no reader"))?;
        let query = Query::of(request)?;
        let limit = self.bounds.subscriptions;
        let open =
            Open::new(Arc::clone(&self.open).try_acquire_owned().map_err(|_| exhausted(limit))?);
        let (outlet, messages) = flow(self.bounds.patience, extensions.get::<Hangup>().cloned());
        let id = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let (log, now, stopping) = (Arc::clone(&self.log), self.now, self.stopping.clone());
        tokio::spawn(Reading { log, reader, query, outlet, id, now, stopping }.run());
        // The place is taken until the answer is read to its end or dropped, not until its last
        // page was read from the log.
        let messages = messages.map(move |message| {
            let _ = &open;
            message
        });
        Ok(Response::new(Box::pin(messages)))
    }

    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Answer<AppendResp> {
        Err(refuse_append(request.into_inner(), self.bounds.patience).await)
    }

    async fn delete(&self, _: Request<DeleteReq>) -> Answer<DeleteResp> {
        Err(read_only())
    }

    async fn tombstone(&self, _: Request<TombstoneReq>) -> Answer<TombstoneResp> {
        Err(read_only())
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Answer<Self::BatchAppendStream> {
        let refused = refuse_batch(request.into_inner(), self.bounds.patience).await?;
        Ok(Response::new(Box::pin(futures_util::stream::iter([Ok(refused)]))))
    }
}

/// What this server is.
#[derive(Debug, Clone)]
struct Features {
    version: String,
}

#[tonic::async_trait]
impl ServerFeatures for Features {
    async fn get_supported_methods(&self, _: Request<()>) -> Answer<SupportedMethods> {
        let method = |service: &str, name: &str, features: &[&str]| SupportedMethod {
            method_name: name.to_owned(),
            service_name: format!("event_store.client.{service}"),
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
        };
        let methods = vec![
            method("streams.streams", "read", &["position", "events"]),
            method("gossip.gossip", "read", &[]),
            method("server_features.serverfeatures", "getsupportedmethods", &[]),
        ];
        Ok(Response::new(SupportedMethods {
            methods,
            event_store_server_version: self.version.clone(),
        }))
    }
}

#[tonic::async_trait]
impl Gossip for Features {
    async fn read(&self, request: Request<()>) -> Answer<ClusterInfo> {
        let asked = request.extensions().get::<Authority>().cloned();
        let Authority(address, port) = asked.ok_or_else(|| {
            Status::invalid_argument("the call does not say under which name it was made")
        })?;
        let member = MemberInfo {
            instance_id: Some(uuid(1, true)),
            time_stamp: 0,
            state: VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint { address, port: port.into() }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}
