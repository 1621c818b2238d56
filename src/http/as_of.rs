//! `?as_of=`: how something was at a time, or after one of its events.

use events::as_of::AsOf;

use super::error::ApiError;

/// Further than any history goes.
const LAST_EVENT: u64 = 1_000_000_000;

/// Reads the parameter.
pub fn parse(text: &str) -> Result<AsOf, ApiError> {
    if let Ok(number) = text.parse::<u64>() {
        let fits = (1..=LAST_EVENT).contains(&number);
        return if fits {
            Ok(AsOf::Event(number))
        } else {
            Err(ApiError::of_field("as_of", "as_of: events are numbered from 1 to 1000000000."))
        };
    }
    // A plus sign that was not encoded has become a space on its way.
    text.replace(' ', "+").parse().map(AsOf::Time).map_err(|_| {
        ApiError::of_field(
            "as_of",
            "as_of is a time, such as 2026-11-24T12:00:00Z, or the number of an event.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_event_numbers_are_told_apart_and_the_rest_refused() {
        assert_eq!(parse("7").unwrap(), AsOf::Event(7));
        let noon = AsOf::Time("2026-11-24T12:00:00Z".parse().unwrap());
        assert_eq!(parse("2026-11-24T12:00:00Z").unwrap(), noon);
        assert_eq!(parse("2026-11-24T13:00:00 01:00").unwrap(), noon);
        for text in ["", "0", "-1", "now", "2026-11-24", "1000000001", "99999999999999999999999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
