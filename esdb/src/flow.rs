//! What waits for a reader: so many bytes and no more, and not for ever.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use prost::Message;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::Status;

use crate::protocol::streams::ReadResp;
use crate::refusal::unavailable;

/// Bytes of messages that wait for one reader, beyond what its connection has taken.
const WAITING_BYTES: u32 = 256 * 1024;

/// Cuts the connection of a reader that takes nothing any more: the only way to be rid of it, for
/// what it has not read fills its own stream.
#[derive(Debug, Clone, Default)]
pub struct Hangup(Arc<Notify>);

impl Hangup {
    /// Has the connection cut.
    pub fn cut(&self) {
        self.0.notify_one();
    }

    /// Returns once it is to be cut.
    pub async fn is_cut(&self) {
        self.0.notified().await;
    }
}

/// The reader is gone.
#[derive(Debug)]
pub struct Gone;

type Waiting = (Result<ReadResp, Status>, OwnedSemaphorePermit);

/// Where messages to one reader are put.
#[derive(Debug)]
pub struct Outlet {
    room: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Waiting>,
    patience: Duration,
    hangup: Option<Hangup>,
}

/// Where they are taken from: the answer's stream.
#[derive(Debug)]
pub struct Flow(mpsc::UnboundedReceiver<Waiting>);

/// A flow and its outlet.
pub fn flow(patience: Duration, hangup: Option<Hangup>) -> (Outlet, Flow) {
    let (queue, waiting) = mpsc::unbounded_channel();
    (
        Outlet { room: Arc::new(Semaphore::new(WAITING_BYTES as usize)), queue, patience, hangup },
        Flow(waiting),
    )
}

impl Outlet {
    /// Puts the message in once there is room; a reader that makes none for too long is dropped.
    pub async fn send(&self, message: ReadResp) -> Result<(), Gone> {
        let bytes =
            u32::try_from(message.encoded_len()).unwrap_or(WAITING_BYTES).clamp(1, WAITING_BYTES);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        let permit = tokio::select! {
            permit = room => permit.map_err(|_| Gone)?,
            () = self.queue.closed() => return Err(Gone),
            () = tokio::time::sleep(self.patience) => {
                metrics::counter!("esdb_slow_readers_total").increment(1);
                tracing::warn!(seconds = self.patience.as_secs(), "a reader of the log has taken \
                    nothing for too long: its connection is cut");
                self.end(unavailable("nothing was taken for too long"));
                if let Some(hangup) = &self.hangup {
                    hangup.cut();
                }
                return Err(Gone);
            }
        };
        self.queue.send((Ok(message), permit)).map_err(|_| Gone)
    }

    /// Ends the flow with an error, whether there is room or not.
    pub fn end(&self, status: Status) {
        if let Ok(none) = Arc::clone(&self.room).try_acquire_many_owned(0) {
            let _ = self.queue.send((Err(status), none));
        }
    }

    /// Returns once the reader is gone.
    pub async fn closed(&self) {
        self.queue.closed().await;
    }

    /// Whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

impl futures_util::Stream for Flow {
    type Item = Result<ReadResp, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|waiting| waiting.map(|(message, _room)| message))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;
    use crate::message;

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_cut_and_what_waits_for_it_is_bounded() {
        let hangup = Hangup::default();
        let (outlet, mut reader) = flow(Duration::from_secs(5), Some(hangup.clone()));
        let large = || message::not_found(&"x".repeat(100_000));
        assert!(outlet.send(large()).await.is_ok() && outlet.send(large()).await.is_ok());
        assert!(outlet.send(large()).await.is_err(), "a third of 100 kB is more than may wait");
        hangup.is_cut().await;
        assert!(reader.next().await.unwrap().is_ok() && reader.next().await.unwrap().is_ok());
        assert_eq!(reader.next().await.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_slow_is_waited_for_and_one_that_left_is_not() {
        let (outlet, mut reader) = flow(Duration::from_secs(5), None);
        let huge = || message::not_found(&"x".repeat(1_000_000));
        assert!(outlet.send(huge()).await.is_ok(), "a message larger than the bound goes alone");
        let taken = tokio::join!(outlet.send(huge()), async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            reader.next().await
        });
        assert!(taken.0.is_ok() && taken.1.is_some());
        drop(reader);
        assert!(outlet.send(huge()).await.is_err());
    }
}
