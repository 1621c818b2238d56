//! Server-side filters: by the beginning of a stream's or an event's name, or by a pattern.

use fancy_regex::{Regex, RegexBuilder};
use tonic::Status;

use crate::log::Record;
use crate::protocol::streams::read_req::options::FilterOptions;
use crate::protocol::streams::read_req::options::filter_options::{
    Expression, Filter as By, Window,
};
use crate::refusal::invalid;

/// Steps back that a pattern may take on one name: more is no pattern for names, and would hold a
/// reader's core.
const BACKTRACKS: usize = 10_000;
/// Letters of a pattern.
const LONGEST_PATTERN: usize = 4_096;
/// Prefixes of one filter.
const MOST_PREFIXES: usize = 256;
/// Events between two checkpoints, for each of the multiplier, where the caller names no number.
const WINDOW: u32 = 32;

/// What a record's name is asked.
#[derive(Debug)]
enum Test {
    Prefix(Vec<String>),
    Pattern(Box<Regex>),
}

/// Which of a record's names is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Stream,
    Event,
}

/// A filter, and how often a subscriber is told how far it has come.
#[derive(Debug)]
pub struct Filter {
    subject: Subject,
    test: Test,
    /// Events looked at between two checkpoints.
    pub checkpoint_every: u64,
}

impl Filter {
    /// Reads the caller's filter.
    pub fn of(options: &FilterOptions, is_subscription: bool) -> Result<Self, Status> {
        let (subject, expression) = match &options.filter {
            Some(By::StreamIdentifier(expression)) => (Subject::Stream, expression),
            Some(By::EventType(expression)) => (Subject::Event, expression),
            None => return Err(invalid("a filter is by stream or by event type")),
        };
        let window = match options.window {
            Some(Window::Max(0)) => return Err(invalid("a filter's window is at least 1")),
            Some(Window::Max(max)) => max,
            Some(Window::Count(())) | None => WINDOW,
        };
        if is_subscription && options.checkpoint_interval_multiplier == 0 {
            return Err(invalid("checkpointIntervalMultiplier is at least 1"));
        }
        let checkpoint_every =
            u64::from(window) * u64::from(options.checkpoint_interval_multiplier.max(1));
        Ok(Self { subject, test: test(expression)?, checkpoint_every })
    }

    /// Whether the caller wants the record; a pattern that takes too long on its name is the
    /// caller's mistake.
    pub fn takes(&self, record: &impl Record) -> Result<bool, Status> {
        let name = match self.subject {
            Subject::Stream => record.stream(),
            Subject::Event => record.name(),
        };
        match &self.test {
            Test::Prefix(prefixes) => {
                Ok(prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())))
            }
            Test::Pattern(pattern) => pattern
                .is_match(name)
                .map_err(|error| invalid(format!("the filter's pattern on {name:?}: {error}"))),
        }
    }
}

fn test(Expression { regex, prefix }: &Expression) -> Result<Test, Status> {
    if regex.is_empty() {
        if prefix.is_empty() || prefix.len() > MOST_PREFIXES {
            return Err(invalid(format!(
                "a filter has a pattern, or 1 to {MOST_PREFIXES} prefixes"
            )));
        }
        return Ok(Test::Prefix(prefix.clone()));
    }
    if regex.len() > LONGEST_PATTERN {
        return Err(invalid(format!("a filter's pattern has at most {LONGEST_PATTERN} letters")));
    }
    let pattern = RegexBuilder::new(regex).backtrack_limit(BACKTRACKS).build();
    pattern
        .map(|pattern| Test::Pattern(Box::new(pattern)))
        .map_err(|error| invalid(format!("the filter's pattern: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str, &'static str);

    impl Record for Named {
        fn position(&self) -> u64 {
            1
        }
        fn stream(&self) -> &str {
            self.0
        }
        fn revision(&self) -> u64 {
            0
        }
        fn name(&self) -> &str {
            self.1
        }
    }

    fn options(filter: By) -> FilterOptions {
        FilterOptions { filter: Some(filter), window: None, checkpoint_interval_multiplier: 1 }
    }

    fn pattern(regex: &str) -> Expression {
        Expression { regex: regex.to_owned(), prefix: vec!["ignored".to_owned()] }
    }

    #[test]
    fn the_pattern_that_clients_send_when_nobody_filters_takes_our_names() {
        let plain = Filter::of(
            &options(By::EventType(pattern(r"^(?!(\$.+$|PersistentConfig\d+$|Result$))"))),
            true,
        )
        .unwrap();
        assert!(plain.takes(&Named("account-1", "account.credited")).unwrap());
        assert!(!plain.takes(&Named("x", "$metadata")).unwrap());
        assert!(!plain.takes(&Named("x", "PersistentConfig1")).unwrap());
    }

    #[test]
    fn a_prefix_is_of_the_name_that_was_asked_for() {
        let by = |filter| Filter::of(&options(filter), true).unwrap();
        let prefix = Expression {
            regex: String::new(),
            prefix: vec!["lease-".to_owned(), "account-".to_owned()],
        };
        let record = Named("account-1", "order.placed");
        assert!(by(By::StreamIdentifier(prefix.clone())).takes(&record).unwrap());
        assert!(!by(By::EventType(prefix)).takes(&record).unwrap());
        assert!(
            !by(By::StreamIdentifier(pattern("^ccount"))).takes(&record).unwrap(),
            "the pattern wins over the prefixes"
        );
    }

    #[test]
    fn a_pattern_that_is_none_or_never_ends_is_the_caller_s_mistake() {
        for filter in
            [pattern("("), pattern(&"a".repeat(LONGEST_PATTERN + 1)), Expression::default()]
        {
            assert_eq!(
                Filter::of(&options(By::EventType(filter)), true).unwrap_err().code(),
                tonic::Code::InvalidArgument
            );
        }
        let endless =
            Filter::of(&options(By::EventType(pattern(r"^(?=(a+)+\1$)(a|aa)+$"))), true).unwrap();
        let long = Named("x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
        assert!(!endless.takes(&long).unwrap_or(false), "it ends, one way or the other");
    }

    #[test]
    fn checkpoints_come_at_the_window_times_the_multiplier() {
        let every = |window, multiplier| {
            let options = FilterOptions {
                filter: Some(By::EventType(pattern("a"))),
                window,
                checkpoint_interval_multiplier: multiplier,
            };
            Filter::of(&options, true)
                .map(|filter| filter.checkpoint_every)
                .map_err(|status| status.code())
        };
        assert_eq!(every(None, 2), Ok(64));
        assert_eq!(every(Some(Window::Max(5)), 3), Ok(15));
        assert_eq!(every(None, 0), Err(tonic::Code::InvalidArgument));
        assert_eq!(every(Some(Window::Max(0)), 1), Err(tonic::Code::InvalidArgument));
    }
}
