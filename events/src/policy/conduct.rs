//! How an account has behaved, in figures that stay small, and the limits on them. The figures are
//! a fold of the account's own facts: a replay comes to the same.

use std::fmt;
use std::time::Duration;

use imbl::{OrdMap, OrdSet};

use super::Policy;
use super::rule::{Class, Mode, RuleId};
use crate::account::Event;
use crate::country::Country;
use crate::id::OrderId;
use crate::order::{self, FailureReason};
use crate::platform::Platform;
use crate::time::Timestamp;

/// The most that a limit on a day's orders or numbers allows: more numbers are not remembered.
pub const MOST_A_DAY: u32 = 1_000;
/// Ended orders that ratios are of.
pub const SAMPLE: u32 = 50;
/// Ended orders without which there is no ratio.
pub const LEAST_SAMPLE: u32 = 20;
/// Refusals of an account that are recorded in a day; further ones are refused and not recorded.
pub const RECORDED_REFUSALS: usize = 32;

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Orders for one platform in a day.
    OrdersPerPlatform,
    /// Different numbers in a day.
    Numbers,
    /// Orders in a day of an account of class `new`, times its age in days, the first being one.
    Ramp,
    /// The part of its last orders with a number that it cancelled, in percent.
    CancelRatio,
    /// The part of its last orders with a number that must have got a code, in percent.
    SuccessRate,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 5] =
        [Self::OrdersPerPlatform, Self::Numbers, Self::Ramp, Self::CancelRatio, Self::SuccessRate];

    /// The word of files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrdersPerPlatform => "orders_per_platform_per_day",
            Self::Numbers => "numbers_per_day",
            Self::Ramp => "new_account_orders_per_day",
            Self::CancelRatio => "cancelled_percent",
            Self::SuccessRate => "success_percent",
        }
    }

    /// The limit of a word.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }

    /// Whether it stays until a person has looked: a day's limits are over with the day.
    pub const fn needs_review(self) -> bool {
        match self {
            Self::OrdersPerPlatform | Self::Numbers | Self::Ramp => false,
            Self::CancelRatio | Self::SuccessRate => true,
        }
    }

    /// The most that its figure can be.
    pub const fn most(self) -> u32 {
        match self {
            Self::OrdersPerPlatform | Self::Numbers | Self::Ramp => MOST_A_DAY,
            Self::CancelRatio | Self::SuccessRate => 100,
        }
    }
}

/// A limit as a policy sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConductLimit {
    /// On what.
    pub limit: Limit,
    /// How much is allowed; of a success rate, how much is needed.
    pub allowed: u32,
    /// What follows beyond it.
    pub mode: Mode,
}

/// A limit that an order is beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub limit: Limit,
    /// What it came to, the order included.
    pub figure: u32,
    /// What was allowed or needed.
    pub allowed: u32,
    /// What follows.
    pub mode: Mode,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { figure, allowed, .. } = self;
        match self.limit {
            Limit::OrdersPerPlatform => {
                write!(f, "an account may place {allowed} orders for one platform in a day (UTC)")
            }
            Limit::Numbers => write!(f, "an account may have {allowed} numbers in a day (UTC)"),
            Limit::Ramp => write!(f, "an account of this age may place {allowed} orders in a day"),
            Limit::CancelRatio => write!(
                f,
                "{figure} % of the account's last orders were cancelled, more than {allowed} %"
            ),
            Limit::SuccessRate => write!(
                f,
                "{figure} % of the account's last orders got their code, less than {allowed} %"
            ),
        }
    }
}

