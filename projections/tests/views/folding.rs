//! Batches: any cut, any repetition; files of another version.

use events::envelope::Position;
use events::id::AccountId;
use telenumerus_projections::{OrderFilter, Views};

use crate::log::log;

#[tokio::test]
async fn any_cut_into_batches_gives_the_same_rows() {
    let log = log().with_tests().records;
    let whole = tempfile::tempdir().unwrap();
    let whole = {
        let views = Views::open(whole.path()).unwrap();
        views.apply(&log).unwrap();
        views.dump().unwrap()
    };
    for size in [1, 2, 3, 7, 50] {
        let directory = tempfile::tempdir().unwrap();
        for batch in log.chunks(size) {
            // A projector that dies after every batch: what is in memory is gone each time.
            Views::open(directory.path()).unwrap().apply(batch).unwrap();
        }
        assert_eq!(
            Views::open(directory.path()).unwrap().dump().unwrap(),
            whole,
            "batches of {size}"
        );
    }
}

#[tokio::test]
async fn records_told_twice_count_once() {
    let log = log().with_tests().records;
    let (once, twice) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let once = Views::open(once.path()).unwrap();
    once.apply(&log).unwrap();
    let twice = Views::open(twice.path()).unwrap();
    for end in [10, 40, 40, 90, log.len(), log.len()] {
        twice.apply(&log[..end]).unwrap();
    }
    assert_eq!(twice.dump().unwrap(), once.dump().unwrap());
}

#[tokio::test]
async fn a_status_that_is_none_is_not_taken_for_another() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    let file = rusqlite::Connection::open(directory.path().join("views.db")).unwrap();
    // Without the sum that is kept with each change: only the service's own connection can keep it.
    file.execute_batch("DROP TRIGGER orders_on").unwrap();
    file.execute("UPDATE orders SET status = 'lost' WHERE account_id = ?1", [1u128.to_be_bytes()])
        .unwrap();
    let error = views.orders(AccountId(1), OrderFilter::default(), 10).await.unwrap_err();
    assert!(error.to_string().contains("lost is no status"), "{error}");
}

#[tokio::test]
async fn a_file_of_another_version_or_a_broken_one_starts_empty() {
    let directory = tempfile::tempdir().unwrap();
    Views::open(directory.path()).unwrap().apply(&log().records).unwrap();
    rusqlite::Connection::open(directory.path().join("views.db"))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let empty = Views::open(elsewhere.path()).unwrap().dump().unwrap();
    let views = Views::open(directory.path()).unwrap();
    assert_eq!((*views.checkpoint().borrow(), views.dump().unwrap()), (Position(0), empty.clone()));
    drop(views);
    std::fs::write(directory.path().join("views.db"), "no database").unwrap();
    assert_eq!(Views::open(directory.path()).unwrap().dump().unwrap(), empty);
}
