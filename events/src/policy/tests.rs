//! The law of policies as scenarios and properties: the first rule that speaks decides, everything
//! has a verdict, a shadow refuses nothing.

use proptest::prelude::*;

use super::conduct::{LEAST_SAMPLE, MOST_A_DAY, RECORDED_REFUSALS};
use super::*;
use crate::account::{Event as AccountEvent, OrderRefused};
use crate::id::OrderId;
use crate::money::Money;
use crate::order;
use crate::spec::given;

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);
const DAY: i64 = 24 * 3_600_000;

fn rule(id: &str, platforms: &[Platform], ruling: Ruling) -> Rule {
    Rule {
        id: id.parse().unwrap(),
        platforms: platforms.into(),
        countries: Vec::new(),
        classes: Vec::new(),
        ruling,
        reason: "a reason".to_owned(),
        basis: String::new(),
    }
}

fn policy(mode: Mode, rules: &[Rule]) -> Policy {
    Policy { mode, rules: rules.into(), limits: Vec::new() }
}

fn apply(policy: &Policy) -> Command {
    Command::Apply {
        policy: policy.clone(),
        replaces: None,
        by: "alice".to_owned(),
        basis: "board 7".to_owned(),
        at: AT,
    }
}

fn applied(version: u32, policy: &Policy) -> Event {
    Event::Applied {
        version,
        policy: policy.clone(),
        by: "alice".to_owned(),
        basis: "board 7".to_owned(),
        at: AT,
    }
}

#[test]
fn versions_are_counted_and_the_same_again_is_nothing() {
    let first = policy(Mode::Shadow, &[rule("a", &[Platform::Google], Ruling::Deny)]);
    let state = given(State::default(), &[]).when(&apply(&first)).then(&[applied(1, &first)]);
    assert_eq!(state.in_force.version, 1);
    let state = given(state, &[]).when(&apply(&first)).then_nothing();
    let second = policy(Mode::Enforce, &[]);
    given(state, &[]).when(&apply(&second)).then(&[applied(2, &second)]);
}

#[test]
fn a_policy_that_was_made_from_another_version_is_refused() {
    let wanted = policy(Mode::Shadow, &[]);
    let Command::Apply { policy, by, basis, at, .. } = apply(&wanted);
    let stale = Command::Apply { policy, replaces: Some(0), by, basis, at };
    given(State::default(), &[applied(1, &wanted)])
        .when(&stale)
        .then_refused(&Refusal::OtherVersion(1));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |policy: Policy, refusal: Refusal| {
        given(State::default(), &[]).when(&apply(&policy)).then_refused(&refusal);
    };
    let named = |id: &str| id.parse::<RuleId>().unwrap();
    let google = || rule("a", &[Platform::Google], Ruling::Deny);
    refused(policy(Mode::Enforce, &[google(), google()]), Refusal::RuleName(named("a")));
    for own in [FINANCIAL, OTHERWISE, SIMULATED, "success_percent"] {
        let wanted = policy(Mode::Enforce, &[rule(own, &[], Ruling::Deny)]);
        refused(wanted, Refusal::RuleName(named(own)));
    }
    let silent = Rule { reason: " ".to_owned(), ..google() };
    refused(policy(Mode::Enforce, &[silent]), Refusal::RuleText(named("a")));
    let wordy = Rule { basis: "x".repeat(LONGEST_TEXT + 1), ..google() };
    refused(policy(Mode::Enforce, &[wordy]), Refusal::RuleText(named("a")));
    let many: Vec<Rule> =
        (0..=MOST_RULES).map(|n| rule(&format!("r{n}"), &[], Ruling::Deny)).collect();
    refused(policy(Mode::Enforce, &many), Refusal::TooManyRules);
    let limited = |allowed, limit| Policy {
        limits: vec![ConductLimit { limit, allowed, mode: Mode::Shadow }],
        ..Policy::default()
    };
    for (allowed, limit) in
        [(0, Limit::Numbers), (101, Limit::CancelRatio), (MOST_A_DAY + 1, Limit::OrdersPerPlatform)]
    {
        refused(limited(allowed, limit), Refusal::LimitOutOfRange(limit));
    }
    let mut twice = limited(5, Limit::Numbers);
    twice.limits.extend(limited(7, Limit::Numbers).limits);
    refused(twice, Refusal::LimitTwice(Limit::Numbers));
    let hidden = Rule { reason: "a\u{202e}b".to_owned(), ..google() };
    refused(policy(Mode::Enforce, &[hidden]), Refusal::RuleText(named("a")));
    for basis in [" ", "board\u{1b}[2J"] {
        let Command::Apply { policy, replaces, by, at, .. } = apply(&Policy::default());
        given(State::default(), &[])
            .when(&Command::Apply { policy, replaces, by, basis: basis.to_owned(), at })
            .then_refused(&Refusal::NoBasis);
    }
}

