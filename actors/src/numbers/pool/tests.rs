//! The pool against its plain rule: who has rested longest, what rests from what, what is listed
//! and retired.

use super::*;
use crate::kernel::entropy::Entropy;
use events::id::{AccountId, OrderId};

const HOUR: Duration = Duration::from_hours(1);

fn wanted(platform: Platform, minute: u64) -> NumberRequest {
    NumberRequest {
        platform,
        country: Country::Us,
        at: Timestamp::from_millis(0).plus(Duration::from_mins(minute)),
        is_unproven: false,
        scenario: None,
    }
}

fn lease(phone: &Phone, platform: Platform) -> Lease {
    let (account, order) = (AccountId(1), OrderId(1));
    let (country, assigned_at) = (Country::Us, Timestamp::default());
    Lease {
        account,
        order,
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: phone.clone(),
        platform,
        country,
        assigned_at,
        scenario: None,
    }
}

fn phone(number: usize) -> Phone {
    format!("+1202555{number:04}").parse().unwrap()
}

fn pool(numbers: usize) -> NumberPool {
    let number = |number| OwnNumber { phone: phone(number), country: Country::Us, platforms: None };
    NumberPool::new("own".parse().unwrap(), (0..numbers).map(number).collect(), HOUR, [])
}

#[test]
fn the_number_that_has_rested_longest_is_next_whatever_it_served() {
    let own = pool(3);
    for (platform, expected) in [
        (Platform::Google, 0),
        (Platform::Discord, 1),
        (Platform::Google, 2),
        (Platform::Discord, 0),
        (Platform::Google, 1),
    ] {
        let given = own.reserve(wanted(platform, 0)).unwrap();
        assert_eq!(
            (given.clone(), own.numbers(Timestamp::default())),
            (phone(expected), Some(Numbers { known: 3, leased: 1, ..Numbers::default() })),
            "{platform}"
        );
        own.release(&lease(&given, platform), Release::Unused, Timestamp::default());
        assert_eq!(
            own.numbers(Timestamp::default()),
            Some(Numbers { known: 3, ..Numbers::default() })
        );
    }
}

#[test]
fn a_number_rests_from_what_it_has_served_and_from_nothing_else() {
    let own = pool(1);
    let given = own.reserve(wanted(Platform::Google, 0)).unwrap();
    assert_eq!(own.stock(wanted(Platform::Google, 0)), Stock::None);
    own.release(
        &lease(&given, Platform::Google),
        Release::Served(wanted(Platform::Google, 0).at),
        Timestamp::default(),
    );
    assert_eq!(
        (own.stock(wanted(Platform::Google, 59)), own.stock(wanted(Platform::Discord, 59))),
        (Stock::None, Stock::Low)
    );
    assert_eq!(own.reserve(wanted(Platform::Google, 59)), Err(AttemptFailure::NoNumber));
    assert_eq!(own.reserve(wanted(Platform::Google, 60)), Ok(given));
}

#[test]
fn unproven_accounts_leave_a_part_of_the_pool_to_the_others() {
    let own = pool(5).sharing(PoolShare::percent(40)).resting(Quarantine::Plain(HOUR), []);
    let unproven = |minute| NumberRequest { is_unproven: true, ..wanted(Platform::Google, minute) };
    let first = own.reserve(unproven(0)).unwrap();
    let second = own.reserve(unproven(0)).unwrap();
    assert_eq!(own.reserve(unproven(0)), Err(AttemptFailure::NoNumber), "two of five are theirs");
    // Given back for nothing, a number rests, and is theirs until it has.
    own.assigned(&lease(&first, Platform::Google));
    own.release(&lease(&first, Platform::Google), Release::Unused, unproven(0).at);
    assert_eq!(
        own.numbers(unproven(59).at),
        Some(Numbers { known: 5, leased: 1, listening: 0, resting: 1 })
    );
    assert_eq!(own.reserve(unproven(59)), Err(AttemptFailure::NoNumber));
    for number in 2..5 {
        assert_eq!(
            own.reserve(wanted(Platform::Google, 59)),
            Ok(phone(number)),
            "the others' are there"
        );
    }
    // Its code has come: it is nobody's burden.
    own.assigned(&lease(&second, Platform::Google));
    own.release(
        &lease(&second, Platform::Google),
        Release::Served(unproven(59).at),
        unproven(59).at,
    );
    assert_eq!(own.reserve(unproven(60)), Ok(first));
}

#[test]
fn a_retired_number_ends_its_order_and_serves_no_other() {
    let own = pool(1);
    let given = own.reserve(wanted(Platform::Google, 0)).unwrap();
    own.retire(&given);
    assert!(own.owns(&given), "its order's messages are still its own");
    assert_eq!(own.numbers(Timestamp::default()), Some(Numbers::default()));
    own.release(
        &lease(&given, Platform::Google),
        Release::Served(wanted(Platform::Google, 0).at),
        Timestamp::default(),
    );
    assert_eq!(
        (own.owns(&given), own.reserve(wanted(Platform::Discord, 1))),
        (false, Err(AttemptFailure::NoNumber))
    );
    // Listed again, it rests from what it has served before.
    own.list(OwnNumber { phone: given.clone(), country: Country::Us, platforms: None });
    assert_eq!(own.reserve(wanted(Platform::Google, 2)), Err(AttemptFailure::NoNumber));
    assert_eq!(own.reserve(wanted(Platform::Discord, 2)), Ok(given));
}

