//! `GET /api/v1/usage`: what was ordered and spent, in a series without holes.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use events::time::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use projections::UsageCell;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Dollars, Moment, Parameters, moment};
use crate::http::openapi_types::DateOrTime;
use events::money::Money;

/// Longest series: six weeks of hours, or decades of days.
const MAX_BUCKETS: usize = 1_000;
const DEFAULT_DAYS: i64 = 30;
const HOUR_SECONDS: i64 = 3_600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// A date or a time; 30 days ago, if absent.
    from: Option<String>,
    /// A date (its whole day counts) or a time; now, if absent.
    to: Option<String>,
    #[serde(default)]
    granularity: Granularity,
    group_by: Option<GroupBy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Granularity {
    Hour,
    #[default]
    Day,
    Month,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GroupBy {
    Platform,
    Country,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub struct Reply {
    from: Moment,
    to: Moment,
    /// Whether the time asked for is longer than a series may be: it then holds the latest part.
    #[serde(rename = "truncated")]
    is_truncated: bool,
    granularity: Granularity,
    totals: Sums,
    series: Vec<Bucket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_by: Option<GroupBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Group>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageGroup)]
struct Group {
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'static str>,
    totals: Sums,
    series: Vec<Bucket>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageEntry)]
struct Bucket {
    start: Moment,
    #[serde(flatten)]
    sums: Sums,
}

#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = UsageSums)]
struct Sums {
    /// Placed in the time; the others count when they end.
    orders: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    expired: u64,
    #[schema(value_type = Dollars)]
    spent: Spent,
    avg_delivery_seconds: Option<f64>,
    #[serde(skip)]
    delivery_millis: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Spent(Money);

impl Serialize for Spent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Dollars(self.0).serialize(serializer)
    }
}

impl Sums {
    fn add(&mut self, cell: &UsageCell) {
        self.orders += cell.orders;
        self.completed += cell.completed;
        self.failed += cell.failed;
        self.cancelled += cell.cancelled;
        self.expired += cell.expired;
        self.spent.0 = self.spent.0 + cell.spent;
        self.delivery_millis += cell.delivery_millis;
        // In tenths of a second.
        let tenths = (self.delivery_millis / 100)
            .checked_div(self.completed)
            .and_then(|tenths| u32::try_from(tenths).ok());
        self.avg_delivery_seconds = tenths.map(|tenths| f64::from(tenths) / 10.0);
    }
}

/// What was ordered and spent: totals and a series without holes.
#[utoipa::path(
    get, path = "/usage", operation_id = "usage", tag = "account",
    params(
        (
            "from" = Option<DateOrTime>, Query,
            description = "A date or a time; 30 days ago, if absent", example = "2026-11-01"
        ),
        (
            "to" = Option<DateOrTime>, Query,
            description = "A date (its whole day counts) or a time; now, if absent",
            example = "2026-11-24"
        ),
        ("granularity" = Option<Granularity>, Query, description = "Width of an entry"),
        ("group_by" = Option<GroupBy>, Query, description = "A series for each, too")
    ),
    responses((status = 200, description = "Totals and a series", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let service = &app.service;
    let now = jiff::Timestamp::from_millisecond(service.clock.now().millis())
        .map_err(|_| ApiError::invalid("The clock is out of range."))?;
    let from = query.from.as_deref().map(|text| zoned("from", text, false)).transpose()?;
    let to = query.to.as_deref().map(|text| zoned("to", text, true)).transpose()?.unwrap_or(now);
    let from = from.unwrap_or_else(|| to.saturating_sub((DEFAULT_DAYS * 24).hours()).unwrap_or(to));
    let starts = bucket_starts(from, to, query.granularity)?;
    let is_truncated = starts.first().is_some_and(|start| *start > from);
    let published = service.accounts.read(caller.account).await?;
    service.views.reach(published.position).await?;
    let first = starts.first().map_or(0, |start| start.as_second().div_euclid(HOUR_SECONDS));
    let last = starts.last().map_or(0, |_| to.as_second().div_euclid(HOUR_SECONDS) + 1);
    // As many cells as hours, platforms and countries the account has used in that time.
    let _permit = app.history.enter(caller.account).await?;
    let cells = service.views.usage(caller.account, first, last).await?;

    let groups = query.group_by.map(|group_by| groups(&starts, &cells, group_by));
    let (totals, series) = series(&starts, cells.iter());
    Ok(Json(Reply {
        from: shown(from),
        to: shown(to),
        is_truncated,
        granularity: query.granularity,
        totals,
        series,
        group_by: query.group_by,
        groups,
    }))
}

fn groups(starts: &[jiff::Timestamp], cells: &[UsageCell], group_by: GroupBy) -> Vec<Group> {
    let mut by_name: BTreeMap<&'static str, Vec<&UsageCell>> = BTreeMap::new();
    for cell in cells {
        let name = match group_by {
            GroupBy::Platform => cell.platform.slug(),
            GroupBy::Country => cell.country.code(),
        };
        by_name.entry(name).or_default().push(cell);
    }
    let group = |(name, cells): (&'static str, Vec<&UsageCell>)| {
        let (totals, series) = series(starts, cells.into_iter());
        let (platform, country) = match group_by {
            GroupBy::Platform => (Some(name), None),
            GroupBy::Country => (None, Some(name)),
        };
        Group { platform, country, totals, series }
    };
    by_name.into_iter().map(group).collect()
}

fn series<'a>(
    starts: &[jiff::Timestamp],
    cells: impl Iterator<Item = &'a UsageCell>,
) -> (Sums, Vec<Bucket>) {
    let mut totals = Sums::default();
    let mut series: Vec<Bucket> =
        starts.iter().map(|start| Bucket { start: shown(*start), sums: Sums::default() }).collect();
    for cell in cells {
        let bucket = starts.partition_point(|start| start.as_second() <= cell.hour * HOUR_SECONDS);
        if let Some(bucket) = bucket.checked_sub(1).and_then(|index| series.get_mut(index)) {
            bucket.sums.add(cell);
            totals.add(cell);
        }
    }
    (totals, series)
}

