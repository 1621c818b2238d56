//! A moment as operators write it.

use events::time::Timestamp;

/// A date, or a time, in UTC.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let midnight =
        |date: jiff::civil::Date| jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let date = || text.parse().ok().and_then(midnight);
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(date);
    moment
        .map(|moment| Timestamp::from_millis(moment.as_millisecond()))
        .ok_or_else(|| "is no date or time, such as 2026-11-24 or 2026-11-24T12:00:00Z".to_owned())
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