#[test]
fn whoever_allows_a_sensitive_platform_says_on_what_basis() {
    for platforms in [vec![Platform::PayPal], Vec::new()] {
        let bare = rule("mine", &platforms, Ruling::Allow);
        let platform = Platform::PayPal;
        given(State::default(), &[])
            .when(&apply(&policy(Mode::Enforce, std::slice::from_ref(&bare))))
            .then_refused(&Refusal::SensitiveWithoutBasis { rule: bare.id.clone(), platform });
        let stated = Rule { basis: "contract 12".to_owned(), ..bare };
        let wanted = policy(Mode::Enforce, &[stated]);
        let state = given(State::default(), &[]).when(&apply(&wanted)).then(&[applied(1, &wanted)]);
        let verdict = state.in_force.verdict(Platform::PayPal, Country::Us, Class::New, true);
        assert_eq!((verdict.ruling, verdict.rule.as_str()), (Ruling::Allow, "mine"));
    }
}

#[test]
fn without_a_word_of_the_operator_s_sensitive_platforms_are_denied_with_real_numbers_only() {
    let built_in = InForce::built_in();
    for platform in Platform::ALL {
        for class in Class::ALL {
            let real = built_in.verdict(platform, Country::Us, class, true);
            assert_eq!(real.refuses(), SENSITIVE.contains(&platform), "{platform}");
            let made_up = built_in.verdict(platform, Country::Us, class, false);
            assert_eq!((made_up.rule.as_str(), made_up.refuses()), (SIMULATED, false));
        }
    }
}

#[test]
fn a_review_refuses_and_needs_a_person() {
    let wanted = policy(Mode::Enforce, &[rule("odd", &[Platform::Tinder], Ruling::Review)]);
    let in_force = InForce::new(1, wanted);
    let verdict = in_force.verdict(Platform::Tinder, Country::Us, Class::New, true);
    assert!(verdict.refuses() && verdict.needs_review());
    assert_eq!((verdict.decided_by(), verdict.outcome()), ("odd", Ruling::Review));
    assert_eq!(in_force.reason(&verdict), "a reason");
}

fn registered() -> AccountEvent {
    AccountEvent::Registered {
        id: crate::id::AccountId(1),
        key_hash: [0; 32],
        webhook_secret: "whsec_".to_owned(),
        at: AT,
    }
}

fn of(order: u128, fact: order::Event) -> AccountEvent {
    AccountEvent::Order(OrderId(order), fact)
}

fn placed(order: u128, platform: Platform, at: Timestamp) -> AccountEvent {
    let placed = order::Placed {
        platform,
        country: Country::Us,
        list_price: Money::from_cents(50),
        price: Money::from_cents(50),
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 0,
        verdict: None,
        at,
    };
    of(order, order::Event::Placed(placed))
}

fn numbered(order: u128, at: Timestamp) -> AccountEvent {
    let fact = order::Event::NumberAssigned {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: format!("+1202555{:04}", order % 10_000).parse().unwrap(),
        expires_at: at,
        at,
    };
    of(order, fact)
}

fn after(facts: impl IntoIterator<Item = AccountEvent>) -> Conduct {
    let mut conduct = Conduct::default();
    conduct.note(&registered());
    facts.into_iter().for_each(|fact| conduct.note(&fact));
    conduct
}

fn limited(limit: Limit, allowed: u32, mode: Mode) -> InForce {
    let limits = vec![ConductLimit { limit, allowed, mode }];
    InForce::new(1, Policy { limits, ..Policy::default() })
}

fn is_beyond(policy: &InForce, conduct: &Conduct, at: Timestamp) -> bool {
    policy.judge(Platform::Google, Country::Us, conduct, true, at).refuses()
}

