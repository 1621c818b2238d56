//! A source that is asked for each number: nothing leased is lost, whatever the source does and
//! wherever it stops.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use events::country::Country;
use events::lease::{Outcome, Theirs};
use events::money::Money;
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use events::{Event, account, lease, order};
use parking_lot::Mutex;
use suppliers::http::{
    Leased, Looked, PulledSms, Questions, Source, SourceError, StockLine, check,
};
use suppliers::simulator;
use telenumerus_actors::kernel::entropy::Entropy;
use telenumerus_actors::store::BoxFuture;
use telenumerus_actors::store::memory::{Failure, MemoryStore};
use world::{START, Setup, World, audit, log, open_leases};

const COST: Money = Money::from_cents(12);

/// A lease at the made-up source.
#[derive(Debug, Clone)]
struct Held {
    phone: Option<Phone>,
    outcome: Option<Outcome>,
    looks: u32,
}

/// How often it misbehaves, between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    /// Does as it is told, and is not heard of.
    timeout_after: f64,
    /// Fails before it has done anything.
    fails: f64,
    /// Leases a number that another order has, or of another country.
    wrong_number: f64,
    /// Says that a number is dead.
    dead: f64,
    /// Has no number.
    empty: f64,
}

/// A source that outlives the service's crashes, as a real one does.
#[derive(Debug, Clone)]
struct Fake {
    leases: Arc<Mutex<BTreeMap<String, Held>>>,
    faults: Faults,
    dice: Entropy,
    /// Calls that a bug ends, one after the other.
    bugs: Arc<Mutex<Vec<&'static str>>>,
}

impl Fake {
    fn new(faults: Faults, seed: u64) -> Self {
        Self { leases: Arc::default(), faults, dice: Entropy::seeded(seed), bugs: Arc::default() }
    }

    fn strike(&self, call: &str) {
        let is_next = self.bugs.lock().last().is_some_and(|next| *next == call);
        if is_next {
            self.bugs.lock().pop();
            panic!("a bug in {call}");
        }
    }

    fn open(&self) -> usize {
        self.leases
            .lock()
            .values()
            .filter(|held| held.phone.is_some() && held.outcome.is_none())
            .count()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.leases
            .lock()
            .values()
            .filter(|held| held.phone.is_some())
            .filter_map(|held| held.outcome)
            .collect()
    }

    /// What `work` comes to after the network has had its way with it.
    async fn through_the_network<T>(
        &self,
        work: impl FnOnce() -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        tokio::time::sleep(Duration::from_millis(self.dice.below(400))).await;
        if self.dice.chance(self.faults.fails) {
            return Err(SourceError::Failed("HTTP 500".to_owned()));
        }
        let done = work();
        if self.dice.chance(self.faults.timeout_after) {
            tokio::time::sleep(Duration::from_secs(6)).await;
            return Err(SourceError::TimedOut);
        }
        done
    }

    fn lease_here(&self, reference: String) -> Result<Leased, SourceError> {
        let mut leases = self.leases.lock();
        if let Some(held) = leases.get(&reference) {
            return match (&held.phone, held.outcome) {
                (Some(phone), None) => Ok(Leased { phone: phone.clone(), cost: COST }),
                _ => Err(SourceError::Refused("HTTP 410".to_owned())),
            };
        }
        if self.dice.chance(self.faults.empty) {
            return Err(SourceError::NoNumber);
        }
        let taken = leases
            .values()
            .filter(|held| held.outcome.is_none())
            .find_map(|held| held.phone.clone());
        let phone = match taken {
            Some(taken) if self.dice.chance(self.faults.wrong_number) => taken,
            _ if self.dice.chance(self.faults.wrong_number) => "+4917139200123".parse().unwrap(),
            _ => format!("+1202555{:04}", leases.len()).parse().unwrap(),
        };
        leases.insert(reference, Held { phone: Some(phone.clone()), outcome: None, looks: 0 });
        Ok(Leased { phone, cost: COST })
    }

