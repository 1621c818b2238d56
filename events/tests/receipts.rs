//! Whatever a source says of when it received a message: no order is given one that was on its way
//! to another.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use proptest::prelude::*;
use telenumerus_events::country::Country;
use telenumerus_events::decider::{Decider, fold};
use telenumerus_events::id::OrderId;
use telenumerus_events::money::Money;
use telenumerus_events::order::{Command, Event, IncomingSms, Placed, Receipt, State};
use telenumerus_events::platform::Platform;
use telenumerus_events::time::Timestamp;

const HOUR: i64 = 3_600_000;

/// When everything begins: the number is on the first order from here on.
const START: i64 = 1_795_500_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn placed() -> Placed {
    let (price, moment) = (Money::from_cents(50), at(0));
    let (platform, country) = (Platform::Google, Country::Us);
    Placed {
        platform,
        country,
        list_price: price,
        price,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 300,
        verdict: None,
        at: moment,
    }
}

/// The order that the number was given to then.
fn second_order(assigned: i64) -> State {
    let (supplier, phone) = ("own".parse().unwrap(), "+12025550123".parse().unwrap());
    let assigned = Event::NumberAssigned {
        attempt: 1,
        supplier,
        phone,
        expires_at: at(assigned + 300_000),
        at: at(assigned),
    };
    fold(State::new(OrderId(2), placed()), &[assigned])
}

/// Whether the order takes a message that arrives then, of which the source says that it received
/// it `said`.
fn takes(order: &State, said: Option<Timestamp>, arrives: i64, freed: Option<i64>) -> bool {
    let sms = IncomingSms {
        message_id: "m1".to_owned(),
        supplier: "own".parse().unwrap(),
        to: "+12025550123".parse().unwrap(),
        sender: "Google".to_owned(),
        text: "G-123456 is your Google verification code.".to_owned(),
        receipt: Receipt::of(said, at(arrives)),
        freed_at: freed.map(at),
        hold: Vec::new(),
        at: at(arrives),
    };
    order.decide(&Command::ReceiveSms(sms)).is_ok()
}

/// What clocks do to a stamp: right, cut to the second, hours off, never set.
fn stamps() -> impl Strategy<Value = Stamp> {
    prop_oneof![
        Just(Stamp::Right),
        Just(Stamp::WholeSeconds),
        Just(Stamp::Off(HOUR)),
        Just(Stamp::Off(-HOUR)),
        (-12..=14i64).prop_map(|hours| Stamp::Off(hours * HOUR)),
        Just(Stamp::Epoch),
    ]
}

#[derive(Debug, Clone, Copy)]
enum Stamp {
    Right,
    WholeSeconds,
    Off(i64),
    Epoch,
}

impl Stamp {
    fn of(self, received: i64) -> Timestamp {
        match self {
            Self::Right => at(received),
            Self::WholeSeconds => {
                Timestamp::from_millis((START + received).div_euclid(1_000) * 1_000)
            }
            Self::Off(millis) => at(received + millis),
            Self::Epoch => Timestamp::default(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// The first order has the number until `freed`; the second from `freed + pause` on. A message
    /// is received while the first has it.
    #[test]
    fn no_order_gets_what_was_received_for_the_one_before(
        freed in 1_000..300_000i64, received in 0.0..1.0f64, pause in 0..600_000i64,
        way in 0..900_000i64, stamp in stamps(),
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a part of five minutes"
        )]
        let received = (received * freed as f64) as i64;
        let assigned = freed + pause;
        let arrives = (received + way).max(assigned);
        let taken = takes(&second_order(assigned), Some(stamp.of(received)), arrives, Some(freed));
        // A clock that is hours off leads astray only where the number had rested for minutes and
        // the message was under way for longer still.
        let is_hopeless = pause >= 60_000 && matches!(stamp, Stamp::Off(_) | Stamp::Epoch);
        let said_after = stamp.of(received) > at(freed);
        prop_assert!(
            !taken || is_hopeless || said_after && matches!(stamp, Stamp::Off(_)) && way > HOUR,
            "{stamp:?}"
        );
        if matches!(stamp, Stamp::Right | Stamp::WholeSeconds) {
            prop_assert!(!taken);
        }
    }

    /// A number that nobody else had: whatever its source's clock says, the order gets its code,
    /// and never one received before the number was its own.
    #[test]
    fn a_number_s_only_order_gets_its_code_whatever_the_clock_says(
        way in 0..60_000i64, received in 10_000..200_000i64, stamp in stamps(),
    ) {
        prop_assert!(takes(&second_order(5_000), Some(stamp.of(received)), received + way, None));
    }

    #[test]
    fn the_moment_kept_is_never_after_the_arrival(said in any::<i64>(), arrives in 0..HOUR) {
        let said = Timestamp::from_millis(said);
        let receipt = Receipt::of(Some(said), at(arrives));
        prop_assert!(receipt.moment(at(arrives)) <= at(arrives));
        let off = said.since(at(arrives)).max(at(arrives).since(said));
        prop_assert_eq!(
            receipt.is_far(), said > at(arrives + 5_000) || off > Duration::from_mins(10), "{:?}",
            receipt
        );
    }
}

#[test]
fn late_early_epoch_and_an_hour_ahead() {
    let (arrives, assigned) = (400_000, 390_000);
    let order = second_order(assigned);
    let stamps =
        [at(arrives - HOUR), at(arrives + HOUR), Timestamp::default(), at(arrives + 60_000)];
    for said in stamps {
        assert!(
            !takes(&order, Some(said), arrives, Some(389_000)),
            "{said}: the number was another order's a second before"
        );
        assert!(takes(&order, Some(said), arrives, None), "{said}: nobody else ever had it");
    }
    // An hour late by its own word: if that is right it was another's, if it is wrong it may be.
    assert!(!takes(&order, Some(at(arrives - HOUR)), arrives, Some(-1_000_000)));
    assert!(takes(&order, Some(at(arrives - HOUR)), arrives, Some(arrives - 2 * HOUR)));
    for said in [at(arrives + HOUR), Timestamp::default()] {
        assert!(
            takes(&order, Some(said), arrives, Some(assigned - 60_000)),
            "{said}: it has rested"
        );
    }
}
