//! The shared log: the suite over the one in memory, and what the writer above it makes of commits
//! that are refused, lost on their way or lost on the way back.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::{Position, Revision};
use events::id::TermId;
use parking_lot::Mutex;
use telenumerus_actors::store::chain::Mark;
use telenumerus_actors::store::conformance::{self, credits};
use telenumerus_actors::store::shared::conformance::group;
use telenumerus_actors::store::shared::memory::{Fault, MemorySharedLog};
use telenumerus_actors::store::shared::{self, Commit, Lead, SharedLog, SharedLogError};
use telenumerus_actors::store::sqlite::{Loss, SqliteStore, verify_chain};
use telenumerus_actors::store::{AppendError, BoxFuture, EventStore, Expected, Record, Records};

/// A node: its store, and what ended it.
struct Node {
    store: Arc<SqliteStore>,
    ended: Arc<Mutex<Vec<String>>>,
}

fn node(directory: &Path, log: &Arc<MemorySharedLog>) -> Node {
    let ended = Arc::<Mutex<Vec<String>>>::default();
    let told = Arc::clone(&ended);
    let on_fatal = Arc::new(move |reason: &str| told.lock().push(reason.to_owned()));
    let log = Arc::clone(log) as Arc<dyn SharedLog>;
    let store =
        SqliteStore::open_under(directory, on_fatal, Loss::Refused, None, Some(log)).unwrap();
    Node { store: Arc::new(store), ended }
}

/// The shared log has what the node has, record by record, and the chain holds.
async fn are_equal(node: &Node, log: &MemorySharedLog, directory: &Path) {
    let own = node.store.stored(Position(0), 100_000).await.unwrap();
    assert_eq!(own, log.read(Position(0), 100_000).await.unwrap());
    assert_eq!(verify_chain(directory, |_| {}).unwrap(), []);
}

#[tokio::test]
async fn the_shared_log_in_memory_conforms() {
    shared::conformance::run(&MemorySharedLog::default()).await;
}

#[tokio::test]
async fn a_store_over_a_shared_log_conforms() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::default());
    let node = node(directory.path(), &log);
    conformance::run(&*node.store).await;
    are_equal(&node, &log, directory.path()).await;
    assert_eq!(*node.ended.lock(), Vec::<String>::new());
}

#[tokio::test]
async fn parallel_appends_are_in_both_logs_once() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::default());
    let node = node(directory.path(), &log);
    let tasks: Vec<_> = (0..300u128)
        .map(|number| {
            let store = Arc::clone(&node.store);
            tokio::spawn(async move {
                store.append(credits(number, Expected::NoStream, number + 1, 2)).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(log.head().await.unwrap().position, Position(600));
    are_equal(&node, &log, directory.path()).await;
}

#[tokio::test]
async fn a_commit_whose_fate_is_unknown_is_acknowledged_once() {
    for fault in [Fault::LostAnswer, Fault::LostRequest, Fault::Late, Fault::Away] {
        let (directory, log) = (tempfile::tempdir().unwrap(), Arc::default());
        let node = node(directory.path(), &log);
        node.store.append(credits(1, Expected::NoStream, 1, 2)).await.unwrap();
        log.fail(fault);
        let append = credits(1, Expected::Exact(Revision(1)), 2, 2);
        let appended = node.store.append(append).await.unwrap();
        assert_eq!(appended.position, Position(4), "{fault:?}");
        assert!(node.store.takes_appends(), "{fault:?}: the log answers again");
        are_equal(&node, &log, directory.path()).await;
        let refused = u32::from(fault == Fault::Late);
        assert_eq!(log.refused(), refused, "{fault:?}: what arrived late was not taken twice");
    }
}

/// Several in a row, for one commit.
#[tokio::test]
async fn a_commit_is_asked_for_until_it_is_known() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::default());
    let node = node(directory.path(), &log);
    for fault in [Fault::LostRequest, Fault::NotTaken, Fault::Late, Fault::LostAnswer] {
        log.fail(fault);
    }
    node.store.append(credits(1, Expected::NoStream, 1, 3)).await.unwrap();
    are_equal(&node, &log, directory.path()).await;
}

#[tokio::test]
async fn what_never_left_is_not_written_and_may_be_tried_again() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::default());
    let node = node(directory.path(), &log);
    log.fail(Fault::NotTaken);
    log.be_silent(true);
    let first = node.store.append(credits(1, Expected::NoStream, 1, 2)).await;
    assert!(matches!(first, Err(AppendError::Away(_))), "{first:?}");
    assert!(!node.store.takes_appends(), "the service says that it cannot write");
    log.be_silent(false);
    while !node.store.takes_appends() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    are_equal(&node, &log, directory.path()).await;
    node.store.append(credits(1, Expected::NoStream, 1, 2)).await.unwrap();
    assert!(node.store.takes_appends());
    are_equal(&node, &log, directory.path()).await;
}

