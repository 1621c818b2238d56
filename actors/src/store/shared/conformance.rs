//! What every shared log must do, as one suite: a new one is done when this passes.

use std::sync::Arc;

use events::codec;
use events::envelope::{Position, Revision, StreamId};
use events::id::{AccountId, CommandId, EventId, OrderId, TermId};
use events::leadership::Leader;
use events::money::Money;
use events::time::Timestamp;
use events::{Event, account};
use futures_util::future::join_all;

use super::{Commit, Lead, SharedLog, end_of};
use crate::store::chain::{self, Hash, Mark};
use crate::store::records::Record;

/// A group of `count` records that continues a log that ends at `after`; groups with different
/// `seed`s share no record.
pub fn group(after: Mark, seed: u128, count: u64) -> Arc<[Record]> {
    let mut end = after;
    let record = |step: u64| {
        let reason = format!("conformance \u{0}\u{1F980} {seed}");
        let at = Timestamp::from_millis(1_700_000_000_000);
        let event: Event =
            account::Event::Credited { amount: Money::from_cents(1), reason, at }.into();
        let encoded = codec::encode(&event);
        let mut record = Record {
            position: Position(end.position.0 + 1),
            stream: StreamId::account(AccountId(seed)),
            revision: Revision(step),
            id: EventId((seed << 16) | u128::from(step)),
            name: encoded.name.into(),
            version: encoded.version,
            at,
            causation: CommandId(u128::MAX - seed),
            correlation: (step % 2 == 1).then_some(OrderId(u128::MAX)),
            actor: "operator:Zoë".into(),
            payload: encoded.payload,
            digest: Hash::default(),
            chain: Hash::default(),
        };
        record.digest = record.fields().digest();
        record.chain = chain::link(&end.chain, record.position, &record.digest);
        end = Mark { position: record.position, chain: record.chain };
        record
    };
    (0..count).map(record).collect()
}

/// Runs the whole suite over an empty log; panics where it does not conform.
pub async fn run(log: &dyn SharedLog) {
    assert_eq!(log.head().await, Ok(Mark::START), "an empty log ends at its start");
    assert_eq!(log.read(Position(0), 10).await, Ok(Vec::new()));
    let mut all = Vec::new();
    for (seed, count) in [(1, 1), (2, 3), (3, 700)] {
        let (after, group) = next(log, seed, count).await;
        assert_eq!(log.commit(after, Arc::clone(&group)).await, Commit::Taken);
        assert_eq!(log.head().await.ok(), end_of(&group), "a group moves the end");
        all.extend_from_slice(&group);
    }
    reads_are_what_was_committed(log, &all).await;
    only_the_end_is_continued(log, &all).await;
    the_same_group_again_is_refused_with_its_own_end(log).await;
    of_parallel_commits_one_is_taken(log).await;
    a_group_may_be_large(log).await;
    a_leader_is_known_by_its_term(log).await;
}

async fn next(log: &dyn SharedLog, seed: u128, count: u64) -> (Mark, Arc<[Record]>) {
    let after = log.head().await.expect("the log answers");
    (after, group(after, seed, count))
}

/// All records after a position, however the log cuts its pages.
async fn read_all(log: &dyn SharedLog, after: u64, page: usize) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let from = records.last().map_or(Position(after), |last| last.position);
        let read = log.read(from, page).await.expect("the log answers");
        assert!(read.len() <= page, "no page is longer than was asked for");
        if read.is_empty() {
            return records;
        }
        records.extend(read);
    }
}

async fn reads_are_what_was_committed(log: &dyn SharedLog, all: &[Record]) {
    assert_eq!(read_all(log, 0, 256).await, all);
    assert_eq!(read_all(log, 2, 100_000).await, all[2..]);
    assert_eq!(log.read(Position(all.len() as u64 + 5), 10).await, Ok(Vec::new()));
    assert_eq!(log.read(Position(1), 1).await, Ok(vec![all[1].clone()]));
}

