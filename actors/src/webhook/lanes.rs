//! Places for attempts: whoever keeps others' connections busy for nothing waits among its like,
//! and nobody else behind it.
//!
//! A receiver that answers has a lane of its own, one that has not been tried another, one that was
//! silent a third. Within each, a target host has so many places, and an account (its delivery
//! queue sees to that) a few. A free place goes to the host that has the fewest. Untried receivers
//! are the ones that strangers can make up in any number: once half of their places are taken, the
//! others are given out one by one, so that there is always one soon, and of hosts that have as
//! many to the latest: those that were there before it came and are still waiting are many, and it
//! may be the honest one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use events::webhook::Standing;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// An attempt holds its place for fifteen seconds at most (`post`).
const LONGEST: Duration = Duration::from_secs(15);
/// Places of receivers that answer, and of one host of them: where many accounts have their hooks
/// at one service.
const ANSWERING: Size = Size { places: 512, per_host: 64, paced: 0 };
/// Places of receivers not tried yet.
const UNTRIED: Size = Size { places: 512, per_host: 16, paced: 256 };
/// Places of those that did not answer, or slowly.
const SILENT: Size = Size { places: 256, per_host: 4, paced: 0 };

/// How large a lane is.
#[derive(Debug, Clone, Copy)]
struct Size {
    places: usize,
    per_host: usize,
    /// How many of the places are given out one by one.
    paced: u32,
}

/// How full a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Whose lane.
    pub lane: &'static str,
    /// Attempts under way.
    pub under_way: usize,
    /// Attempts that wait for a place.
    pub waiting: usize,
}

/// The lanes. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Lanes(Arc<[Mutex<Lane>; 3]>);

/// A place in a lane; given back when dropped.
#[derive(Debug)]
pub struct Place {
    lanes: Lanes,
    standing: Standing,
    host: Arc<str>,
}

#[derive(Debug)]
struct Waiting {
    /// How many came to the lane before it.
    turn: u64,
    grant: oneshot::Sender<Place>,
}

#[derive(Debug, Default)]
struct Host {
    under_way: usize,
    /// In the order in which they came.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Lane {
    size: Size,
    under_way: usize,
    hosts: BTreeMap<Arc<str>, Host>,
    /// How many have come.
    turns: u64,
    next_start: Instant,
    /// Whether somebody looks again at `next_start`.
    is_watched: bool,
}

impl Default for Lanes {
    fn default() -> Self {
        Self(Arc::new([ANSWERING, UNTRIED, SILENT].map(|size| Mutex::new(Lane::new(size)))))
    }
}

impl Lanes {
    /// Waits for a place for an attempt at `host`.
    pub async fn enter(&self, standing: Standing, host: Arc<str>) -> Place {
        let (grant, granted) = oneshot::channel();
        self.lane(standing).lock().wait(host, grant);
        self.fill(standing);
        // Whoever waits is in the lane until it has a place: the sender is not dropped before.
        granted.await.unwrap_or_else(|_| unreachable!("a place is given to everybody who waits"))
    }

    /// How full each lane is.
    pub fn loads(&self) -> [Load; 3] {
        [Standing::Answering, Standing::Untried, Standing::Silent].map(|standing| {
            let lane = self.lane(standing).lock();
            let waiting = lane.hosts.values().map(|host| host.waiting.len()).sum();
            Load { lane: standing.name(), under_way: lane.under_way, waiting }
        })
    }

    fn lane(&self, standing: Standing) -> &Mutex<Lane> {
        let [answering, untried, silent] = &*self.0;
        match standing {
            Standing::Answering => answering,
            Standing::Untried => untried,
            Standing::Silent => silent,
        }
    }

    /// Gives out the places there are.
    fn fill(&self, standing: Standing) {
        let now = Instant::now();
        let (granted, look_again) = self.lane(standing).lock().take(now);
        if let Some(at) = look_again {
            let lanes = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(at).await;
                lanes.lane(standing).lock().is_watched = false;
                lanes.fill(standing);
            });
        }
        // Outside of the lock: a place that nobody takes any more is given back at once.
        for (host, grant) in granted {
            let _ = grant.send(Place { lanes: self.clone(), standing, host });
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lanes.lane(self.standing).lock().give_back(&self.host);
        self.lanes.fill(self.standing);
    }
}

/// A place that is given out: at which host, and to whom.
type Grant = (Arc<str>, oneshot::Sender<Place>);

impl Lane {
    fn new(size: Size) -> Self {
        Self {
            size,
            under_way: 0,
            hosts: BTreeMap::new(),
            turns: 0,
            next_start: Instant::now(),
            is_watched: false,
        }
    }

    fn wait(&mut self, host: Arc<str>, grant: oneshot::Sender<Place>) {
        self.turns += 1;
        self.hosts.entry(host).or_default().waiting.push_back(Waiting { turn: self.turns, grant });
    }

    /// Who has a place now, and when to look again where the next one is not given out yet.
    fn take(&mut self, now: Instant) -> (Vec<Grant>, Option<Instant>) {
        let mut granted = Vec::new();
        while self.under_way < self.size.places {
            let is_paced = self.size.paced > 0
                && self.under_way
                    >= self.size.places - usize::try_from(self.size.paced).unwrap_or(0);
            if is_paced && now < self.next_start {
                let look_again =
                    (!std::mem::replace(&mut self.is_watched, true)).then_some(self.next_start);
                return (granted, look_again);
            }
            let Some(next) = self.next() else { break };
            self.under_way += 1;
            if is_paced {
                // So many in the time that the longest takes: there is always a place when the next
                // one is due.
                self.next_start = now + LONGEST / self.size.paced;
            }
            granted.push(next);
        }
        (granted, None)
    }

