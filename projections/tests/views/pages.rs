//! What operators page through, and sums over all accounts.

use events::account::test_mode::REORG_AMOUNT;
use events::id::AccountId;
use events::money::Money;
use events::platform::Platform;
use telenumerus_projections::{AccountFilter, AccountView, AnyOrderFilter, HourlyCell, Views};

use crate::log::{at, log, viewed};

#[tokio::test]
async fn what_all_accounts_have_together_is_the_sum_of_what_each_has() {
    let (_directory, views) = viewed();
    let accounts = views.all_accounts(AccountFilter::default(), 100).await.unwrap();
    assert_eq!(accounts.len(), 4);
    assert!(accounts.windows(2).all(|pair| pair[0].position > pair[1].position));
    let mut sum = AccountView::default();
    for account in &accounts {
        sum.balance = sum.balance + account.sums.balance;
        sum.held = sum.held + account.sums.held;
        sum.spent = sum.spent + account.sums.spent;
        sum.orders += account.sums.orders;
        sum.completed += account.sums.completed;
        sum.cancelled += account.sums.cancelled;
        sum.expired += account.sums.expired;
        sum.failed += account.sums.failed;
        sum.refunded += account.sums.refunded;
    }
    let totals = views.totals().await.unwrap();
    assert_eq!((totals.live, totals.test), (sum, AccountView::default()));
}

#[tokio::test]
async fn the_hours_of_the_service_are_those_of_all_accounts() {
    let (_directory, views) = viewed();
    let hours = views.hourly(0, i64::MAX).await.unwrap();
    let totals = views.totals().await.unwrap().live;
    let sum = |of: fn(&HourlyCell) -> u64| hours.iter().map(of).sum::<u64>();
    assert_eq!(sum(|cell| cell.orders), totals.orders);
    assert_eq!(sum(|cell| cell.completed), totals.completed);
    assert_eq!(sum(|cell| cell.cancelled), totals.cancelled);
    assert_eq!(sum(|cell| cell.expired), totals.expired);
    assert_eq!(hours.iter().fold(Money::ZERO, |sum, cell| sum + cell.revenue), totals.spent);
    let codes: u64 =
        views.delivery_times(0, i64::MAX).await.unwrap().iter().map(|bucket| bucket.codes).sum();
    assert_eq!(codes, totals.completed);
    assert_eq!(views.codes_since(at(0)).await.unwrap(), totals.completed);
}

#[tokio::test]
async fn the_pages_of_all_orders_have_each_once_newest_first() {
    let (_directory, views) = viewed();
    let mut seen = Vec::new();
    let mut filter = AnyOrderFilter::default();
    loop {
        let page = views.all_orders(filter.clone(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.order);
        seen.extend(page.iter().map(|order| order.order.0));
    }
    let all: Vec<u128> = (1..=80).rev().collect();
    assert_eq!(seen, all);
    let mut filter = AnyOrderFilter {
        account: Some(AccountId(2)),
        platform: Some(Platform::ALL[1]),
        ..AnyOrderFilter::default()
    };
    let found = views.all_orders(filter.clone(), 100).await.unwrap();
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|order| order.account == AccountId(2) && order.platform == Platform::ALL[1])
    );
    filter.is_open = true;
    assert!(
        views
            .all_orders(filter, 100)
            .await
            .unwrap()
            .iter()
            .all(|order| !order.status.is_end() || order.listens)
    );
}

#[tokio::test]
async fn money_of_tests_is_never_in_a_sum_of_money_however_the_log_is_cut() {
    let (_directory, without) = viewed();
    let log = log().with_tests();
    for size in [1, 3, log.records.len()] {
        let directory = tempfile::tempdir().unwrap();
        let views = Views::open(directory.path()).unwrap();
        log.records.chunks(size).for_each(|batch| views.apply(batch).unwrap());
        let (totals, before) = (views.totals().await.unwrap(), without.totals().await.unwrap());
        assert_eq!(totals.live, before.live, "batches of {size}");
        assert_eq!((totals.test.balance, totals.test.orders), (REORG_AMOUNT, 1));
        let hours = views.hourly(0, i64::MAX).await.unwrap();
        assert_eq!(hours.iter().map(|cell| cell.orders).sum::<u64>(), totals.live.orders);
        let of_mode = async |is_test| {
            let filter = AccountFilter { is_test: Some(is_test), ..AccountFilter::default() };
            let found = views.all_accounts(filter, 10).await.unwrap();
            assert!(found.iter().all(|account| account.is_test == is_test));
            found.len()
        };
        assert_eq!((of_mode(false).await, of_mode(true).await), (4, 1));
        let orders = views.all_orders(AnyOrderFilter::default(), 100).await.unwrap();
        let tests = orders.iter().filter(|order| order.is_test);
        assert_eq!(tests.map(|order| order.order.0).collect::<Vec<_>>(), [901]);
    }
}
