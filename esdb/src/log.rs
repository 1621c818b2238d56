//! The log as the protocol sees it: what a server is put in front of.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tonic::Status;

/// Which records are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// Of the whole log, after a position, oldest first.
    After(u64),
    /// Of the whole log, before a position, newest first.
    Before(u64),
    /// Of a stream, from a revision on, oldest first.
    StreamFrom(Arc<str>, u64),
    /// Of a stream, before a revision, newest first.
    StreamBefore(Arc<str>, u64),
}

/// A record's place and name: what filters are asked about before anything is made of it.
pub trait Record: Send + Sync {
    /// Its place in the log, from 1, without gaps.
    fn position(&self) -> u64;
    /// Its stream.
    fn stream(&self) -> &str;
    /// Its place there, from 0, without gaps.
    fn revision(&self) -> u64;
    /// The event's name.
    fn name(&self) -> &str;
}

/// An event as it is told to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique.
    pub id: u128,
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub revision: u64,
    /// Its place in the log.
    pub position: u64,
    /// What happened.
    pub name: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// JSON.
    pub data: Vec<u8>,
    /// JSON.
    pub metadata: Vec<u8>,
}

/// A log that can be read from either end, and says when it grows.
pub trait Log: Send + Sync + 'static {
    /// What it holds.
    type Record: Record;
    /// Who reads: an extension of each call, put there by whoever has checked it.
    type Reader: Clone + Send + Sync + 'static;

    /// The last position, now and whenever it moves.
    fn head(&self) -> watch::Receiver<u64>;

    /// The first records of the page, at most `limit`, and at least one if there is any.
    fn read(
        &self,
        page: Page,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Self::Record>, Status>> + Send;

    /// The record as this reader may see it.
    fn tell(&self, record: &Self::Record, reader: &Self::Reader) -> Result<Event, Status>;
}
