//! `GET /api/v1/account/ledger`: every movement of the account's money, newest first, with the balance before and after.

use actors::store::EventStore;
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events::Event;
use events::account::ledger::{self, Amounts, Entry};
use events::envelope::{Recorded, Revision, StreamId};
use events::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Moment, Parameters, SignedDollars};
use crate::http::vocabulary::CursorText;

/// Events of the stream read at a time.
const PAGE: u64 = 512;
/// Pages of events read for one page of the ledger: where few events move money the answer is shorter, and goes on from there.
const MAX_PAGES: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ledger)]
pub struct Reply {
    entries: Vec<Row>,
    /// Give it as `cursor` to get the next page; null on the last one.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub struct Row {
    /// The event's number in the account's history, as `as_of` takes it.
    event: u64,
    /// `credit` or `debit` (by an operator), `deposit`, `reversal` (of a deposit that its chain has lost), `hold`, `capture` or `release`.
    #[serde(rename = "type")]
    kind: &'static str,
    at: Moment,
    order_id: Option<String>,
    /// Change of the spendable balance.
    amount: SignedDollars,
    balance_before: SignedDollars,
    balance_after: SignedDollars,
    held_before: SignedDollars,
    held_after: SignedDollars,
}

/// Where a page starts: before this event, when the account had so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Events of the stream before it.
    end: u64,
    has: Amounts,
}

impl Place {
    fn written(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", self.end, self.has.balance.micros(), self.has.held.micros()))
    }

    fn parse(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = text.split('.');
        let end = parts.next()?.parse().ok()?;
        let mut money = || parts.next()?.parse().ok().map(Money::from_micros);
        let place = Self { end, has: Amounts { balance: money()?, held: money()? } };
        parts.next().is_none().then_some(place)
    }
}

/// Every movement of your money, newest first, each with the balance before and after it.
#[utoipa::path(get, path = "/account/ledger", operation_id = "ledger", tag = "account",
    params(("limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<CursorText>, Query, description = "The page before's next_cursor")),
    responses((status = 200, description = "A page of the ledger", body = Reply)))]
pub async fn handle(State(app): State<Shared>, caller: Caller, Parameters(query): Parameters<Query>) -> ApiResult<Reply> {
    let limit = usize::try_from(Limit::of(query.limit)).unwrap_or(usize::MAX);
    let given = query.cursor.as_deref().map(|text| Place::parse(text).ok_or_else(cursor::invalid)).transpose()?;
    let mut place = match given {
        Some(place) => place,
        None => newest(&app, &caller).await?,
    };
    let _permit = app.replays.enter(caller.account).await?;
    let (mut entries, mut pages) = (Vec::new(), 0);
    while entries.len() < limit && place.end > 0 && pages < MAX_PAGES {
        pages += 1;
        let start = place.end.saturating_sub(PAGE);
        for record in read(&app, &caller, start, place.end).await?.iter().rev() {
            if entries.len() == limit {
                break;
            }
            place.end = record.revision.0;
            let Event::Account(event) = &record.event else { continue };
            let Some(entry) = ledger::entry(event) else { continue };
            let before = Place { has: place.has.before(entry), ..place };
            entries.push(row(record, entry, before, place));
            place = before;
        }
    }
    let next_cursor = (place.end > 0).then(|| place.written());
    Ok(Json(Reply { entries, next_cursor }))
}

/// The end of the account's stream, and what it has there.
async fn newest(app: &Shared, caller: &Caller) -> Result<Place, ApiError> {
    let published = app.service.accounts.read(caller.account).await?;
    let end = published.revision.map_or(0, |revision| revision.0 + 1);
    Ok(Place { end, has: Amounts { balance: published.state.balance, held: published.state.held } })
}

async fn read(app: &Shared, caller: &Caller, start: u64, end: u64) -> Result<Vec<Recorded<Event>>, ApiError> {
    let limit = usize::try_from(end - start).unwrap_or(usize::MAX);
    let records = app.service.store.read_stream(StreamId::account(caller.account), Revision(start), limit).await;
    records.map_err(|error| ApiError::from(actors::Fault::from(error))).and_then(|records| {
        // A cursor past the stream's end was not given by any page.
        metrics::counter!("replayed_events_total").increment(end - start);
        let is_whole = u64::try_from(records.len()).is_ok_and(|read| read == end - start);
        if is_whole { Ok(records) } else { Err(cursor::invalid()) }
    })
}

fn row(record: &Recorded<Event>, entry: Entry, before: Place, after: Place) -> Row {
    Row {
        event: record.revision.0 + 1,
        kind: entry.kind.name(),
        at: Moment(record.at),
        order_id: entry.order.map(|order| order.to_string()),
        amount: SignedDollars(entry.balance),
        balance_before: SignedDollars(before.has.balance),
        balance_after: SignedDollars(after.has.balance),
        held_before: SignedDollars(before.has.held),
        held_after: SignedDollars(after.has.held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_hostile_cursors_are_refused() {
        let place = Place { end: 17, has: Amounts { balance: Money::from_cents(-50), held: Money::from_cents(50) } };
        assert_eq!(Place::parse(&place.written()), Some(place));
        for text in ["", "x", "MTc", "====", &URL_SAFE_NO_PAD.encode("1.2"), &URL_SAFE_NO_PAD.encode("1.2.3.4"), &URL_SAFE_NO_PAD.encode("-1.2.3")] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