#[tokio::test]
async fn a_former_leader_acknowledges_nothing() {
    for fault in [None, Some(Fault::LostRequest), Some(Fault::LostAnswer)] {
        let (directory, log) = (tempfile::tempdir().unwrap(), Arc::default());
        let node = node(directory.path(), &log);
        node.store.append(credits(1, Expected::NoStream, 1, 2)).await.unwrap();
        let head = log.head().await.unwrap();
        let others = group(head, 99, 1);
        assert_eq!(log.commit(head, Arc::clone(&others)).await, Commit::Taken);
        if let Some(fault) = fault {
            log.fail(fault);
        }
        let append = node.store.append(credits(1, Expected::Exact(Revision(1)), 2, 1)).await;
        assert!(matches!(append, Err(AppendError::Unknown(_))), "{append:?}");
        let ended = node.ended.lock().clone();
        assert!(matches!(&ended[..], [reason] if reason.contains("another node")), "{ended:?}");
        while node.store.takes_appends() {
            tokio::task::yield_now().await;
        }
        let own = node.store.stored(Position(0), 10).await.unwrap();
        assert_eq!(own.len(), 2, "nothing of it is in the own copy");
        assert_eq!(log.head().await.ok(), shared::end_of(&others), "nor in the shared log");
    }
}

/// Two nodes that begin at the same place, as two impatient standbys do.
#[tokio::test]
async fn of_two_writers_one_goes_on() {
    let log: Arc<MemorySharedLog> = Arc::default();
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = directories.each_ref().map(|directory| node(directory.path(), &log));
    let appends = nodes.each_ref().map(|node| {
        let number = Arc::as_ptr(&node.store) as usize as u128;
        node.store.append(credits(number, Expected::NoStream, number, 2))
    });
    let answers = futures_util::future::join_all(appends).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let ended: usize = nodes.iter().map(|node| node.ended.lock().len()).sum();
    assert_eq!(ended, 1, "the other one has ended");
    assert_eq!(log.head().await.unwrap().position, Position(2));
}

/// A log that stays away holds nobody up, and the store can be closed; the next start asks.
#[tokio::test]
async fn a_store_closes_without_an_answer() {
    #[derive(Debug)]
    struct Away;
    impl SharedLog for Away {
        fn head(&self) -> BoxFuture<'_, Result<Mark, SharedLogError>> {
            let away = SharedLogError::Unavailable("it is away".to_owned());
            Box::pin(std::future::ready(Err(away)))
        }
        fn commit(&self, _: Mark, _: Arc<[Record]>) -> BoxFuture<'_, Commit> {
            Box::pin(std::future::ready(Commit::Unknown("no answer".to_owned())))
        }
        fn read(
            &self,
            _: Position,
            _: usize,
        ) -> BoxFuture<'_, Result<Vec<Record>, SharedLogError>> {
            Box::pin(std::future::ready(Ok(Vec::new())))
        }
        fn leader(&self) -> BoxFuture<'_, Result<Option<Lead>, SharedLogError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn lead(&self, _: Lead) -> BoxFuture<'_, Result<bool, SharedLogError>> {
            Box::pin(std::future::ready(Ok(true)))
        }
        fn heard(&self) -> BoxFuture<'_, Result<Option<Duration>, SharedLogError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn beat(&self, _: TermId, _: bool) -> BoxFuture<'_, Result<bool, SharedLogError>> {
            Box::pin(std::future::ready(Ok(true)))
        }
    }

    let directory = tempfile::tempdir().unwrap();
    let on_fatal = Arc::new(|reason: &str| panic!("{reason}"));
    let store = SqliteStore::open_under(
        directory.path(),
        on_fatal,
        Loss::Refused,
        None,
        Some(Arc::new(Away)),
    );
    let store = Arc::new(store.unwrap());
    let append = |number: u128| {
        let store = Arc::clone(&store);
        tokio::spawn(
            async move { store.append(credits(number, Expected::NoStream, number, 1)).await },
        )
    };
    let first = append(1);
    while store.takes_appends() {
        tokio::task::yield_now().await;
    }
    let second = append(2).await.unwrap();
    assert!(matches!(second, Err(AppendError::Away(_))), "it does not wait: {second:?}");
    store.close().await;
    let first = first.await.unwrap();
    assert!(matches!(first, Err(AppendError::Unsettled(_))), "{first:?}");
    assert_eq!(store.stored(Position(0), 10).await.unwrap(), []);
}
