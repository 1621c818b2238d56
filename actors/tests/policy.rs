//! The policy as processes use it: in force once it is durable, the same after a restart, and never
//! at the cost of a number.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::sync::Arc;

use events::account::{ItemRefusal, PlaceOrder, Refusal};
use events::envelope::Actor;
use events::money::Money;
use events::platform::Platform;
use events::policy::{self, InForce, Judge, Mode, Policy};
use telenumerus_actors::Policies;
use telenumerus_actors::kernel::entity::TransactError;
use telenumerus_actors::order::PlaceError;
use telenumerus_actors::store::memory::MemoryStore;
use world::{START, Setup, World, audit};

fn own() -> Setup {
    Setup { own: vec!["+12025550123"], ..Setup::default() }
}

fn apply(world: &World, replaces: Option<u32>) -> policy::Command {
    policy::Command::Apply {
        policy: Policy { mode: Mode::Shadow, ..Policy::default() },
        replaces,
        by: "ada".to_owned(),
        basis: "a trial".to_owned(),
        at: world.accounts.journal().now(),
    }
}

fn paypal(world: &World, policy: Arc<InForce>) -> PlaceOrder {
    let judge = Judge { policy, real_numbers: true };
    PlaceOrder { judge, ..world.wanted(Platform::PayPal, 1) }
}

#[tokio::test(start_paused = true)]
async fn a_policy_judges_orders_once_it_is_durable_and_is_the_same_after_a_restart() {
    let world = World::start(MemoryStore::default(), &own(), 1, START).await;
    let account = world.account(10).await;
    let journal = world.accounts.journal().clone();
    let policies = Policies::open(journal.clone()).await.unwrap();
    let refused =
        world.orders.place(account, paypal(&world, policies.in_force()), None).await.unwrap_err();
    assert!(
        matches!(&refused, PlaceError::Refused(Refusal::Item(ItemRefusal::Policy(_)))),
        "{refused:?}"
    );
    assert_eq!(world.balance(account).await, (Money::from_cents(1_000), Money::ZERO));
    assert_eq!(world.orders.router().leased(), 0);
    let who = || Actor::Operator("ada".into());
    policies.transact(&apply(&world, Some(0)), who()).await.unwrap();
    let stale = policies.transact(&apply(&world, Some(0)), who()).await.unwrap_err();
    assert!(matches!(stale, TransactError::Refused(policy::Refusal::OtherVersion(1))), "{stale:?}");
    let again = Policies::open(journal).await.unwrap();
    assert_eq!((again.in_force().version, again.state()), (1, policies.state()));
    world.orders.place(account, paypal(&world, again.in_force()), None).await.unwrap();
    assert!(audit(&world.store).await.1.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_refused_takes_no_number_from_the_others() {
    let world = World::start(MemoryStore::default(), &own(), 1, START).await;
    let (account, other) = (world.account(10).await, world.account(10).await);
    let mut tries = Vec::new();
    for _ in 0..8 {
        let wanted = paypal(&world, InForce::built_in());
        tries.push(tokio::spawn({
            let orders = world.orders.clone();
            async move { orders.place(account, wanted, None).await.is_err() }
        }));
    }
    // The only number is free for whoever may have it.
    let order = world.place(other, Platform::Google).await;
    world.number(other, order).await;
    for tried in tries {
        assert!(tried.await.unwrap());
    }
}
