//! Every order of events that a small world allows, walked through to its end: one account, its
//! rules as they are, and requests that reach it at any time and any number of times.
//!
//! A state is the account as its log makes it. An action is a request that arrives, is decided by
//! the account's own `decide`, is appended whole, and is answered, or is not: whoever was not
//! answered asks again. A crash in front of an append leaves the state as it was, so it is an
//! arrival that did not happen; one behind it is an answer that is lost, and the account is made
//! anew of its events' bytes and of its snapshot, which must be the same account.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod request;
mod world;

use stateright::{Checker, DiscoveryClassification, Expectation, Model, Property};
use telenumerus_events::money::Money;
use telenumerus_events::order::Status;

use request::{PRICE, Request};
use world::World;

/// A small world: what its caller has, and which requests there are.
struct Law {
    /// In cents; an order costs fifty.
    credit: i64,
    /// Orders that may run at a time.
    max_concurrent: u32,
    requests: Vec<Request>,
    wanted: Vec<Wanted>,
}

/// What must have been seen, or the model has proved nothing of it.
type Wanted = (&'static str, fn(&Law, &World) -> bool);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    /// A request is decided and appended, and its caller has the answer.
    Answered(Request),
    /// The same, and the answer or the process is lost.
    Unanswered(Request),
    /// Time passes.
    Later,
}

impl Model for Law {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.credit, self.max_concurrent)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for request in self.requests.iter().filter(|request| world.can_arrive(request)) {
            actions.push(Action::Answered(request.clone()));
            if matches!(request, Request::Place { .. }) {
                actions.push(Action::Unanswered(request.clone()));
            }
        }
        actions.push(Action::Later);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        match action {
            Action::Answered(request) => world.after(&request, true),
            Action::Unanswered(request) => world.after(&request, false),
            Action::Later => world.later(),
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // A condition has no environment: each invariant is a function of its own.
        macro_rules! holds {
            ($($id:literal)*) => {
                vec![$(Property::always($id, |_: &Law, world: &World| world.holds($id)),)*]
            };
        }
        let mut properties = holds! {
            "M1" "M2" "M3" "M4" "M5" "M6" "M9"
            "O1" "O2" "O4" "I1" "S3" "E5" "P1" "R1" "R3" "W1" "streams"
        };
        properties
            .push(Property::always("everything else", |_: &Law, world: &World| world.is_lawful()));
        properties.extend(self.wanted.iter().map(|(name, condition)| Property {
            expectation: Expectation::Sometimes,
            name,
            condition: *condition,
        }));
        properties
    }
}

