//! One read or subscription, from its first page to its end.

use std::sync::Arc;
use std::time::Duration;

use prost_types::Timestamp;
use tokio::sync::watch;
use tonic::Status;

use crate::flow::{Gone, Outlet};
use crate::log::{Log, Page, Record};
use crate::message;
use crate::query::{Course, Query, Scope, Start};
use crate::refusal::unavailable;

/// Records read at a time.
const PAGE: usize = 256;
/// A filtered subscription that has looked at records in vain says how far it is after so long
/// without a new one.
const IDLE: Duration = Duration::from_secs(1);

/// Why a read ends before its time.
enum End {
    /// Nobody reads any more.
    Gone,
    /// Something is wrong, and the reader is told.
    Refused(Status),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// A read under way.
pub struct Reading<L: Log> {
    /// Of what.
    pub log: Arc<L>,
    /// By whom.
    pub reader: L::Reader,
    /// What is wanted.
    pub query: Query,
    /// Where it goes.
    pub outlet: Outlet,
    /// What its subscription is called.
    pub id: String,
    /// The time, for those who are told it.
    pub now: fn() -> Timestamp,
    /// Turns true when the service ends.
    pub stopping: watch::Receiver<bool>,
}

impl<L: Log> Reading<L> {
    /// Runs it to its end.
    pub async fn run(self) {
        let mut stopping = self.stopping.clone();
        let is_subscription = self.query.course == Course::Subscription;
        let stopped = async {
            // A read is short, and what is under way is finished; a subscription would never end by
            // itself.
            let is_stopping = stopping.wait_for(|stopping| *stopping).await.is_ok();
            if !(is_stopping && is_subscription) {
                std::future::pending::<()>().await;
            }
        };
        let ended = {
            let work = async {
                match self.query.course {
                    Course::Forwards(count) => self.forwards(count).await,
                    Course::Backwards(count) => self.backwards(count).await,
                    Course::Subscription => Subscription::new(&self).run().await,
                }
            };
            tokio::select! {
                ended = work => ended,
                () = stopped => Err(End::Refused(unavailable("the service stops"))),
            }
        };
        if let Err(End::Refused(status)) = ended {
            self.outlet.end(status);
        }
    }

    async fn forwards(&self, mut count: u64) -> Result<(), End> {
        // Inclusive both of a stream's revision and of a position.
        let mut page = match (&self.query.scope, self.query.start) {
            (Scope::All, Start::First) => Page::After(0),
            (Scope::All, Start::At(position)) => Page::After(position.saturating_sub(1)),
            (Scope::Stream(stream), Start::First) => Page::StreamFrom(Arc::clone(stream), 0),
            (Scope::Stream(stream), Start::At(revision)) => {
                Page::StreamFrom(Arc::clone(stream), revision)
            }
            // Behind the last record there is nothing.
            (Scope::All, Start::End) => return Ok(()),
            (Scope::Stream(_), Start::End) => return self.tell_end().await,
        };
        while count > 0 {
            let records = self
                .log
                .read(page.clone(), PAGE.min(usize::try_from(count).unwrap_or(PAGE)))
                .await?;
            let Some(last) = records.last() else { break };
            page = match page {
                Page::StreamFrom(stream, _) => Page::StreamFrom(stream, last.revision() + 1),
                _ => Page::After(last.position()),
            };
            self.send(&records, &mut count).await?;
        }
        self.tell_end().await
    }

    async fn backwards(&self, mut count: u64) -> Result<(), End> {
        // Inclusive of a stream's revision, exclusive of a position.
        let mut page = match (&self.query.scope, self.query.start) {
            (Scope::All, Start::End) => Page::Before(u64::MAX),
            (Scope::All, Start::At(position)) => Page::Before(position),
            (Scope::Stream(stream), Start::End) => Page::StreamBefore(Arc::clone(stream), u64::MAX),
            (Scope::Stream(stream), Start::At(revision)) => {
                Page::StreamBefore(Arc::clone(stream), revision + 1)
            }
            (Scope::Stream(stream), Start::First) => Page::StreamBefore(Arc::clone(stream), 1),
            (Scope::All, Start::First) => return Ok(()),
        };
        while count > 0 {
            let records = self
                .log
                .read(page.clone(), PAGE.min(usize::try_from(count).unwrap_or(PAGE)))
                .await?;
            let Some(last) = records.last() else { break };
            page = match page {
                Page::StreamBefore(stream, _) => Page::StreamBefore(stream, last.revision()),
                _ => Page::Before(last.position()),
            };
            self.send(&records, &mut count).await?;
        }
        self.tell_end().await
    }

    /// Sends those that are wanted, and counts them.
    async fn send(&self, records: &[L::Record], count: &mut u64) -> Result<(), End> {
        if self.outlet.is_closed() {
            return Err(End::Gone);
        }
        for record in records {
            if *count > 0 && self.wants(record)? {
                self.tell(record).await?;
                *count -= 1;
            }
        }
        Ok(())
    }

    fn wants(&self, record: &L::Record) -> Result<bool, Status> {
        self.query.filter.as_ref().map_or(Ok(true), |filter| filter.takes(record))
    }

    async fn tell(&self, record: &L::Record) -> Result<(), End> {
        let event = self.log.tell(record, &self.reader)?;
        metrics::counter!("esdb_events_sent_total").increment(1);
        Ok(self.outlet.send(message::event(event, self.query.textual_ids)).await?)
    }