#[test]
fn a_number_listed_while_orders_come_serves_them_and_what_it_may_serve_can_change() {
    let own = pool(1);
    let first = own.reserve(wanted(Platform::Google, 0)).unwrap();
    let more = |platforms: &[Platform]| OwnNumber {
        phone: phone(7),
        country: Country::Us,
        platforms: Some(platforms.iter().copied().collect()),
    };
    own.list(more(&[Platform::Google]));
    assert_eq!(own.reserve(wanted(Platform::Discord, 0)), Err(AttemptFailure::NoNumber));
    assert_eq!(own.reserve(wanted(Platform::Google, 0)), Ok(phone(7)));
    // While it is on an order it is on no other, whatever it may serve.
    own.list(more(&[Platform::Discord]));
    assert_eq!(own.reserve(wanted(Platform::Discord, 0)), Err(AttemptFailure::NoNumber));
    own.release(&lease(&phone(7), Platform::Google), Release::Unused, Timestamp::default());
    assert_eq!(own.reserve(wanted(Platform::Google, 0)), Err(AttemptFailure::NoNumber));
    assert_eq!(own.reserve(wanted(Platform::Discord, 0)), Ok(phone(7)));
    let states = own.states(wanted(Platform::Google, 0).at);
    assert_eq!(
        states.iter().map(|state| (state.number.phone.clone(), state.leased)).collect::<Vec<_>>(),
        [(first, true), (phone(7), true)]
    );
}

#[test]
fn a_number_rests_after_each_order_that_had_it_and_after_no_other() {
    let rest = || Quarantine::Plain(Duration::from_mins(1));
    let own = pool(1).resting(rest(), []);
    let at = |minute| wanted(Platform::Google, minute).at;
    let given = own.reserve(wanted(Platform::Google, 10)).unwrap();
    // The order was refused: nobody has seen the number.
    own.release(&lease(&given, Platform::Google), Release::Unused, at(10));
    assert_eq!(own.reserve(wanted(Platform::Google, 10)), Ok(given.clone()));
    own.assigned(&lease(&given, Platform::Google));
    own.release(&lease(&given, Platform::Google), Release::Unused, at(12));
    assert_eq!(own.states(at(12))[0].rests_until, Some(at(13)));
    assert_eq!(
        (own.stock(wanted(Platform::Discord, 12)), own.reserve(wanted(Platform::Steam, 12))),
        (Stock::None, Err(AttemptFailure::NoNumber))
    );
    // Listed anew it rests on.
    own.list(OwnNumber { phone: given.clone(), country: Country::Us, platforms: None });
    assert_eq!(own.reserve(wanted(Platform::Steam, 12)), Err(AttemptFailure::NoNumber));
    assert_eq!(
        (own.states(at(13))[0].rests_until, own.reserve(wanted(Platform::Discord, 13))),
        (None, Ok(given.clone()))
    );

    let restarted = pool(1).resting(rest(), [(given.clone(), at(12))]);
    assert_eq!(
        (
            restarted.reserve(wanted(Platform::Google, 12)),
            restarted.reserve(wanted(Platform::Google, 13))
        ),
        (Err(AttemptFailure::NoNumber), Ok(given))
    );
}

/// Any sequence of leases and releases gives a number where the plain rule has one, and only one
/// that the rule allows.
#[test]
fn the_queues_and_the_plain_rule_agree() {
    let dice = Entropy::seeded(5);
    let below = |bound: usize| usize::try_from(dice.below(bound as u64)).unwrap();
    let platforms = [Platform::Google, Platform::Discord, Platform::Steam];
    for round in 0..40 {
        let own = pool(6);
        let mut out: Vec<(Phone, Platform)> = Vec::new();
        let mut served: HashMap<(Phone, Platform), u64> = HashMap::new();
        for minute in 0..400u64 {
            let platform = platforms[below(3)];
            let fits = |number: usize| {
                let phone = phone(number);
                let cooled =
                    served.get(&(phone.clone(), platform)).is_none_or(|at| minute >= at + 60);
                cooled && !out.iter().any(|(leased, _)| *leased == phone)
            };
            let free: Vec<Phone> = (0..6).filter(|number| fits(*number)).map(phone).collect();
            let stock = [Stock::None, Stock::Low, Stock::Low][free.len().min(2)]
                .max(if free.len() > 2 { Stock::Medium } else { Stock::None });
            assert_eq!(
                own.stock(wanted(platform, minute)),
                stock,
                "round {round}, minute {minute}"
            );
            match own.reserve(wanted(platform, minute)) {
                Ok(given) => {
                    assert!(free.contains(&given), "round {round}, minute {minute}");
                    out.push((given, platform));
                }
                Err(_) => assert_eq!(free, [], "round {round}, minute {minute}"),
            }
            while out.len() > below(7) {
                let (phone, platform) = out.swap_remove(below(out.len()));
                let release = if below(2) == 0 {
                    Release::Unused
                } else {
                    Release::Served(wanted(platform, minute).at)
                };
                if let Release::Served(_) = release {
                    served.insert((phone.clone(), platform), minute);
                }
                own.release(&lease(&phone, platform), release, Timestamp::default());
            }
        }
    }
}
