//! A moment as operators write it.

use events::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A date, or a time, in UTC.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<Timestamp>().ok();
    time.or_else(|| of_date(text, false))
        .ok_or_else(|| "is no date or time, such as 2026-11-24 or 2026-11-24T12:00:00Z".to_owned())
}

/// Where a date begins in UTC, or where it ends; `None` for what is no date.
pub fn of_date(text: &str, end: bool) -> Option<Timestamp> {
    let date: Date = text.parse().ok()?;
    // The last day there is has no tomorrow.
    let date = if end { date.tomorrow().unwrap_or(date) } else { date };
    let start = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp::from_millis(start.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_moments_in_utc() {
        assert_eq!(moment("2026-11-24").unwrap(), moment("2026-11-24T00:00:00Z").unwrap());
        assert_eq!(moment("2026-11-24T01:00:00+01:00").unwrap(), moment("2026-11-24").unwrap());
        assert!(moment("yesterday").is_err());
    }
}