#[test]
fn a_day_s_orders_are_counted_by_platform_and_begin_anew_with_the_day() {
    let policy = limited(Limit::OrdersPerPlatform, 2, Mode::Enforce);
    let conduct = after([1, 2].map(|order| placed(order, Platform::Google, AT)));
    assert!(is_beyond(&policy, &conduct, AT));
    let other = policy.judge(Platform::Steam, Country::Us, &conduct, true, AT);
    assert!(!other.refuses());
    let tomorrow = Timestamp::from_millis(AT.millis() + DAY);
    assert!(!is_beyond(&policy, &conduct, tomorrow));
    let judged = policy.judge(Platform::Google, Country::Us, &conduct, true, AT);
    assert_eq!(judged.decided_by(), "orders_per_platform_per_day");
    assert!(!judged.needs_review());
}

#[test]
fn a_number_counts_once_a_day_however_often_it_was_had() {
    let policy = limited(Limit::Numbers, 2, Mode::Enforce);
    let conduct = after([numbered(1, AT), numbered(1, AT)]);
    assert!(!is_beyond(&policy, &conduct, AT));
    let conduct = after([numbered(1, AT), numbered(2, AT)]);
    assert!(is_beyond(&policy, &conduct, AT));
}

#[test]
fn a_new_account_may_order_more_with_each_day_and_a_known_one_as_much_as_others() {
    let policy = limited(Limit::Ramp, 1, Mode::Enforce);
    let one = after([placed(1, Platform::Steam, AT)]);
    assert!(is_beyond(&policy, &one, AT));
    let later = Timestamp::from_millis(AT.millis() + DAY);
    let next_day = after([placed(1, Platform::Steam, later)]);
    assert!(!is_beyond(&policy, &next_day, later));
    let class =
        AccountEvent::ClassSet { class: Class::Verified, reason: "talked".to_owned(), at: AT };
    assert!(!is_beyond(&policy, &after([placed(1, Platform::Steam, AT), class]), AT));
}

fn ended(orders: std::ops::Range<u128>, fact: &order::Event) -> Vec<AccountEvent> {
    orders.flat_map(|order| [numbered(order, AT), of(order, fact.clone())]).collect()
}

#[test]
fn ratios_are_of_the_last_orders_with_a_number_and_a_person_s_look_begins_them_anew() {
    let many = u128::from(LEAST_SAMPLE);
    let cancelled = order::Event::Cancelled { at: AT };
    let by_cancels = limited(Limit::CancelRatio, 60, Mode::Enforce);
    assert!(!is_beyond(&by_cancels, &after(ended(1..many, &cancelled)), AT), "too few");
    let conduct = after(ended(0..many, &cancelled));
    assert!(is_beyond(&by_cancels, &conduct, AT));
    let verdict = by_cancels.judge(Platform::Google, Country::Us, &conduct, true, AT);
    assert_eq!((verdict.outcome(), verdict.needs_review()), (Ruling::Review, true));
    let expired = order::Event::Expired { at: AT };
    let by_success = limited(Limit::SuccessRate, 30, Mode::Enforce);
    assert!(is_beyond(&by_success, &after(ended(0..many, &expired)), AT));
    let held = order::Event::Failed { reason: order::FailureReason::MessageHeld, at: AT };
    assert!(!is_beyond(&by_success, &after(ended(0..many, &held)), AT), "the operator's doing");
    let without_number = (0..many).map(|order| of(order, cancelled.clone()));
    assert!(!is_beyond(&by_cancels, &after(without_number), AT), "no number was had");
    let mut looked_at = conduct;
    looked_at.note(&AccountEvent::ClassSet {
        class: Class::New,
        reason: "talked".to_owned(),
        at: AT,
    });
    assert!(!is_beyond(&by_cancels, &looked_at, AT));
}

#[test]
fn no_limit_holds_for_trusted_accounts_nor_in_shadow() {
    let facts = || [1, 2].map(|order| placed(order, Platform::Google, AT));
    let trusted =
        AccountEvent::ClassSet { class: Class::Trusted, reason: "contract".to_owned(), at: AT };
    let policy = limited(Limit::OrdersPerPlatform, 1, Mode::Enforce);
    assert!(!is_beyond(&policy, &after(facts().into_iter().chain([trusted])), AT));
    let shadow = limited(Limit::OrdersPerPlatform, 1, Mode::Shadow);
    let verdict = shadow.judge(Platform::Google, Country::Us, &after(facts()), true, AT);
    assert_eq!((verdict.refuses(), verdict.would_refuse()), (false, true));
}