/// Walks the whole world, and says how large it is.
fn walk(name: &str, law: Law) {
    let checker = law.checker().spawn_bfs().join();
    println!(
        "{name}: {} states, {} transitions, depth {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    assert!(checker.is_done(), "the world is walked to its end");
    for (property, path) in checker.discoveries() {
        let found = checker.discovery_classification(property);
        if matches!(found, DiscoveryClassification::Counterexample) {
            let actions: Vec<Action> = path.clone().into_actions();
            panic!("{property} does not hold: {actions:#?}\n{:?}", path.last_state());
        }
    }
    checker.assert_properties();
}

/// Whether there are minutes: `cargo xtask test --all` has them.
fn is_large() -> bool {
    std::env::var_os("TELENUMERUS_LARGE_MODELS").is_some()
}

fn ended(world: &World, order: u8, status: Status) -> bool {
    world.status(order) == Some(status)
}

/// Every request of one order, as far as its life has them.
fn requests_of(order: u8, attempts: u8) -> Vec<Request> {
    let mut requests = Vec::new();
    for attempt in 1..=attempts {
        requests.push(Request::Assign { order, attempt });
        requests.push(Request::NoNumber { order, attempt });
        requests.push(Request::Dead { order, attempt });
    }
    requests.extend([
        Request::Message { order, is_named: false },
        Request::Message { order, is_named: true },
        Request::Cancel { order },
        Request::Finish { order },
        Request::Report { order },
        Request::Expire { order },
        Request::NoSourceLeft { order },
    ]);
    requests
}

/// One order with all that can become of it, and its retries under one key.
#[test]
fn one_order_and_its_retries_keep_the_law() {
    let mut requests = requests_of(1, 2);
    requests.extend([1, 2].map(|order| Request::Place { key: 0, orders: vec![order] }));
    if is_large() {
        requests.extend(requests_of(2, 1));
        requests.extend([Request::Suspend, Request::Reinstate, Request::Debit]);
    } else {
        requests.extend(short_life(2));
    }
    walk(
        "one order and its retries",
        Law {
            credit: PRICE + PRICE / 2,
            max_concurrent: 1,
            requests,
            wanted: vec![
                ("a code", |_, world| ended(world, 1, Status::Completed)),
                ("a cancel", |_, world| ended(world, 1, Status::Cancelled)),
                ("an end by the clock", |_, world| ended(world, 1, Status::Expired)),
                ("no number", |_, world| ended(world, 1, Status::Failed)),
                ("a code for a second number", |_, world| {
                    world.order(1).is_some_and(|order| order.attempts == 2)
                        && ended(world, 1, Status::Completed)
                }),
                ("a refund", |_, world| world.account.refunded == 1),
                ("a retry that is another order", |_, world| world.status(2).is_some()),
                ("a code for the retry", |_, world| ended(world, 2, Status::Completed)),
                ("money that is not enough", |_, world| {
                    world.account.balance < Money::from_cents(PRICE)
                        && ended(world, 1, Status::Cancelled)
                }),
            ],
        },
    );
}

/// The requests of an order that has one source, as short as a life can be.
fn short_life(order: u8) -> [Request; 4] {
    [
        Request::Assign { order, attempt: 1 },
        Request::Message { order, is_named: true },
        Request::Cancel { order },
        Request::Expire { order },
    ]
}

/// Two orders under two keys, and money for one at a time.
#[test]
fn two_orders_with_money_for_one_are_never_two() {
    let mut requests: Vec<Request> = [1, 2].into_iter().flat_map(short_life).collect();
    requests
        .extend([(0, 1), (1, 2)].map(|(key, order)| Request::Place { key, orders: vec![order] }));
    requests.extend([Request::Report { order: 1 }, Request::Finish { order: 1 }]);
    requests.push(Request::Debit);
    if is_large() {
        requests.extend([Request::Suspend, Request::Reinstate]);
    }
    walk(
        "two orders",
        Law {
            credit: PRICE + PRICE / 2,
            max_concurrent: 2,
            requests,
            wanted: vec![
                ("one after the other", |_, world| {
                    ended(world, 1, Status::Cancelled) && ended(world, 2, Status::Completed)
                }),
                ("the other way round", |_, world| {
                    ended(world, 2, Status::Expired) && ended(world, 1, Status::Completed)
                }),
                ("money for none", |_, world| {
                    ended(world, 1, Status::Completed)
                        && world.status(2).is_none()
                        && world.account.balance < Money::from_cents(PRICE)
                }),
            ],
        },
    );
}

/// A batch that runs one order after the other, and its retry, which places again what came to
/// nothing.
#[test]
fn a_batch_and_its_retry_keep_the_law() {
    let mut requests: Vec<Request> = [1, 2, 3].into_iter().flat_map(short_life).collect();
    requests
        .extend([[1, 2], [3, 4]].map(|orders| Request::Place { key: 0, orders: orders.into() }));
    walk(
        "a batch",
        Law {
            credit: 2 * PRICE + PRICE / 2,
            max_concurrent: 1,
            requests,
            wanted: vec![
                ("both with their codes", |_, world| {
                    ended(world, 1, Status::Completed) && ended(world, 2, Status::Completed)
                }),
                ("one waits for its turn", |_, world| ended(world, 2, Status::Queued)),
                ("one placed again", |_, world| {
                    ended(world, 1, Status::Cancelled)
                        && ended(world, 2, Status::Completed)
                        && world.status(3).is_some()
                }),
                ("both placed again", |_, world| world.status(4).is_some()),
            ],
        },
    );
}
