//! Which source is the better one to ask: the operator's weight, what its codes cost, how its
//! orders went of late.

use std::time::Duration;

use events::money::Money;
use events::time::Timestamp;

/// What happened so long ago counts half.
const HALF_LIFE: Duration = Duration::from_hours(1);
/// Every source starts with so many orders, of which so many got their code: neither trusted like a
/// good one nor passed over like a bad one.
const PRIOR_ENDED: f64 = 5.0;
const PRIOR_COMPLETED: f64 = 4.0;
/// Beside what a code costs, so that a free source is not infinitely better than a cheap one: five
/// cents.
const BASE_COST_MICROS: i64 = 50_000;
/// The weight of a source that is given none.
pub const USUAL_WEIGHT: u32 = 100;

/// How a source's orders went of late.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Record {
    ended: f64,
    completed: f64,
    at: Timestamp,
}

impl Record {
    /// Orders that ended lately, and those of them that got their code.
    pub fn new(ended: u32, completed: u32, now: Timestamp) -> Self {
        Self { ended: ended.into(), completed: completed.into(), at: now }
    }

    /// An order ended.
    pub fn add(&mut self, completed: bool, now: Timestamp) {
        let kept = self.faded(now);
        self.ended = self.ended * kept + 1.0;
        self.completed = self.completed * kept + f64::from(u8::from(completed));
        self.at = now;
    }

    /// The part of its orders that got their code, in twentieths: smaller differences are chance.
    pub fn twentieths(&self, now: Timestamp) -> u32 {
        let kept = self.faded(now);
        let rate = (self.completed * kept + PRIOR_COMPLETED) / (self.ended * kept + PRIOR_ENDED);
        (0..20).find(|step| rate * 20.0 < f64::from(*step) + 0.5).unwrap_or(20)
    }

    /// The part of its orders that got their code, between 0 and 1, without any prior; `None` under
    /// five.
    pub fn rate(&self, now: Timestamp) -> Option<f64> {
        (self.ended * self.faded(now) >= 4.5).then(|| self.completed / self.ended)
    }

    fn faded(&self, now: Timestamp) -> f64 {
        0.5f64.powf(now.since(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64())
    }
}

/// How good a source is to ask; the higher the better. `cost` is what a code costs there, if that
/// is known.
pub fn score(weight: u32, twentieths: u32, cost: Option<Money>) -> u64 {
    let cost = cost.unwrap_or_default().micros().max(0).saturating_add(BASE_COST_MICROS);
    let cost = u64::try_from(cost).unwrap_or(u64::MAX);
    u64::from(weight).saturating_mul(u64::from(twentieths)).saturating_mul(1_000_000) / cost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(Duration::from_mins(minute))
    }

    fn usual(record: Record) -> u64 {
        score(USUAL_WEIGHT, record.twentieths(at(0)), None)
    }

    #[test]
    fn a_better_record_goes_before_none_and_none_before_a_worse_one() {
        let (good, none, bad) =
            (Record::new(100, 99, at(0)), Record::default(), Record::new(100, 40, at(0)));
        assert!(usual(good) > usual(none) && usual(none) > usual(bad));
        // One order more or less is no difference.
        assert_eq!(usual(Record::new(100, 95, at(0))), usual(Record::new(100, 94, at(0))));
    }

    #[test]
    fn a_bad_record_is_forgotten_in_hours() {
        let mut record = Record::default();
        (0..50).for_each(|_| record.add(false, at(0)));
        let at_once = record.twentieths(at(0));
        assert!(at_once <= 2, "{at_once}");
        assert_eq!(record.twentieths(at(24 * 60)), Record::default().twentieths(at(0)));
        record.add(true, at(24 * 60));
        assert!(record.twentieths(at(24 * 60)) >= Record::default().twentieths(at(0)));
    }

    #[test]
    fn weight_and_price_count() {
        let dear = score(100, 16, Some(Money::from_cents(40)));
        assert!(score(100, 16, None) > score(100, 16, Some(Money::from_cents(10))));
        assert!(score(100, 16, Some(Money::from_cents(10))) > dear);
        assert!(score(1_000, 16, Some(Money::from_cents(40))) > score(100, 16, None));
        assert_eq!(score(0, 16, None), 0);
        assert!(score(u32::MAX, 20, Some(Money::from_micros(i64::MAX))) < dear);
    }
}
