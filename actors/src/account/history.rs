//! Questions about the past, which are answered from the log: how many may be answered at a time,
//! and what one found for the next.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use events::Event;
use events::account::ledger::{self, Amounts, Entry};
use events::account::portrait::Portrait;
use events::as_of::AsOf;
use events::envelope::{Recorded, Revision, StreamId};
use events::id::AccountId;
use events::time::Timestamp;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::handle::Published;
use crate::kernel::fault::Fault;
use crate::store::{EventStore, ReadError};

/// Replays of one account at a time; each holds one page of events.
const AT_ONCE_PER_ACCOUNT: usize = 2;
/// Replays in all at a time.
const AT_ONCE: usize = 8;
/// Questions of one account, those that wait included; past it the caller is told to come again.
const ASKED_PER_ACCOUNT: usize = 32;
/// Questions in all.
const ASKED: usize = 512;
/// Events read at a time.
const PAGE: usize = 1_024;
/// Events between two portraits that are kept: the next question about the same time reads so many
/// at most.
const KEPT_EVERY: u64 = 8_192;
/// Portraits kept, a few hundred bytes each.
const KEPT: usize = 4_096;
/// Events of the stream read at a time for the ledger, which is read backwards.
const LEDGER_PAGE: u64 = 512;
/// Such pages read for one page of the ledger: where few events move money the answer is shorter,
/// and goes on from there.
const MAX_LEDGER_PAGES: usize = 64;

/// A question about the past is not answered.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// Too many are being answered; ask again in a second.
    #[error("too many questions about the past are being answered")]
    Busy,
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Where a page of the ledger starts: before this event, when the account had so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerPlace {
    /// Events of the account before it.
    pub end: u64,
    /// What the account had after them.
    pub has: Amounts,
}

/// A movement of an account's money.
#[derive(Debug, Clone, Copy)]
pub struct Movement {
    /// The event's number in the account's history, from 1.
    pub event: u64,
    /// When it was.
    pub at: Timestamp,
    /// What moved.
    pub entry: Entry,
    /// What the account had before it.
    pub before: Amounts,
    /// What it had after it.
    pub after: Amounts,
}

/// A page of the ledger, newest first.
#[derive(Debug)]
pub struct LedgerPage {
    /// The movements.
    pub movements: Vec<Movement>,
    /// Where the next page starts; there is none where its `end` is 0.
    pub next: LedgerPlace,
}

/// What answers about the past have cost since the start.
#[derive(Debug, Default)]
pub struct HistoryStatistics {
    /// Events read.
    pub events: AtomicU64,
    /// Questions that were refused.
    pub refused: AtomicU64,
}

/// The past of accounts: who asks, and the portraits that were made on the way. Cloning shares it.
#[derive(Debug, Clone)]
pub struct History {
    store: Arc<dyn EventStore>,
    statistics: Arc<HistoryStatistics>,
    asking: Arc<Mutex<Asking>>,
    all: Arc<Semaphore>,
    kept: Arc<Mutex<BTreeMap<(AccountId, u64), Kept>>>,
}

#[derive(Debug, Default)]
struct Asking {
    in_all: usize,
    by_account: BTreeMap<AccountId, (usize, Arc<Semaphore>)>,
}

/// An account after so many of its events.
#[derive(Debug, Clone)]
struct Kept {
    portrait: Portrait,
    /// The latest time of an event so far.
    latest: Timestamp,
}

/// The right to replay; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    // Before the permits, for it is the questions that are counted last.
    _at_once: [OwnedSemaphorePermit; 2],
    _asked: Asked,
}

#[derive(Debug)]
struct Asked {
    account: AccountId,
    asking: Arc<Mutex<Asking>>,
}

impl LedgerPlace {
    /// The end of an account's stream, and what it has there.
    pub fn newest(published: &Published) -> Self {
        let end = published.revision.map_or(0, |revision| revision.0 + 1);
        Self { end, has: Amounts { balance: published.state.balance, held: published.state.held } }
    }
}

impl History {
    /// The past that this store holds.
    pub fn of(store: Arc<dyn EventStore>) -> Self {
        Self {
            store,
            statistics: Arc::default(),
            asking: Arc::default(),
            all: Arc::new(Semaphore::new(AT_ONCE)),
            kept: Arc::default(),
        }
    }

    /// What it has cost.
    pub fn statistics(&self) -> &HistoryStatistics {
        &self.statistics
    }

    /// Counts events that were read under a permit.
    pub fn has_read(&self, events: u64) {
        self.statistics.events.fetch_add(events, Ordering::Relaxed);
    }

    /// Waits for the right to replay something of `account`; refused where too many wait already.
    pub async fn enter(&self, account: AccountId) -> Result<Permit, HistoryError> {
        let (asked, own) = self.ask(account)?;
        let closed = |_| unreachable!("nobody closes these");
        let own = own.acquire_owned().await.unwrap_or_else(closed);
        let all = Arc::clone(&self.all).acquire_owned().await.unwrap_or_else(closed);
        Ok(Permit { _at_once: [own, all], _asked: asked })
    }