#[test]
fn an_account_s_day_records_so_many_refusals_and_each_once() {
    let refused = |rule: String, at| {
        AccountEvent::OrderRefused(OrderRefused {
            order: OrderId(9),
            platform: Platform::PayPal,
            country: Country::Us,
            verdict: Verdict {
                version: 0,
                rule: rule.parse().unwrap(),
                ruling: Ruling::Deny,
                mode: Mode::Enforce,
                exceeded: Vec::new(),
            },
            reason: "a reason".to_owned(),
            at,
        })
    };
    let knows = |conduct: &Conduct, rule: &str, at| {
        conduct.knows_refusal(Platform::PayPal, Country::Us, &rule.parse().unwrap(), at)
    };
    let once = after([refused("a".to_owned(), AT)]);
    assert_eq!((knows(&once, "a", AT), knows(&once, "b", AT)), (true, false));
    let many = after((0..RECORDED_REFUSALS).map(|n| refused(format!("r{n}"), AT)));
    assert!(knows(&many, "b", AT));
    assert!(!knows(&many, "b", Timestamp::from_millis(AT.millis() + DAY)));
}

/// A rule as it is drawn: the places of its platforms, countries, classes and ruling.
type Drawn = (Vec<usize>, Vec<usize>, Vec<usize>, usize);

fn any_rule() -> impl Strategy<Value = Drawn> {
    let some = |most: usize| proptest::collection::vec(0..most, 0..3);
    (some(Platform::ALL.len()), some(Country::ALL.len()), some(3), 0..3usize)
}

fn rules(drawn: &[Drawn]) -> Vec<Rule> {
    let of = |(place, (platforms, countries, classes, ruling)): (usize, &Drawn)| Rule {
        id: format!("r{place}").parse().unwrap(),
        platforms: platforms.iter().map(|place| Platform::ALL[*place]).collect(),
        countries: countries.iter().map(|place| Country::ALL[*place]).collect(),
        classes: classes.iter().map(|place| Class::ALL[*place]).collect(),
        ruling: Ruling::ALL[*ruling],
        reason: "a reason".to_owned(),
        basis: "a basis".to_owned(),
    };
    drawn.iter().enumerate().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_first_rule_that_speaks_decides_and_every_order_has_a_verdict(
        drawn in proptest::collection::vec(any_rule(), 0..8),
    ) {
        let rules = rules(&drawn);
        let policy = InForce::new(3, policy(Mode::Enforce, &rules));
        prop_assert_eq!(policy.policy.check(), Ok(()));
        for platform in Platform::ALL {
            for country in Country::ALL {
                for class in Class::ALL {
                    let first =
                        rules.iter().find(|rule| rule.speaks_for(platform, country, class));
                    let usual = if SENSITIVE.contains(&platform) {
                        (FINANCIAL, Ruling::Deny)
                    } else {
                        (OTHERWISE, Ruling::Allow)
                    };
                    let expected =
                        first.map_or(usual, |rule| (rule.id.as_str(), rule.ruling));
                    let found = policy.verdict(platform, country, class, true);
                    prop_assert_eq!((found.rule.as_str(), found.ruling), expected);
                    prop_assert_eq!(found.version, 3);
                    prop_assert!(!policy.verdict(platform, country, class, false).refuses());
                }
            }
        }
    }

    #[test]
    fn a_shadow_refuses_nothing_and_says_what_would_have_been(
        drawn in proptest::collection::vec(any_rule(), 0..8),
        platform in 0..Platform::ALL.len(), country in 0..Country::ALL.len(), class in 0..3usize,
    ) {
        let rules = rules(&drawn);
        let of = |mode| InForce::new(1, policy(mode, &rules));
        let (platform, country) = (Platform::ALL[platform], Country::ALL[country]);
        let class = Class::ALL[class];
        let enforced = of(Mode::Enforce).verdict(platform, country, class, true);
        let shadow = of(Mode::Shadow).verdict(platform, country, class, true);
        prop_assert!(!shadow.refuses());
        prop_assert_eq!(shadow.would_refuse(), enforced.refuses());
        prop_assert_eq!(&shadow.rule, &enforced.rule);
        // It depends on nothing but what it is asked: asked again, it says the same.
        prop_assert_eq!(&enforced, &of(Mode::Enforce).verdict(platform, country, class, true));
    }
}