    fn look_here(&self, reference: &str) -> Result<Looked, SourceError> {
        let mut leases = self.leases.lock();
        let held = leases.get_mut(reference).ok_or(SourceError::Unknown)?;
        held.looks += 1;
        let alive = held.outcome.is_none() && !self.dice.chance(self.faults.dead);
        let message = |number: u32, text: String| PulledSms {
            id: format!("{reference}-{number}"),
            sender: "Google".to_owned(),
            text,
            received_at: None,
        };
        let code = message(
            2,
            format!(
                "G-{:06} is your Google verification code.",
                100_000 + u32::try_from(reference.len()).unwrap()
            ),
        );
        // The same messages again at every look, and one more at the third.
        let messages = [message(1, "Welcome.".to_owned()), code]
            .into_iter()
            .take(held.looks.saturating_sub(1) as usize)
            .collect();
        Ok(Looked { alive, messages })
    }

    fn release_here(&self, reference: String, outcome: Outcome) -> Money {
        let mut leases = self.leases.lock();
        let held = leases.entry(reference).or_insert(Held { phone: None, outcome: None, looks: 0 });
        let outcome = *held.outcome.get_or_insert(outcome);
        if outcome == Outcome::Served { COST } else { Money::ZERO }
    }
}

impl Source for Fake {
    fn lease(
        &self,
        reference: String,
        _platform: Platform,
        _country: Country,
    ) -> BoxFuture<'_, Result<Leased, SourceError>> {
        Box::pin(async move { self.through_the_network(|| self.lease_here(reference)).await })
    }

    fn look(&self, reference: String) -> BoxFuture<'_, Result<Looked, SourceError>> {
        self.strike("look");
        Box::pin(async move { self.through_the_network(|| self.look_here(&reference)).await })
    }

    fn release(
        &self,
        reference: String,
        outcome: Outcome,
    ) -> BoxFuture<'_, Result<Money, SourceError>> {
        self.strike("release");
        Box::pin(async move {
            self.through_the_network(|| Ok(self.release_here(reference, outcome))).await
        })
    }

    fn stock(&self) -> BoxFuture<'_, Result<Vec<StockLine>, SourceError>> {
        Box::pin(async {
            Ok(vec![StockLine {
                platform: Platform::Google,
                country: Country::Us,
                count: 100,
                cost: COST,
            }])
        })
    }

    fn leases(&self, _since: Timestamp) -> BoxFuture<'_, Result<Vec<Theirs>, SourceError>> {
        let listed = |(reference, held): (&String, &Held)| Theirs {
            reference: reference.clone(),
            phone: held.phone.clone(),
            is_open: held.outcome.is_none(),
            cost: COST,
        };
        let leases = self.leases.lock().iter().map(listed).collect();
        Box::pin(async { Ok(leases) })
    }
}

fn setup(fake: &Fake) -> Setup {
    Setup { pull: Some(Arc::new(fake.clone())), ..Setup::default() }
}

fn live<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(life)
}

/// Nothing is left over: no lease there, none here, no order, and the log is lawful.
async fn assert_settled(store: &MemoryStore, fake: &Fake, what: &str) {
    assert_eq!(audit(store).await, (0, vec![]), "{what}");
    assert_eq!((open_leases(store).await, fake.open()), (BTreeMap::new(), 0), "{what}");
}

