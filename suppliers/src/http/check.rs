//! Whether a source keeps to the protocol: what `telenumerus supplier check` asks it, one question
//! after the other.

use std::time::Duration;

use events::country::Country;
use events::lease::Outcome;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use futures_util::future::join_all;

use super::source::{Leased, Source, SourceError};

/// Leases asked for at once under one reference.
const AT_ONCE: usize = 8;
/// Between two looks while a message is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What a source must do.
    pub rule: &'static str,
    /// What it did instead; `None` if it did as it must.
    pub wrong: Option<String>,
}

/// How to ask.
#[derive(Debug, Clone)]
pub struct Questions {
    /// For whose messages numbers are leased.
    pub platform: Platform,
    /// Where they are to be from.
    pub country: Country,
    /// What makes this run's references its own.
    pub run: String,
    /// When it began.
    pub since: Timestamp,
    /// How long a message is waited for on a leased number; not at all, if absent.
    pub message_patience: Option<Duration>,
}

struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, rule: &'static str, wrong: Option<String>) {
        self.0.push(Finding { rule, wrong });
    }

    fn holds(&mut self, rule: &'static str, holds: bool, wrong: impl FnOnce() -> String) {
        self.add(rule, (!holds).then(wrong));
    }
}

/// Asks everything; every lease it makes is released again. Without a first number nothing else can
/// be asked.
pub async fn check(source: &dyn Source, questions: &Questions) -> Vec<Finding> {
    let mut report = Report(Vec::new());
    let Questions { platform, country, run, .. } = questions;
    let reference = |place: u8| format!("{run}-{place}");
    match source.stock().await {
        // A source need not tell its stock.
        Ok(_) | Err(SourceError::Unknown) => {
            report.add("GET stock answers with the stock, or 404", None);
        }
        Err(error) => {
            report.add("GET stock answers with the stock, or 404", Some(error.to_string()));
        }
    }
    let first = match source.lease(reference(1), *platform, *country).await {
        Ok(leased) => leased,
        Err(error) => {
            report.add("POST leases leases a number", Some(error.to_string()));
            return report.0;
        }
    };
    report.add("POST leases leases a number", None);
    let is_countrys = country.has(&first.phone);
    report.holds("the number is of the country asked for", is_countrys, || {
        format!("{} is not of {country}", first.phone.as_str())
    });

    let again =
        join_all((0..AT_ONCE).map(|_| source.lease(reference(1), *platform, *country))).await;
    let other =
        again.iter().find(|answer| !matches!(answer, Ok(leased) if leased.phone == first.phone));
    report.add(
        "the same reference again, many times at once, is the same lease",
        other.map(|answer| format!("{answer:?}")),
    );
    let second = source.lease(reference(2), *platform, *country).await;
    let is_own = match &second {
        Ok(leased) => leased.phone != first.phone,
        Err(error) => *error == SourceError::NoNumber,
    };
    report.holds("another reference is another number, or no_number", is_own, || {
        format!("{second:?}")
    });
    let looked = source.look(reference(1)).await;
    report.holds(
        "GET leases/{reference} shows the lease",
        matches!(&looked, Ok(looked) if looked.alive),
        || format!("{looked:?}"),
    );
    let unknown = source.look(reference(9)).await;
    report.holds(
        "GET leases/{reference} of an unknown one is 404",
        unknown == Err(SourceError::Unknown),
        || format!("{unknown:?}"),
    );
    listed(source, questions, &reference(1), &first, &mut report).await;
    if let Some(patience) = questions.message_patience {
        message(source, &reference(1), patience, &mut report).await;
    }
    released(source, questions, &reference, &mut report).await;
    report.0
}

async fn listed(
    source: &dyn Source,
    questions: &Questions,
    reference: &str,
    first: &Leased,
    report: &mut Report,
) {
    let rule = "GET leases lists the lease as leased, with its number";
    match source.leases(questions.since).await {
        Err(error) => report.add(rule, Some(error.to_string())),
        Ok(leases) => {
            let shows = |phone: Option<&Phone>| phone == Some(&first.phone);
            let found = leases.iter().find(|lease| lease.reference == reference);
            report.holds(
                rule,
                found.is_some_and(|lease| lease.is_open && shows(lease.phone.as_ref())),
                || format!("{found:?}"),
            );
        }
    }
}

async fn message(source: &dyn Source, reference: &str, patience: Duration, report: &mut Report) {
    let rule = "a message comes, and has the same id at the next look";
    let waiting = async {
        loop {
            match source.look(reference.to_owned()).await {
                Ok(looked) if !looked.messages.is_empty() => return looked.messages,
                Ok(_) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    };
    let Ok(before) = tokio::time::timeout(patience, waiting).await else {
        return report.add(rule, Some(format!("none came within {} s", patience.as_secs())));
    };
    let after =
        source.look(reference.to_owned()).await.map(|looked| looked.messages).unwrap_or_default();
    report.holds(
        rule,
        before.iter().all(|message| !message.id.is_empty() && after.contains(message)),
        || format!("{before:?}, then {after:?}"),
    );
}

async fn released(
    source: &dyn Source,
    questions: &Questions,
    reference: &impl Fn(u8) -> String,
    report: &mut Report,
) {
    let Questions { platform, country, since, .. } = questions;
    let charged = source.release(reference(1), Outcome::Unused).await;
    report
        .holds("DELETE leases/{reference} releases it", charged.is_ok(), || format!("{charged:?}"));
    let again = source.release(reference(1), Outcome::Unused).await;
    report.holds("DELETE again answers the same", again == charged, || {
        format!("{charged:?}, then {again:?}")
    });
    let _ = source.release(reference(2), Outcome::Unused).await;
    let looked = source.look(reference(1)).await;
    let is_over = match &looked {
        Ok(looked) => !looked.alive,
        Err(error) => *error == SourceError::Unknown,
    };
    report
        .holds("a released lease is shown as released, or 404", is_over, || format!("{looked:?}"));
    let revived = source.lease(reference(1), *platform, *country).await;
    report.holds(
        "a released reference is never leased again: 410",
        matches!(revived, Err(SourceError::Refused(_))),
        || format!("{revived:?}"),
    );
    let never = source.release(reference(3), Outcome::Unused).await;
    let is_free = matches!(never, Ok(charged) if !charged.is_positive());
    report.holds(
        "DELETE of a reference never heard of is taken, and costs nothing",
        is_free,
        || format!("{never:?}"),
    );
    let late = source.lease(reference(3), *platform, *country).await;
    report.holds(
        "a request that comes after its release leases nothing: 410",
        matches!(late, Err(SourceError::Refused(_))),
        || format!("{late:?}"),
    );
    if late.is_ok() || revived.is_ok() {
        let _ = source.release(reference(1), Outcome::Unused).await;
        let _ = source.release(reference(3), Outcome::Unused).await;
    }
    let open = source.leases(*since).await.map(|leases| {
        leases
            .into_iter()
            .filter(|lease| lease.is_open && lease.reference.starts_with(&questions.run))
            .count()
    });
    report.holds("GET leases shows none of them as leased any more", open == Ok(0), || {
        format!("{open:?}")
    });
}
