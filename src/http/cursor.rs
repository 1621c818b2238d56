//! Pages of a list: how long one is, and where the next one starts.

use axum::http::StatusCode;
use serde::Deserialize;

use super::error::ApiError;
use super::json::Whole;

/// Entries of a page, unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
const LONGEST: u64 = 200;

/// A page's length.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct Limit(Whole<1, LONGEST>);

impl Limit {
    /// How many entries are wanted.
    pub fn of(limit: Option<Self>) -> u32 {
        limit.and_then(|Self(limit)| u32::try_from(limit.0).ok()).unwrap_or(DEFAULT_LIMIT)
    }
}

/// A page of rows, of which one more than `limit` were asked for; and its last row, if there is a
/// page after it.
pub fn page<T: Clone>(mut rows: Vec<T>, limit: u32) -> (Vec<T>, Option<T>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| is_more).cloned();
    (rows, last)
}

/// Further than any list gets.
const LAST: u64 = 1_000_000_000_000;

/// A cursor that is a number: of a delivery, or of a place in the log.
pub fn number(cursor: Option<&str>) -> Result<Option<u64>, ApiError> {
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|number| (1..=LAST).contains(number))
            .ok_or_else(|| ApiError::of_field("cursor", "cursor is the next_cursor of a page."))
    };
    cursor.map(number).transpose()
}

/// The refusal of a cursor that no page has given.
pub fn invalid() -> ApiError {
    ApiError::invalid("There is no page at this cursor; take a next_cursor as it was given.")
        .with_status(StatusCode::NOT_FOUND)
}