async fn lease_facts(store: &MemoryStore) -> Vec<String> {
    let facts = log(store).await;
    let leases = facts.iter().filter_map(|record| {
        if let Event::Lease(event) = &record.event { Some(event) } else { None }
    });
    leases
        .map(|event| match event {
            lease::Event::Sought { .. } => "sought".to_owned(),
            lease::Event::Obtained { cost, .. } => format!("obtained for {cost}"),
            lease::Event::Declined { .. } => "declined".to_owned(),
            lease::Event::ReleaseSought { outcome, .. } => {
                format!("release sought: {}", outcome.name())
            }
            lease::Event::Released { charged, .. } => format!("released for {charged}"),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_leased_number_brings_its_code_and_goes_back() {
    let fake = Fake::new(Faults::default(), 1);
    let world = World::start(MemoryStore::default(), &setup(&fake), 1, START).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let ended = world.ended(account, order).await;
    assert_eq!(
        (ended.status, ended.code.as_deref(), ended.messages().count()),
        (Status::Completed, Some("100024"), 2)
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        (fake.open(), world.pull.as_ref().unwrap().kept()),
        (1, 1),
        "the order keeps it for what still comes"
    );
    world.finish(account, order).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_settled(&world.store, &fake, "served").await;
    assert_eq!(
        lease_facts(&world.store).await,
        ["sought", "obtained for 0.12", "release sought: served", "released for 0.12"]
    );
    assert_eq!(world.pull.unwrap().kept(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_orders_number_goes_back_unused() {
    let fake = Fake::new(Faults::default(), 1);
    let world = World::start(MemoryStore::default(), &setup(&fake), 1, START).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    world.number(account, order).await;
    world.cancel(account, order, None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_settled(&world.store, &fake, "cancelled").await;
    assert_eq!(fake.outcomes(), [Outcome::Unused]);
}

#[tokio::test(start_paused = true)]
async fn an_order_cancelled_while_the_source_is_asked_leaves_nothing_there() {
    let fake = Fake::new(Faults::default(), 1);
    let world = World::start(MemoryStore::default(), &setup(&fake), 1, START).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    world.cancel(account, order, None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_settled(&world.store, &fake, "cancelled at once").await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_dies_is_replaced_by_the_next_source() {
    let fake = Fake::new(Faults { dead: 1.0, ..Faults::default() }, 1);
    let world = World::start(
        MemoryStore::default(),
        &Setup { simulator: Some(simulator::Settings::default()), ..setup(&fake) },
        1,
        START,
    )
    .await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let reached = world
        .orders
        .wait_until(account, order, |order| order.attempts == 2)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reached.assignment.as_ref().unwrap().supplier.as_str(), "simulator");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((fake.outcomes(), fake.open()), (vec![Outcome::Dead], 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_source_did_and_did_not_say_goes_back() {
    let fake = Fake::new(Faults { timeout_after: 1.0, ..Faults::default() }, 1);
    let store = MemoryStore::default();
    {
        let world = World::start(store.clone(), &setup(&fake), 1, START).await;
        let account = world.account(10).await;
        let order = world.place(account, Platform::Google).await;
        let ended = world.ended(account, order).await;
        assert_eq!(ended.status, Status::Failed);
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    // It has it back, and has not said that either: asked once more, it does.
    assert_eq!((fake.open(), open_leases(&store).await.len()), (0, 1));
    let healed = Fake { faults: Faults::default(), ..fake };
    let _world =
        World::start(store.clone(), &setup(&healed), 2, START.plus(Duration::from_mins(2))).await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_settled(&store, &healed, "timed out").await;
    assert_eq!(lease_facts(&store).await, ["sought", "release sought: unused", "released for 0"]);
}

#[tokio::test(start_paused = true)]
async fn wrong_numbers_are_not_taken() {
    let fake = Fake::new(Faults { wrong_number: 1.0, ..Faults::default() }, 1);
    let world = World::start(MemoryStore::default(), &setup(&fake), 1, START).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    assert_eq!(world.ended(account, order).await.status, Status::Failed);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_settled(&world.store, &fake, "wrong country").await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_keeper_a_bug_ends_gets_another() {
    let fake = Fake::new(Faults::default(), 1);
    *fake.bugs.lock() = vec!["release", "release", "look"];
    let world = World::start(MemoryStore::default(), &setup(&fake), 1, START).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    assert_eq!(world.ended(account, order).await.status, Status::Completed);
    world.finish(account, order).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(*fake.bugs.lock(), Vec::<&str>::new());
    assert_settled(&world.store, &fake, "bugs").await;
}

#[tokio::test(start_paused = true)]
async fn a_number_rests_from_what_it_has_served() {
    let fake = Fake::new(Faults::default(), 1);
    let world = World::start(MemoryStore::default(), &setup(&fake), 1, START).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    world.ended(account, order).await;
    world.finish(account, order).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    // The source gives the same number out again.
    fake.leases.lock().clear();
    let order = world.place(account, Platform::Google).await;
    assert_eq!(world.ended(account, order).await.status, Status::Failed);
    tokio::time::sleep(Duration::from_hours(1)).await;
    fake.leases.lock().clear();
    let order = world.place(account, Platform::Google).await;
    assert_eq!(world.ended(account, order).await.status, Status::Completed);
}

/// A short story: an order that gets its code, one that is cancelled, one more.
async fn story(world: &World, beforehand: impl FnOnce()) {
    let account = world.account(10).await;
    beforehand();
    for cancels in [false, true, false] {
        let wanted = world.wanted(Platform::Google, 1);
        let order = wanted.order;
        if world.orders.place(account, wanted, None).await.is_err() {
            continue;
        }
        if cancels {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = world.cancel(account, order, None).await;
        }
        world.ended(account, order).await;
    }
    tokio::time::sleep(Duration::from_mins(20)).await;
}

#[test]
fn a_service_stopped_behind_any_append_leaves_no_lease() {
    let whole = MemoryStore::default();
    live(async {
        story(
            &World::start(whole.clone(), &setup(&Fake::new(Faults::default(), 3)), 1, START).await,
            || {},
        )
        .await;
    });
    let facts = live(log(&whole));
    let stops: Vec<usize> = whole.stops();
    assert!(stops.len() > 10, "{} stops", stops.len());
    for cut in stops {
        let after = facts[cut - 1].at.plus(Duration::from_secs(1));
        // The source did, or did not do, what was about to be asked of it.
        for seed in 0..4 {
            let (store, fake) = (whole.cut(cut), Fake::new(Faults::default(), seed));
            live(async {
                for record in log(&store).await {
                    let Some(id) = record.stream.lease_id() else { continue };
                    match record.event {
                        Event::Lease(lease::Event::Sought { .. }) if seed % 2 == 0 => {
                            drop(fake.lease_here(id.reference()));
                        }
                        Event::Lease(lease::Event::Obtained { phone, .. }) => {
                            fake.leases.lock().insert(
                                id.reference(),
                                Held { phone: Some(phone), outcome: None, looks: 0 },
                            );
                        }
                        Event::Lease(lease::Event::ReleaseSought { outcome, .. })
                            if seed / 2 == 0 =>
                        {
                            fake.release_here(id.reference(), outcome);
                        }
                        Event::Lease(lease::Event::Released { .. }) => {
                            fake.release_here(id.reference(), Outcome::Unused);
                        }
                        _ => {}
                    }
                }
                let _world = World::start(store.clone(), &setup(&fake), 2, after).await;
                tokio::time::sleep(Duration::from_mins(20)).await;
                assert_settled(&store, &fake, &format!("cut behind event {cut}, seed {seed}"))
                    .await;
            });
        }
    }
}

#[test]
fn every_append_may_fail_before_or_after_it_was_written() {
    for failure in [Failure::BeforeWriting, Failure::AfterWriting] {
        for failing in 0..24 {
            let (store, fake) = (MemoryStore::default(), Fake::new(Faults::default(), 5));
            live(async {
                let world = World::start(store.clone(), &setup(&fake), 1, START).await;
                let failures =
                    std::iter::repeat_n(None, failing).chain([Some(failure), Some(failure)]);
                story(&world, || store.fail_next(failures)).await;
                assert_settled(&store, &fake, &format!("{failure:?} of append {failing}")).await;
            });
        }
    }
}

/// Twelve orders one after the other: some are cancelled, some appends fail.
async fn hectic_life(world: &World, store: &MemoryStore, dice: &Entropy) {
    let mut open = Vec::new();
    for _ in 0..12 {
        let account = world.account(10).await;
        open.push((account, world.place(account, Platform::Google).await));
        tokio::time::sleep(Duration::from_millis(dice.below(4_000))).await;
        if dice.chance(0.2) {
            let (account, order) = open[usize::try_from(dice.below(open.len() as u64)).unwrap()];
            let _ = world.cancel(account, order, None).await;
        }
        if dice.chance(0.1) {
            store.fail_next([Some(if dice.chance(0.5) {
                Failure::BeforeWriting
            } else {
                Failure::AfterWriting
            })]);
        }
    }
}

#[test]
fn random_faults_and_crashes_lose_no_lease() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..40 {
        let faults =
            Faults { timeout_after: 0.15, fails: 0.1, wrong_number: 0.1, dead: 0.05, empty: 0.1 };
        let (store, fake, mut now) = (MemoryStore::default(), Fake::new(faults, seed), START);
        for life in 0..3 {
            live(async {
                let own = vec!["+12025550901", "+12025550902"];
                let world = World::start(
                    store.clone(),
                    &Setup { own, ..setup(&fake) },
                    seed * 7 + life,
                    now,
                )
                .await;
                let dice = Entropy::seeded(seed * 31 + life);
                hectic_life(&world, &store, &dice).await;
            });
            now = live(log(&store))
                .iter()
                .map(|record| record.at)
                .max()
                .unwrap()
                .plus(Duration::from_secs(1));
        }
        live(async {
            let _world = World::start(store.clone(), &setup(&fake), seed, now).await;
            tokio::time::sleep(Duration::from_hours(2)).await;
            assert_settled(&store, &fake, &format!("seed {seed}")).await;
        });
        for fact in live(lease_facts(&store)) {
            *seen.entry(fact).or_default() += 1;
        }
        for record in live(log(&store)) {
            if let Event::Account(account::Event::Order(
                _,
                order::Event::AttemptFailed { reason, .. },
            )) = record.event
            {
                *seen.entry(format!("{reason:?}")).or_default() += 1;
            }
        }
    }
    // A run in which nothing went wrong proves nothing.
    for fact in [
        "release sought: served",
        "release sought: unused",
        "release sought: dead",
        "declined",
        "TimedOut",
        "SourceError",
        "NoNumber",
    ] {
        assert!(seen.get(fact).is_some_and(|count| *count >= 10), "{fact}: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_checker_is_content_with_a_good_source_and_names_what_a_bad_one_does() {
    let questions = Questions {
        platform: Platform::Google,
        country: Country::Us,
        run: "check".to_owned(),
        since: START,
        message_patience: Some(Duration::from_secs(10)),
    };
    let wrong = |findings: Vec<suppliers::http::Finding>| {
        findings
            .into_iter()
            .filter(|finding| finding.wrong.is_some())
            .map(|finding| finding.rule)
            .collect::<Vec<_>>()
    };
    let good = Fake::new(Faults::default(), 1);
    let findings = check(&good, &questions).await;
    assert!(findings.len() >= 14, "{findings:?}");
    assert_eq!((wrong(findings), good.open()), (vec![], 0));
    let bad = Fake::new(Faults { wrong_number: 1.0, ..Faults::default() }, 1);
    let named = wrong(check(&bad, &questions).await);
    assert!(
        named.contains(&"the number is of the country asked for")
            && named.contains(&"another reference is another number, or no_number"),
        "{named:?}"
    );
    let failing = Fake::new(Faults { fails: 1.0, ..Faults::default() }, 1);
    assert_eq!(wrong(check(&failing, &questions).await), ["POST leases leases a number"]);
}