fn shown(moment: jiff::Timestamp) -> Moment {
    Moment(Timestamp::from_millis(moment.as_millisecond()))
}

fn zoned(name: &str, text: &str, end_of_day: bool) -> Result<jiff::Timestamp, ApiError> {
    let millis = moment(name, text, end_of_day)?.millis();
    jiff::Timestamp::from_millisecond(millis)
        .map_err(|_| ApiError::invalid(format!("{name} is out of range.")))
}

/// The starts of all buckets that touch the time from `from` to `to`; the latest of them, if they
/// are too many.
fn bucket_starts(
    from: jiff::Timestamp,
    to: jiff::Timestamp,
    granularity: Granularity,
) -> Result<Vec<jiff::Timestamp>, ApiError> {
    let out_of_range = |_| ApiError::invalid("from and to are out of range.");
    let end = TimeZone::UTC.to_datetime(to);
    let (last, step): (civil::DateTime, Span) = match granularity {
        Granularity::Hour => (end.date().at(end.hour(), 0, 0, 0), 1.hour()),
        Granularity::Day => (end.date().at(0, 0, 0, 0), 1.day()),
        Granularity::Month => (end.date().first_of_month().at(0, 0, 0, 0), 1.month()),
    };
    let mut starts = std::collections::VecDeque::new();
    let mut next = last;
    while from < to && starts.len() < MAX_BUCKETS {
        let start = TimeZone::UTC.to_timestamp(next).map_err(out_of_range)?;
        if start < to {
            starts.push_front(start);
        }
        if start <= from {
            break;
        }
        match next.checked_sub(step) {
            Ok(earlier) => next = earlier,
            // The first bucket there is.
            Err(_) => break,
        }
    }
    Ok(starts.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(from: &str, to: &str, granularity: Granularity) -> Vec<String> {
        let starts =
            bucket_starts(from.parse().unwrap(), to.parse().unwrap(), granularity).unwrap();
        starts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn buckets_cover_the_time_and_start_on_the_clock() {
        assert_eq!(
            starts("2026-11-24T10:59:59Z", "2026-11-24T12:00:00Z", Granularity::Hour),
            ["2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"]
        );
        assert_eq!(
            starts("2024-02-28T10:00:00Z", "2024-03-01T00:00:01Z", Granularity::Day).len(),
            3
        );
        assert_eq!(
            starts("2026-01-31T10:00:00Z", "2026-03-01T00:00:00Z", Granularity::Month),
            ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]
        );
    }

    #[test]
    fn a_series_without_end_holds_the_latest_part() {
        let far = starts("1990-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Granularity::Hour);
        assert_eq!(
            (far.len(), far.last().unwrap().as_str()),
            (MAX_BUCKETS, "2025-12-31T23:00:00Z")
        );
    }

    #[test]
    fn a_time_that_ends_before_it_starts_is_empty() {
        assert!(
            starts("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", Granularity::Day).is_empty()
        );
    }
}