    /// What follows the last event of a stream's read: where the stream ends, or that there is
    /// none.
    async fn tell_end(&self) -> Result<(), End> {
        let Scope::Stream(stream) = &self.query.scope else { return Ok(()) };
        let last = self.log.read(Page::StreamBefore(Arc::clone(stream), u64::MAX), 1).await?;
        match last.first() {
            Some(last) if self.query.tells_last => {
                self.outlet.send(message::last_of_stream(last.revision())).await?;
            }
            Some(_) => {}
            None => self.outlet.send(message::not_found(stream)).await?,
        }
        Ok(())
    }
}

/// A subscription: all there is after its start, then what comes.
struct Subscription<'a, L: Log> {
    of: &'a Reading<L>,
    head: watch::Receiver<u64>,
    /// After this position, or before this revision, it goes on.
    next: Page,
    /// The last record that was looked at.
    reached: Option<(u64, u64)>,
    /// Looked at since the subscription began.
    considered: u64,
    /// The last checkpoint's position; they rise.
    told: u64,
    is_live: bool,
}

impl<'a, L: Log> Subscription<'a, L> {
    fn new(of: &'a Reading<L>) -> Self {
        Self {
            of,
            head: of.log.head(),
            next: Page::After(0),
            reached: None,
            considered: 0,
            told: 0,
            is_live: false,
        }
    }

    async fn run(mut self) -> Result<(), End> {
        let head = *self.head.borrow_and_update();
        self.next = self.first_page(head).await?;
        self.of.outlet.send(message::confirmation(self.of.id.clone())).await?;
        loop {
            // Noted before the log is read: what comes meanwhile wakes the next wait.
            self.head.borrow_and_update();
            while self.page().await? {}
            if !self.is_live {
                self.is_live = true;
                self.catch_up().await?;
            }
            self.wait().await?;
        }
    }

    /// Exclusive of the place it is given. A place that the log does not have yet is of another
    /// log: waiting for it would leave out what comes before.
    async fn first_page(&self, head: u64) -> Result<Page, End> {
        Ok(match (&self.of.query.scope, self.of.query.start) {
            (Scope::All, Start::First) => Page::After(0),
            (Scope::All, Start::End) => Page::After(head),
            (Scope::All, Start::At(position)) => {
                if position > head {
                    self.must_have(position).await?;
                }
                Page::After(position)
            }
            (Scope::Stream(stream), Start::First) => Page::StreamFrom(Arc::clone(stream), 0),
            (Scope::Stream(stream), Start::At(revision)) => {
                Page::StreamFrom(Arc::clone(stream), revision + 1)
            }
            (Scope::Stream(stream), Start::End) => {
                let last =
                    self.of.log.read(Page::StreamBefore(Arc::clone(stream), u64::MAX), 1).await?;
                Page::StreamFrom(
                    Arc::clone(stream),
                    last.first().map_or(0, |last| last.revision() + 1),
                )
            }
        })
    }

    /// The log itself is asked: whoever has just read its last record may be ahead of who tells of
    /// it.
    async fn must_have(&self, position: u64) -> Result<(), End> {
        let last =
            self.of.log.read(Page::Before(u64::MAX), 1).await?.first().map_or(0, Record::position);
        if position <= last {
            return Ok(());
        }
        let text = format!(
            "the log ends at position {last}: {position} is of another log, or of one that has \
             lost its end"
        );
        Err(Status::failed_precondition(text).into())
    }

    /// Sends the next page; false if there is none now.
    async fn page(&mut self) -> Result<bool, End> {
        if self.of.outlet.is_closed() {
            return Err(End::Gone);
        }
        let records = self.of.log.read(self.next.clone(), PAGE).await?;
        for record in &records {
            let (position, revision) = (record.position(), record.revision());
            if self.of.wants(record)? {
                self.of.tell(record).await?;
            }
            self.considered += 1;
            self.reached = Some((position, revision));
            self.next = match &self.next {
                Page::StreamFrom(stream, _) => Page::StreamFrom(Arc::clone(stream), revision + 1),
                _ => Page::After(position),
            };
            if self
                .of
                .query
                .filter
                .as_ref()
                .is_some_and(|filter| self.considered.is_multiple_of(filter.checkpoint_every))
            {
                self.checkpoint().await?;
            }
        }
        Ok(!records.is_empty())
    }

    async fn catch_up(&mut self) -> Result<(), End> {
        let now = (self.of.now)();
        if self.of.query.filter.is_some() {
            self.checkpoint().await?;
        }
        let caught_up = match (&self.next, self.reached) {
            (Page::After(0), None) | (Page::Before(_) | Page::StreamBefore(..), _) => {
                message::caught_up(None, None, now)
            }
            (Page::After(position), _) => message::caught_up(None, Some(*position), now),
            (Page::StreamFrom(_, next), _) => message::caught_up(next.checked_sub(1), None, now),
        };
        Ok(self.of.outlet.send(caught_up).await?)
    }

    /// Tells how far it is, if that is further than what was told.
    async fn checkpoint(&mut self) -> Result<(), End> {
        let Some((position, _)) = self.reached.filter(|(position, _)| *position > self.told) else {
            return Ok(());
        };
        self.told = position;
        Ok(self.of.outlet.send(message::checkpoint(position, (self.of.now)())).await?)
    }

    /// Returns when the log has grown.
    async fn wait(&mut self) -> Result<(), End> {
        let has_more_to_tell = self.of.query.filter.is_some()
            && self.reached.is_some_and(|(position, _)| position > self.told);
        tokio::select! {
            changed = self.head.changed() => {
                changed.map_err(|_| unavailable("the log is closed").into())
            }
            () = self.of.outlet.closed() => Err(End::Gone),
            () = tokio::time::sleep(IDLE), if has_more_to_tell => self.checkpoint().await,
        }
    }
}