async fn only_the_end_is_continued(log: &dyn SharedLog, all: &[Record]) {
    let end = log.head().await.expect("the log answers");
    let earlier = end_of(&all[..2]).expect("two records");
    let other_chain = Mark { chain: [7; 32], ..end };
    let further = Mark { position: Position(end.position.0 + 1), ..end };
    for (seed, after) in [(20, earlier), (21, Mark::START), (22, other_chain), (23, further)] {
        assert_eq!(log.commit(after, group(after, seed, 2)).await, Commit::Refused(end));
    }
    assert_eq!(log.head().await, Ok(end), "what was refused moves nothing");
    assert_eq!(read_all(log, 0, 512).await, all, "what was refused is not there");
}

async fn the_same_group_again_is_refused_with_its_own_end(log: &dyn SharedLog) {
    let (after, group) = next(log, 30, 4).await;
    assert_eq!(log.commit(after, Arc::clone(&group)).await, Commit::Taken);
    let end = end_of(&group).expect("a group has records");
    assert_eq!(log.commit(after, group).await, Commit::Refused(end));
    assert_eq!(read_all(log, after.position.0, 512).await.len(), 4, "it is there once");
}

async fn of_parallel_commits_one_is_taken(log: &dyn SharedLog) {
    for round in 0..10_u128 {
        let after = log.head().await.expect("the log answers");
        let groups: Vec<_> = (0..8).map(|seed| group(after, 1_000 + round * 8 + seed, 3)).collect();
        let commits = groups.iter().map(|group| log.commit(after, Arc::clone(group)));
        let answers = join_all(commits).await;
        let taken: Vec<_> =
            groups.iter().zip(&answers).filter(|(_, answer)| **answer == Commit::Taken).collect();
        let [(winner, _)] = taken[..] else { panic!("one is taken: {answers:?}") };
        let end = end_of(winner).expect("a group has records");
        for answer in answers.iter().filter(|answer| **answer != Commit::Taken) {
            assert_eq!(*answer, Commit::Refused(end));
        }
        assert_eq!(read_all(log, after.position.0, 512).await, winner.to_vec());
    }
}

/// As many appends as a writer puts into one group, each of a batch.
async fn a_group_may_be_large(log: &dyn SharedLog) {
    let (after, group) = next(log, 40, 20_000).await;
    assert_eq!(log.commit(after, Arc::clone(&group)).await, Commit::Taken);
    assert_eq!(read_all(log, after.position.0, 4_096).await, group.to_vec());
}

async fn a_leader_is_known_by_its_term(log: &dyn SharedLog) {
    let lead = |term: u128, since: Position, node: &str| Lead {
        term: TermId(term),
        since,
        leader: Leader {
            node: node.to_owned(),
            url: "https://north.example.com".to_owned(),
            version: "0.1.0".to_owned(),
            configuration: [7; 32],
        },
        beat: 0,
        is_released: false,
    };
    assert_eq!(log.leader().await, Ok(None), "nobody leads an empty log");
    assert_eq!(log.heard().await, Ok(None));
    assert_eq!(log.beat(TermId(1), false).await, Ok(false));
    let (first, second) = (lead(1, Position(7), "north"), lead(u128::MAX, Position(9), "south"));
    assert_eq!(log.lead(first.clone()).await, Ok(true));
    assert_eq!(log.leader().await, Ok(Some(first.clone())));
    assert_eq!(log.beat(first.term, false).await, Ok(true));
    assert_eq!(log.leader().await, Ok(Some(Lead { beat: 1, ..first.clone() })));
    assert_eq!(log.lead(second.clone()).await, Ok(true));
    assert_eq!(log.lead(first.clone()).await, Ok(false), "a former leader is none again");
    assert_eq!(log.beat(first.term, true).await, Ok(false), "a former leader says nothing");
    assert_eq!(log.leader().await, Ok(Some(second.clone())));
    assert_eq!(log.beat(second.term, true).await, Ok(true));
    assert!(matches!(log.heard().await, Ok(Some(_))));
    let released = Lead { beat: 1, is_released: true, ..second };
    assert_eq!(log.leader().await, Ok(Some(released)));
}
