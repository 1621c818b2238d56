//! Writers are heard out, then refused: a client takes an answer that comes while it still sends
//! for a broken call, and says nothing of the refusal to its caller.

use std::time::Duration;

use tonic::{Status, Streaming};

use crate::protocol::google::rpc::{Code, Status as InBand};
use crate::protocol::streams::batch_append_resp::Result as Outcome;
use crate::protocol::streams::{AppendReq, BatchAppendReq, BatchAppendResp};
use crate::refusal::{READ_ONLY, read_only};

/// Messages of one append that are read; who sends more is refused while it sends.
const HEARD: usize = 1_000;

/// What an append is answered, once it has been sent to its end.
pub async fn refuse_append(mut sent: Streaming<AppendReq>, patience: Duration) -> Status {
    let heard = async {
        for _ in 0..HEARD {
            if !matches!(sent.message().await, Ok(Some(_))) {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(patience, heard).await;
    read_only()
}

/// What the first batch on a stream is answered. Such streams stay open for more batches, so an
/// answer stands in a message of its own.
pub async fn refuse_batch(
    mut sent: Streaming<BatchAppendReq>,
    patience: Duration,
) -> Result<BatchAppendResp, Status> {
    let first = tokio::time::timeout(patience, sent.message()).await;
    let Ok(Ok(Some(batch))) = first else { return Err(read_only()) };
    Ok(BatchAppendResp {
        correlation_id: batch.correlation_id,
        stream_identifier: batch.options.and_then(|options| options.stream_identifier),
        result: Some(Outcome::Error(InBand {
            code: Code::PermissionDenied.into(),
            message: READ_ONLY.to_owned(),
            details: Some(prost_types::Any {
                type_url: "type.googleapis.com/event_store.client.AccessDenied".to_owned(),
                value: Vec::new(),
            }),
        })),
        expected_stream_position: None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{StreamExt, stream};
    use tokio::sync::watch;

    use super::*;
    use crate::protocol::streams::streams_client::StreamsClient;
    use crate::{Bounds, Event, Log, Page, Record, routes};

    /// A log that holds nothing.
    struct Empty(watch::Sender<u64>);

    struct Nothing;

    impl Record for Nothing {
        fn position(&self) -> u64 {
            0
        }
        fn stream(&self) -> &'static str {
            ""
        }
        fn revision(&self) -> u64 {
            0
        }
        fn name(&self) -> &'static str {
            ""
        }
    }

    impl Log for Empty {
        type Record = Nothing;
        type Reader = ();

        fn head(&self) -> watch::Receiver<u64> {
            self.0.subscribe()
        }
        async fn read(&self, _: Page, _: usize) -> Result<Vec<Nothing>, Status> {
            Ok(Vec::new())
        }
        fn tell(&self, _: &Nothing, (): &()) -> Result<Event, Status> {
            Err(Status::internal("nothing is told of nothing"))
        }
    }

    fn client(patience: Duration) -> StreamsClient<tonic::service::Routes> {
        let bounds = Bounds { subscriptions: 4, patience };
        let (_, stopping) = watch::channel(false);
        let log = Arc::new(Empty(watch::Sender::new(0)));
        StreamsClient::new(routes(log, bounds, "1.0.0", Default::default, stopping))
    }

    /// Three messages, each after a pause, and how many of them were taken.
    fn slowly<M: Default + Send + 'static>()
    -> (impl futures_util::Stream<Item = M> + Send + 'static, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let messages = stream::iter(0..3).then(move |_| {
            let counted = Arc::clone(&counted);
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                counted.fetch_add(1, Ordering::SeqCst);
                M::default()
            }
        });
        (messages, taken)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn an_append_is_heard_to_its_end_and_refused() {
        let (messages, taken) = slowly::<AppendReq>();
        let status = client(LONG).append(messages).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::PermissionDenied);
        assert_eq!(status.metadata().get("exception").unwrap(), "access-denied");
        assert_eq!(taken.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_batch_is_refused_in_a_message_that_names_it() {
        let name = crate::protocol::StreamIdentifier { stream_name: b"judge".as_slice().into() };
        let id = crate::message::uuid(7, true);
        let batch = BatchAppendReq {
            correlation_id: Some(id.clone()),
            options: Some(crate::protocol::streams::batch_append_req::Options {
                stream_identifier: Some(name.clone()),
                ..Default::default()
            }),
            ..Default::default()
        };
        // The stream stays open after its first batch.
        let open = stream::iter([batch]).chain(stream::pending());
        let mut answers = client(LONG).batch_append(open).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!((answer.correlation_id, answer.stream_identifier), (Some(id), Some(name)));
        let Some(Outcome::Error(error)) = answer.result else { panic!("{:?}", answer.result) };
        assert_eq!(error.code, i32::from(Code::PermissionDenied));
        assert!(error.details.unwrap().type_url.ends_with(".AccessDenied"));
    }

    #[tokio::test]
    async fn who_sends_nothing_is_refused_all_the_same() {
        let soon = Duration::from_millis(10);
        let status = client(soon).append(stream::pending()).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::PermissionDenied);
        let status = client(soon).batch_append(stream::pending()).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::PermissionDenied);
    }
}
