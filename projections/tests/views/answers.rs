//! What views answer about accounts, orders, numbers and deposits.

use events::account::Event as AccountEvent;
use events::chain::Block;
use events::id::{AccountId, DepositId, OrderId};
use events::money::Money;
use events::phone::Phone;
use events::platform::Platform;
use events::{Event, order};
use telenumerus_projections::{Concern, DepositRow, StrayFilter, Views};

use crate::log::{at, log};

#[tokio::test]
async fn the_views_are_the_ledger() {
    let log = log();
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log.records).unwrap();
    for (index, state) in log.accounts.iter().enumerate() {
        let view = views.account(AccountId(index as u128 + 1)).await.unwrap();
        assert_eq!(
            (view.balance, view.held, view.completed, view.refunded),
            (state.balance, state.held, state.completed, state.refunded)
        );
        assert_eq!(view.orders, 20);
        let ended = view.completed + view.cancelled + view.expired + view.failed;
        assert_eq!(view.orders - ended, state.open.len() as u64);
        let usage = views.usage(AccountId(index as u128 + 1), 0, i64::MAX).await.unwrap();
        assert_eq!(usage.iter().map(|cell| cell.spent).sum::<Money>(), view.spent);
        assert_eq!(usage.iter().map(|cell| cell.orders).sum::<u64>(), view.orders);
    }
}

#[tokio::test]
async fn recovery_finds_what_is_open_and_where_ended_orders_stand() {
    let log = log();
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log.records).unwrap();
    let open: Vec<OrderId> =
        views.open_orders().await.unwrap().into_iter().map(|order| order.order).collect();
    assert_eq!(open, [31, 61, 79, 80].map(OrderId), "those that listen, too");
    assert_eq!(views.open_deposits("simulated".to_owned()).await.unwrap(), [DepositId(5)]);
    assert_eq!(views.open_deposits("btc".to_owned()).await.unwrap(), [6, 7, 8, 10].map(DepositId));
    let place = views.order(OrderId(1)).await.unwrap().unwrap();
    let facts: Vec<&order::Event> = log
        .records
        .iter()
        .filter(|record| {
            record.stream.account_id() == Some(place.account)
                && (place.first..=place.last).contains(&record.revision)
        })
        .filter_map(|record| {
            if let Event::Account(AccountEvent::Order(OrderId(1), fact)) = &record.event {
                Some(fact)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        order::State::from_history(OrderId(1), facts).unwrap().status,
        order::Status::Completed
    );
    let of_phone = views.orders_of_phone("+12025550000".parse().unwrap(), 3).await.unwrap();
    assert_eq!(of_phone.iter().map(|place| place.order.0).collect::<Vec<_>>(), [71, 61, 51]);
    let served = views.served("own".to_owned(), at(0)).await.unwrap();
    assert!(!served.is_empty() && served.iter().all(|(_, _, when)| *when > at(0)));
    let recent = views.numbers_on_orders(at(0)).await.unwrap();
    assert_eq!(
        (
            recent.len(),
            recent.iter().filter(|(_, ended_at)| ended_at.is_some_and(|when| when > at(0))).count()
        ),
        (10, 10)
    );
    let on_orders = views.numbers_on_orders(at(99_999)).await.unwrap();
    assert_eq!(
        on_orders,
        ["+12025550000", "+12025550008", "+12025550009"]
            .map(|phone| (phone.parse().unwrap(), None))
    );
    assert_eq!(views.order(OrderId(999)).await.unwrap(), None);
    assert_eq!(views.numbers_with_parts().await.unwrap(), ["+12025550000".parse().unwrap()]);
}

#[tokio::test]
async fn pools_and_leases_are_as_their_facts_say() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    let listed = views.listed("twilio".to_owned()).await.unwrap();
    let shown: Vec<_> =
        listed.iter().map(|(phone, listing)| (phone.as_str(), listing.platforms.clone())).collect();
    assert_eq!(
        shown,
        [("+12025550901", None), ("+12025550902", Some(vec![Platform::Google, Platform::Steam]))]
    );
    let retired = views.retired().await.unwrap();
    let retired: Vec<_> = retired
        .iter()
        .map(|number| (number.phone.as_str(), number.reason.as_str(), number.at))
        .collect();
    assert_eq!(retired, [("+12025550903", "sold", at(9_301))]);
    let strays = views
        .strays(StrayFilter { phone: "+12025550902".parse().ok(), ..StrayFilter::default() }, 10)
        .await
        .unwrap();
    assert_eq!(
        strays.iter().map(|stray| (stray.why.as_str(), stray.at)).collect::<Vec<_>>(),
        [("not_assigned", at(9_302))]
    );
    let open = views.open_leases("acme-2".to_owned()).await.unwrap();
    let open: Vec<_> = open
        .iter()
        .map(|(id, phone)| (id.order.0, id.attempt, phone.as_ref().map(Phone::as_str)))
        .collect();
    assert_eq!(open, [(1, 1, None), (2, 1, Some("+12025550910")), (3, 1, Some("+12025550910"))]);
    assert_eq!(views.sources_with_open_leases().await.unwrap(), ["acme-2".parse().unwrap()]);
    let outcomes = views.supplier_outcomes(at(0)).await.unwrap();
    assert!(
        outcomes.iter().any(|outcome| outcome.supplier.as_str() == "own"
            && outcome.completed > 0
            && outcome.ended > outcome.completed),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn deposits_are_listed_for_their_owners_and_for_operators() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    let ids = |rows: Vec<DepositRow>| rows.into_iter().map(|row| row.deposit.0).collect::<Vec<_>>();
    let own = views.deposits(AccountId(2), None, 10).await.unwrap();
    assert_eq!(
        ids(views.deposits(AccountId(2), Some(own[1].position.0), 10).await.unwrap()),
        [8, 6]
    );
    let back = &own[3];
    let block = Block { height: 100, hash: "b".to_owned() };
    assert_eq!(
        (back.status.as_str(), back.block.clone(), back.amount, back.reversals, back.is_credited()),
        ("pending", Some(block), None, 1, false)
    );
    let settled = &own[1];
    assert_eq!(
        (settled.status.as_str(), settled.amount, settled.is_credited()),
        ("settled", Some(Money::from_cents(1_000)), true)
    );
    assert_eq!(ids(own), [10, 9, 8, 6]);
    assert_eq!(
        ids(views.deposits_of_transaction(AccountId(2), "cd".repeat(32)).await.unwrap()),
        [6, 8, 9, 10]
    );
    let concern = |concern| views.deposits_of_concern(concern, 10);
    assert_eq!(ids(concern(Concern::Unknown).await.unwrap()), [7]);
    assert_eq!(ids(concern(Concern::Dust).await.unwrap()), [10]);
    assert_eq!(ids(concern(Concern::Reversed).await.unwrap()), [6]);
    assert_eq!(ids(concern(Concern::Stuck(at(9_100))).await.unwrap()), [5]);
    assert_eq!(ids(concern(Concern::Stuck(at(9_200))).await.unwrap()), [5, 6]);
}