    /// The next one of the host whose turn it is, if anybody may have a place. Whoever has hung up
    /// meanwhile leaves its turn to another.
    fn next(&mut self) -> Option<Grant> {
        loop {
            let is_latest_first = self.size.paced > 0;
            let free = self.hosts.iter().filter(|(_, host)| {
                host.under_way < self.size.per_host && !host.waiting.is_empty()
            });
            let turn = |host: &Host| {
                let next = if is_latest_first { host.waiting.back() } else { host.waiting.front() };
                let turn = next.map_or(0, |next| next.turn);
                (host.under_way, if is_latest_first { u64::MAX - turn } else { turn })
            };
            let name = Arc::clone(free.min_by_key(|(_, host)| turn(host))?.0);
            let host = self.hosts.get_mut(&name)?;
            let next =
                if is_latest_first { host.waiting.pop_back() } else { host.waiting.pop_front() }?;
            if next.grant.is_closed() {
                self.forget_if_idle(&name);
                continue;
            }
            host.under_way += 1;
            return Some((name, next.grant));
        }
    }

    fn give_back(&mut self, of: &Arc<str>) {
        self.under_way -= 1;
        if let Some(host) = self.hosts.get_mut(of) {
            host.under_way -= 1;
        }
        self.forget_if_idle(of);
    }

    fn forget_if_idle(&mut self, name: &Arc<str>) {
        if self.hosts.get(name).is_some_and(|host| host.under_way == 0 && host.waiting.is_empty()) {
            self.hosts.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: usize) -> Arc<str> {
        format!("h{number}.acme.dev:443").into()
    }

    /// Makes attempts at so many receivers that never answer, each its own host; they are under way
    /// or wait when this returns.
    async fn dead(lanes: &Lanes, standing: Standing, hosts: std::ops::Range<usize>) {
        for number in hosts {
            let lanes = lanes.clone();
            tokio::spawn(async move {
                let _place = lanes.enter(standing, host(number)).await;
                tokio::time::sleep(LONGEST).await;
            });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// How long an attempt of an honest receiver waits for its place.
    async fn honest(lanes: &Lanes, standing: Standing, number: usize) -> Duration {
        let start = Instant::now();
        let place = lanes.enter(standing, host(1_000_000 + number)).await;
        let waited = start.elapsed();
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(place);
        waited
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_dead_receivers_delay_neither_one_that_answers_nor_one_that_is_new() {
        let lanes = Lanes::default();
        dead(&lanes, Standing::Untried, 0..10_000).await;
        dead(&lanes, Standing::Silent, 10_000..20_000).await;
        let (mut answering, mut untried) = (Vec::new(), Vec::new());
        for number in 0..400 {
            tokio::time::sleep(Duration::from_millis(137)).await;
            answering.push(honest(&lanes, Standing::Answering, number).await);
            untried.push(honest(&lanes, Standing::Untried, number).await);
        }
        answering.sort_unstable();
        untried.sort_unstable();
        assert_eq!(answering[399], Duration::ZERO);
        assert!(
            untried[399] < Duration::from_millis(200),
            "the longest wait is {:?}",
            untried[399]
        );
        let [_, load, silent] = lanes.loads();
        assert!(
            load.waiting > 1_000 && silent.waiting > 1_000,
            "it was an attack to the end: {load:?} {silent:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_hosts_with_very_many_dead_receivers_delay_no_other_host() {
        let lanes = Lanes::default();
        for _ in 0..200 {
            dead(&lanes, Standing::Untried, 0..20).await;
        }
        let mut waits = Vec::new();
        for number in 0..200 {
            tokio::time::sleep(Duration::from_millis(137)).await;
            // A receiver of a new host, and one of those hosts' more.
            dead(&lanes, Standing::Untried, number % 20..number % 20 + 1).await;
            waits.push(honest(&lanes, Standing::Untried, number).await);
        }
        let longest = waits.into_iter().max().unwrap();
        assert!(longest < Duration::from_millis(200), "the longest wait is {longest:?}");
        assert!(lanes.loads()[1].waiting > 1_000, "it was an attack to the end");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_all_get_their_turn() {
        let lanes = Lanes::default();
        dead(&lanes, Standing::Untried, 0..5_000).await;
        dead(&lanes, Standing::Silent, 0..1_000).await;
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert!(
            lanes.loads().iter().all(|load| (load.under_way, load.waiting) == (0, 0)),
            "{:?}",
            lanes.loads()
        );
        assert!(
            lanes.0.iter().all(|lane| lane.lock().hosts.is_empty()),
            "nothing is kept of a host that nobody asks"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_host_has_so_many_places_and_leaves_the_others_theirs() {
        for (standing, per_host) in
            [(Standing::Answering, 64), (Standing::Untried, 16), (Standing::Silent, 4)]
        {
            let lanes = Lanes::default();
            for _ in 0..1_000 {
                dead(&lanes, standing, 7..8).await;
            }
            let load = lanes.loads().into_iter().find(|load| load.lane == standing.name()).unwrap();
            assert_eq!((load.under_way, load.waiting), (per_host, 1_000 - per_host));
            assert_eq!(honest(&lanes, standing, 1).await, Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_while_waiting_keeps_no_place() {
        let lanes = Lanes::default();
        for number in 0..2_000 {
            let waiting = lanes.enter(Standing::Silent, host(number));
            let _ = tokio::time::timeout(Duration::from_millis(1), waiting).await;
        }
        assert!(lanes.loads().iter().all(|load| load.under_way == 0), "{:?}", lanes.loads());
    }
}
