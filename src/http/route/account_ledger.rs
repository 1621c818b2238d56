//! `GET /api/v1/account/ledger`: every movement of the account's money, newest first, with the
//! balance before and after.

use actors::account::{History, LedgerPlace, Movement};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events::account::ledger::Amounts;
use events::id::AccountId;
use events::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::boot::Service;
use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Moment, Parameters, SignedDollars};
use crate::http::openapi_types::CursorText;

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
    /// `credit` or `debit` (by an operator), `deposit`, `reversal` (of a deposit that its chain has
    /// lost), `hold`, `capture` or `release`.
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

/// A place as a cursor.
fn written(place: LedgerPlace) -> String {
    URL_SAFE_NO_PAD.encode(format!(
        "{}.{}.{}",
        place.end,
        place.has.balance.micros(),
        place.has.held.micros()
    ))
}

fn parse(text: &str) -> Option<LedgerPlace> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let mut parts = text.split('.');
    let end = parts.next()?.parse().ok()?;
    let mut money = || parts.next()?.parse().ok().map(Money::from_micros);
    let place = LedgerPlace { end, has: Amounts { balance: money()?, held: money()? } };
    parts.next().is_none().then_some(place)
}

/// Every movement of your money, newest first, each with the balance before and after it.
#[utoipa::path(
    get, path = "/account/ledger", operation_id = "ledger", tag = "account",
    params(
        (
            "limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1,
            maximum = 200
        ),
        ("cursor" = Option<CursorText>, Query, description = "The page before's next_cursor")
    ),
    responses((status = 200, description = "A page of the ledger", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    page(
        &app.history,
        &app.service,
        caller.account,
        Limit::of(query.limit),
        query.cursor.as_deref(),
    )
    .await
    .map(Json)
}

/// A page of an account's ledger.
pub async fn page(
    history: &History,
    service: &Service,
    account: AccountId,
    limit: u32,
    cursor: Option<&str>,
) -> Result<Reply, ApiError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let from = match cursor {
        Some(text) => parse(text).ok_or_else(cursor::invalid)?,
        None => LedgerPlace::newest(&*service.accounts.read(account).await?),
    };
    let page = history.ledger(account, from, limit).await?.ok_or_else(cursor::invalid)?;
    let next_cursor = (page.next.end > 0).then(|| written(page.next));
    Ok(Reply { entries: page.movements.iter().map(row).collect(), next_cursor })
}

fn row(movement: &Movement) -> Row {
    let Movement { event, at, entry, before, after } = *movement;
    Row {
        event,
        kind: entry.kind.name(),
        at: Moment(at),
        order_id: entry.order.map(|order| order.to_string()),
        amount: SignedDollars(entry.balance),
        balance_before: SignedDollars(before.balance),
        balance_after: SignedDollars(after.balance),
        held_before: SignedDollars(before.held),
        held_after: SignedDollars(after.held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_hostile_cursors_are_refused() {
        let place = LedgerPlace {
            end: 17,
            has: Amounts { balance: Money::from_cents(-50), held: Money::from_cents(50) },
        };
        assert_eq!(parse(&written(place)), Some(place));
        for text in [
            "",
            "x",
            "MTc",
            "====",
            &URL_SAFE_NO_PAD.encode("1.2"),
            &URL_SAFE_NO_PAD.encode("1.2.3.4"),
            &URL_SAFE_NO_PAD.encode("-1.2.3"),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
