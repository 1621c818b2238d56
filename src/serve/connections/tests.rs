//! Who gets a place, and who goes.

use super::*;

const LIMITS: ConnectionLimits =
    ConnectionLimits { in_all: 8, reserved: 2, per_address: 4, per_account: 2 };

fn address(number: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, number])
}

fn stranger(all: &Arc<Connections>, number: u8) -> Place {
    all.admit(address(number), false).unwrap()
}

fn is_open(all: &Connections, place: &Place) -> bool {
    all.table.lock().open.contains_key(&place.0.id)
}

#[test]
fn an_address_that_has_its_share_loses_its_oldest_idle_connection_and_nobody_elses() {
    let all = Connections::new(LIMITS);
    let other = stranger(&all, 9);
    let held: Vec<Place> = (0..4).map(|_| stranger(&all, 1)).collect();
    held[0].0.enter(Phase::Answering);
    let fifth = stranger(&all, 1);
    assert_eq!(
        held.iter().map(|place| is_open(&all, place)).collect::<Vec<_>>(),
        [true, false, true, true]
    );
    assert!(is_open(&all, &fifth) && is_open(&all, &other));
}

#[test]
fn an_address_whose_connections_are_all_being_answered_gets_no_more() {
    let all = Connections::new(LIMITS);
    let held: Vec<Place> = (0..4).map(|_| stranger(&all, 1)).collect();
    for place in &held {
        place.0.enter(Phase::Answering);
    }
    assert_eq!(all.admit(address(1), false).unwrap_err(), Reason::TooManyOfAddress);
    assert!(all.admit(address(2), false).is_ok());
    drop(held);
    assert!(all.admit(address(1), false).is_ok());
}

#[test]
fn ipv6_counts_by_network() {
    let all = Connections::new(LIMITS);
    let held: Vec<Place> = (1..=4)
        .map(|last| all.admit(format!("2001:db8::{last}").parse().unwrap(), false).unwrap())
        .collect();
    for place in &held {
        place.0.enter(Phase::Answering);
    }
    assert!(all.admit("2001:db8::ffff".parse().unwrap(), false).is_err());
    assert!(all.admit("2001:db8:0:1::1".parse().unwrap(), false).is_ok());
}

#[test]
fn a_trusted_proxy_is_no_address_among_others() {
    let all = Connections::new(LIMITS);
    let held: Vec<Place> = (0..8).map(|_| all.admit(address(1), true).unwrap()).collect();
    assert!(held.iter().all(|place| is_open(&all, place)));
}

#[test]
fn strangers_take_from_each_other_and_never_from_the_reserve() {
    let all = Connections::new(LIMITS);
    let known = stranger(&all, 1);
    known.0.shows_key(7, true);
    let registered = stranger(&all, 2);
    registered.0.shows_key(8, false);
    let strangers: Vec<Place> = (10..60).map(|number| stranger(&all, number)).collect();
    assert!(is_open(&all, &known) && is_open(&all, &registered));
    assert_eq!(
        strangers.iter().filter(|place| is_open(&all, place)).count(),
        6,
        "two places of eight are not for strangers"
    );
}

#[test]
fn when_all_places_are_taken_those_who_never_had_money_go_before_those_who_did() {
    let all = Connections::new(LIMITS);
    let known = |number: u8| {
        let place = stranger(&all, number);
        place.0.shows_key(number.into(), number != 5);
        place
    };
    let places: Vec<Place> = (0..8).map(known).collect();
    let _next = stranger(&all, 100);
    assert_eq!(places.iter().position(|place| !is_open(&all, place)), Some(5));
}

#[test]
fn connections_of_accounts_with_money_do_not_count_for_their_address_up_to_a_bound() {
    let all = Connections::new(LIMITS);
    let places: Vec<Place> = (0..3).map(|_| stranger(&all, 1)).collect();
    for place in &places {
        place.0.shows_key(7, true);
    }
    for place in &places {
        place.0.enter(Phase::Answering);
    }
    assert_eq!(
        all.table.lock().by_network[&address(1)].len(),
        1,
        "two for one account, the third counts for its address"
    );
    drop(places);
    let table = all.table.lock();
    assert!(
        table.open.is_empty()
            && table.by_network.is_empty()
            && table.by_account.is_empty()
            && table.strangers == 0
    );
}

#[test]
fn those_that_wait_for_a_body_or_for_a_reader_go_after_those_that_idle() {
    let all = Connections::new(LIMITS);
    let held: Vec<Place> = (0..4).map(|_| stranger(&all, 1)).collect();
    held[0].0.enter(Phase::Receiving);
    held[1].0.enter(Phase::Stalled);
    held[2].0.enter(Phase::Answering);
    let again = [stranger(&all, 1), stranger(&all, 1)];
    assert_eq!(
        held.iter().map(|place| is_open(&all, place)).collect::<Vec<_>>(),
        [true, true, true, false]
    );
    again[1].0.enter(Phase::Answering);
    let _more = stranger(&all, 1);
    assert!(!is_open(&all, &held[0]) && is_open(&all, &held[1]));
}

proptest::proptest! {
    #[test]
    fn counts_agree_with_what_is_open(
        steps in proptest::collection::vec((0u8..4, 0u8..6, 0u8..4), 1..200)
    ) {
        let all = Connections::new(LIMITS);
        let mut held: Vec<Place> = Vec::new();
        for (step, number, which) in steps {
            match step {
                0 => held.extend(all.admit(address(number), number == 5).ok()),
                1 if !held.is_empty() => drop(held.remove(usize::from(number) % held.len())),
                2 if !held.is_empty() => {
                    held[usize::from(number) % held.len()].0.shows_key(which.into(), number > 2);
                }
                _ if !held.is_empty() => {
                    let phases =
                        [Phase::Waiting, Phase::Receiving, Phase::Answering, Phase::Stalled];
                    let phase = phases[usize::from(which)];
                    held[usize::from(number) % held.len()].0.enter(phase);
                }
                _ => {}
            }
            let table = all.table.lock();
            assert!(table.open.len() <= LIMITS.in_all);
            assert!(
                table.by_network.values().all(|of_network| of_network.len() <= LIMITS.per_address)
            );
            assert!(table.by_account.values().all(|count| *count <= LIMITS.per_account));
            let is_stranger =
                |connection: &&Arc<Connection>| connection.standing() == Standing::Stranger;
            let strangers = table.open.values().filter(is_stranger).count();
            assert_eq!(table.strangers, strangers);
        }
        drop(held);
        let table = all.table.lock();
        assert!(table.open.is_empty() && table.by_network.is_empty());
        assert!(table.by_account.is_empty() && table.strangers == 0);
    }
}