    fn ask(&self, account: AccountId) -> Result<(Asked, Arc<Semaphore>), HistoryError> {
        let mut asking = self.asking.lock();
        let of_account = asking.by_account.get(&account).map_or(0, |(count, _)| *count);
        if of_account >= ASKED_PER_ACCOUNT || asking.in_all >= ASKED {
            self.statistics.refused.fetch_add(1, Ordering::Relaxed);
            return Err(HistoryError::Busy);
        }
        asking.in_all += 1;
        let (count, own) = asking
            .by_account
            .entry(account)
            .or_insert_with(|| (0, Arc::new(Semaphore::new(AT_ONCE_PER_ACCOUNT))));
        *count += 1;
        Ok((Asked { account, asking: Arc::clone(&self.asking) }, Arc::clone(own)))
    }

    /// The account as it was, and how many events that is; none if it did not exist.
    pub async fn portrait(
        &self,
        account: AccountId,
        as_of: AsOf,
    ) -> Result<Option<(Portrait, u64)>, HistoryError> {
        let _permit = self.enter(account).await?;
        let found = self
            .fold(account, as_of, |from| {
                self.store.read_stream(StreamId::account(account), Revision(from), PAGE)
            })
            .await?;
        if let Some((portrait, _)) = &found {
            assert_eq!(
                portrait.id, account,
                "an account's stream starts with its own registration"
            );
        }
        Ok(found)
    }

    /// The movements before `place`, at most `limit`; `None` if the account never was at that
    /// place.
    pub async fn ledger(
        &self,
        account: AccountId,
        place: LedgerPlace,
        limit: usize,
    ) -> Result<Option<LedgerPage>, HistoryError> {
        let _permit = self.enter(account).await?;
        let mut page = LedgerPage { movements: Vec::new(), next: place };
        for _ in 0..MAX_LEDGER_PAGES {
            if page.movements.len() >= limit || page.next.end == 0 {
                break;
            }
            let start = page.next.end.saturating_sub(LEDGER_PAGE);
            let length = page.next.end - start;
            let records = self.store.read_stream(
                StreamId::account(account),
                Revision(start),
                usize::try_from(length).unwrap_or(usize::MAX),
            );
            let records = records.await.map_err(Fault::from)?;
            self.has_read(length);
            if u64::try_from(records.len()).is_ok_and(|read| read < length) {
                return Ok(None);
            }
            page.take(&records, limit);
        }
        Ok(Some(page))
    }

    /// The account's events after so many of them, oldest first, at most `limit`.
    pub async fn events(
        &self,
        account: AccountId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded<Event>>, HistoryError> {
        let _permit = self.enter(account).await?;
        let records =
            self.store.read_stream(StreamId::account(account), Revision(after), limit).await;
        let records = records.map_err(Fault::from)?;
        self.has_read(u64::try_from(records.len()).unwrap_or(u64::MAX));
        Ok(records)
    }

    /// Folds pages of the account's stream, from the last portrait that is kept of the time before.
    async fn fold<F>(
        &self,
        account: AccountId,
        as_of: AsOf,
        page: impl Fn(u64) -> F,
    ) -> Result<Option<(Portrait, u64)>, Fault>
    where
        F: Future<Output = Result<Vec<Recorded<Event>>, ReadError>>,
    {
        let (mut last, Kept { mut portrait, mut latest }) = self.nearest(account, as_of);
        loop {
            let records = page(last).await?;
            self.has_read(u64::try_from(records.len()).unwrap_or(u64::MAX));
            let is_end = records.len() < PAGE;
            for record in records {
                let Event::Account(event) = record.event else { continue };
                if !as_of.includes(record.revision.0 + 1, event.at()) {
                    return Ok((last > 0).then_some((portrait, last)));
                }
                last = record.revision.0 + 1;
                latest = latest.max(event.at());
                portrait.add(&event);
                if last.is_multiple_of(KEPT_EVERY) {
                    self.keep(account, last, Kept { portrait: portrait.clone(), latest });
                }
            }
            if is_end {
                return Ok((last > 0).then_some((portrait, last)));
            }
        }
    }

    /// The last portrait of which every event counts, and after how many events it is.
    fn nearest(&self, account: AccountId, as_of: AsOf) -> (u64, Kept) {
        let kept = self.kept.lock();
        let mut of_account = kept.range((account, 0)..=(account, u64::MAX)).rev();
        let found = of_account.find(|((_, events), kept)| as_of.includes(*events, kept.latest));
        let nothing = || (0, Kept { portrait: Portrait::default(), latest: Timestamp::default() });
        found.map_or_else(nothing, |((_, events), kept)| (*events, kept.clone()))
    }

    fn keep(&self, account: AccountId, events: u64, portrait: Kept) {
        let mut kept = self.kept.lock();
        // Whoever asks again makes them again: all at once is simpler than the oldest first, and as
        // bounded.
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert((account, events), portrait);
    }
}

impl LedgerPage {
    /// Goes back over the records that end where the page does.
    fn take(&mut self, records: &[Recorded<Event>], limit: usize) {
        for record in records.iter().rev() {
            if self.movements.len() == limit {
                break;
            }
            self.next.end = record.revision.0;
            let Event::Account(event) = &record.event else { continue };
            let Some(entry) = ledger::entry(event) else { continue };
            let (before, after) = (self.next.has.before(entry), self.next.has);
            self.movements.push(Movement {
                event: record.revision.0 + 1,
                at: record.at,
                entry,
                before,
                after,
            });
            self.next.has = before;
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut asking = self.asking.lock();
        asking.in_all -= 1;
        if let Some((count, _)) = asking.by_account.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                asking.by_account.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests;