/// An account's class and figures. What can grow is shared, for a state is cloned at every
/// publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conduct {
    /// How well an operator knows the account.
    pub class: Class,
    /// Since when it exists.
    pub registered_at: Timestamp,
    /// Days since 1970 (UTC): the day of the figures below.
    pub day: i64,
    /// That day's orders, by platform.
    pub orders: OrdMap<Platform, u32>,
    /// That day's numbers, as their digits.
    pub numbers: OrdSet<u64>,
    /// That day's refusals that were recorded.
    pub refused: OrdSet<(Platform, Country, RuleId)>,
    /// Open orders that have a number.
    pub with_number: OrdSet<OrderId>,
    /// Of the last orders with a number, the latest in the lowest bit: those that got a code.
    pub completed: u64,
    /// Of the same, those that were cancelled.
    pub cancelled: u64,
    /// How many these are, up to [`SAMPLE`].
    pub ended: u32,
}

impl Conduct {
    /// Notes what has happened.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Registered { at, .. } => self.registered_at = *at,
            Event::ClassSet { class, .. } => {
                self.class = *class;
                // An operator has looked: what was before counts no more.
                (self.completed, self.cancelled, self.ended) = (0, 0, 0);
            }
            Event::OrderRefused(refused) => {
                self.turn_to(refused.at);
                let rule = refused.verdict.rule.clone();
                self.refused.insert((refused.platform, refused.country, rule));
            }
            Event::Order(order, fact) => self.note_order(*order, fact),
            Event::OpenedForTests { .. }
            | Event::Admitted { .. }
            | Event::Approved { .. }
            | Event::Declined { .. }
            | Event::TestAccountOpened { .. }
            | Event::Credited { .. }
            | Event::Debited { .. }
            | Event::DepositCredited { .. }
            | Event::DustKept { .. }
            | Event::DustDropped { .. }
            | Event::DepositReversed { .. }
            | Event::Suspended { .. }
            | Event::Reinstated { .. }
            | Event::Removed { .. }
            | Event::Reopened { .. }
            | Event::ApiKeyAdded { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::ApiKeysReplaced { .. }
            | Event::HoldTaken { .. }
            | Event::HoldCaptured { .. }
            | Event::HoldReleased { .. }
            | Event::CaptureRefunded { .. }
            | Event::BatchPlaced { .. }
            | Event::KeyUsed { .. }
            | Event::WebhookSet { .. }
            | Event::WebhookRemoved { .. }
            | Event::WebhookSecretRotated { .. }
            | Event::WebhookDue { .. } => {}
        }
    }

    /// Whether such a refusal has been recorded that day, or as many as may be.
    pub fn knows_refusal(
        &self,
        platform: Platform,
        country: Country,
        rule: &RuleId,
        at: Timestamp,
    ) -> bool {
        day_of(at) <= self.day
            && (self.refused.len() >= RECORDED_REFUSALS
                || self.refused.contains(&(platform, country, rule.clone())))
    }

    /// The limits that one more order for `platform` at `at` would be beyond.
    pub(super) fn exceeded(
        &self,
        policy: &Policy,
        platform: Platform,
        at: Timestamp,
    ) -> Vec<Exceeded> {
        if self.class == Class::Trusted {
            return Vec::new();
        }
        let exceeded = policy.limits.iter().filter_map(|limit| {
            let (figure, allowed) = self.figure(*limit, platform, at)?;
            let is_beyond = match limit.limit {
                Limit::SuccessRate => figure < allowed,
                Limit::OrdersPerPlatform | Limit::Numbers | Limit::Ramp | Limit::CancelRatio => {
                    figure > allowed
                }
            };
            let mode = if policy.mode == Mode::Shadow { Mode::Shadow } else { limit.mode };
            is_beyond.then_some(Exceeded { limit: limit.limit, figure, allowed, mode })
        });
        exceeded.collect()
    }

    /// What a limit counts, with the order that is wanted, and what it is held against; `None`
    /// where it does not apply.
    fn figure(&self, limit: ConductLimit, platform: Platform, at: Timestamp) -> Option<(u32, u32)> {
        let is_today = day_of(at) <= self.day;
        let today = |count: u32| if is_today { count + 1 } else { 1 };
        match limit.limit {
            Limit::OrdersPerPlatform => {
                let orders = self.orders.get(&platform).copied().unwrap_or_default();
                Some((today(orders), limit.allowed))
            }
            Limit::Numbers => {
                Some((today(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX)), limit.allowed))
            }
            Limit::Ramp if self.class == Class::New => {
                let age = at.since(self.registered_at).as_secs() / (24 * 3_600);
                let days = u32::try_from(age).unwrap_or(u32::MAX).saturating_add(1);
                let orders: u32 = self.orders.values().sum();
                Some((today(orders), limit.allowed.saturating_mul(days)))
            }
            Limit::Ramp => None,
            Limit::CancelRatio => {
                self.percent(self.cancelled).map(|figure| (figure, limit.allowed))
            }
            Limit::SuccessRate => {
                self.percent(self.completed).map(|figure| (figure, limit.allowed))
            }
        }
    }

    fn percent(&self, of: u64) -> Option<u32> {
        (self.ended >= LEAST_SAMPLE).then(|| of.count_ones() * 100 / self.ended)
    }

    fn note_order(&mut self, id: OrderId, fact: &order::Event) {
        match fact {
            order::Event::Placed(placed) => {
                self.turn_to(placed.at);
                let orders = self.orders.get(&placed.platform).copied().unwrap_or_default();
                self.orders.insert(placed.platform, orders.saturating_add(1));
            }
            order::Event::NumberAssigned { phone, at, .. } => {
                self.turn_to(*at);
                self.with_number.insert(id);
                // More than any limit allows need not be told apart.
                let room = usize::try_from(MOST_A_DAY).unwrap_or(usize::MAX);
                if let Ok(digits) = phone.as_str().trim_start_matches('+').parse()
                    && self.numbers.len() <= room
                {
                    self.numbers.insert(digits);
                }
            }
            // Not the account's doing.
            order::Event::NumberReportedDead { .. }
            | order::Event::Failed { reason: FailureReason::MessageHeld, .. } => {
                self.with_number.remove(&id);
            }
            order::Event::Completed { .. } => self.ended(id, true, false),
            order::Event::Cancelled { .. } => self.ended(id, false, true),
            order::Event::Expired { .. } | order::Event::Failed { .. } => {
                self.ended(id, false, false);
            }
            order::Event::ScenarioChosen { .. }
            | order::Event::Queued { .. }
            | order::Event::Started { .. }
            | order::Event::AttemptFailed { .. }
            | order::Event::SmsReceived(_)
            | order::Event::SmsRepeated { .. }
            | order::Event::SmsHeld { .. }
            | order::Event::CodeReplaced { .. }
            | order::Event::Reported { .. }
            | order::Event::Refunded { .. }
            | order::Event::Finished { .. } => {}
        }
    }

    /// An order is over; one without a number says nothing about its account.
    fn ended(&mut self, id: OrderId, completed: bool, cancelled: bool) {
        if self.with_number.remove(&id).is_none() {
            return;
        }
        let kept = (1u64 << SAMPLE) - 1;
        self.completed = ((self.completed << 1) | u64::from(completed)) & kept;
        self.cancelled = ((self.cancelled << 1) | u64::from(cancelled)) & kept;
        self.ended = (self.ended + 1).min(SAMPLE);
    }

    /// A new day begins its figures anew; time that runs back stays in the day that was reached.
    fn turn_to(&mut self, at: Timestamp) {
        let day = day_of(at);
        if day > self.day {
            self.day = day;
            (self.orders, self.numbers, self.refused) = Default::default();
        }
    }
}

/// The day of a moment: days since 1970, in UTC.
pub fn day_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MILLIS)
}

/// How long until the day of `at` is over.
pub fn rest_of_day(at: Timestamp) -> Duration {
    let next = Timestamp::from_millis((day_of(at) + 1).saturating_mul(DAY_MILLIS));
    next.since(at)
}
