//! The account of a small world as its log makes it, and what never holds of it.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use telenumerus_events::account::idempotency::{Keys, Remembered};
use telenumerus_events::account::{Command, Event, State};
use telenumerus_events::audit::Auditor;
use telenumerus_events::codec;
use telenumerus_events::decider::{Decider, fold};
use telenumerus_events::envelope::{Position, Recorded, Revision, StreamId};
use telenumerus_events::id::{AccountId, EventId, OrderId};
use telenumerus_events::money::Money;
use telenumerus_events::order::{self, Status};

use crate::request::{MAX_ATTEMPTS, MOMENTS, Request, key_use, moment};

const ACCOUNT: AccountId = AccountId(1);

/// Orders that a key names.
type Named = BTreeSet<u8>;

/// The account, and what was said to its caller.
#[derive(Clone)]
pub struct World {
    pub account: State,
    /// The same, made of its events' bytes.
    replayed: State,
    /// One of the logs that make it, by appends.
    log: Arc<Vec<Vec<Event>>>,
    /// The account as its snapshot: two worlds whose accounts are the same are one.
    identity: Vec<u8>,
    /// Which moment it is.
    now: usize,
    /// The most that may run at a time.
    max_concurrent: u32,
    /// What was answered under each key.
    told: [Named; 2],
    /// Whether an order's id was used before.
    used: BTreeSet<u8>,
    /// Invariants that do not hold, and of what.
    broken: BTreeSet<(&'static str, String)>,
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
            && (self.now, &self.told, &self.used) == (other.now, &other.told, &other.used)
            && self.broken.is_empty() == other.broken.is_empty()
    }
}

/// What its log says, an append a line.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "moment {}, told {:?}, {:?}", self.now, self.told, self.broken)?;
        self.log.iter().try_for_each(|append| writeln!(f, "  {append:?}"))
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity.hash(state);
        (self.now, &self.told, &self.used, self.broken.is_empty()).hash(state);
    }
}

impl World {
    /// An account with so many cents that may run so many orders at a time.
    pub fn new(credit: i64, max_concurrent: u32) -> Self {
        let mut world = Self {
            account: State::default(),
            replayed: State::default(),
            log: Arc::default(),
            identity: Vec::new(),
            now: 0,
            max_concurrent,
            told: Default::default(),
            used: BTreeSet::new(),
            broken: BTreeSet::new(),
        };
        let at = moment(0);
        let register =
            Command::Register { id: ACCOUNT, key_hash: [0; 32], webhook_secret: String::new(), at };
        let (amount, reason) = (Money::from_cents(credit), String::new());
        for command in [register, Command::Credit { amount, reason, at }] {
            let events = world.account.decide(&command).unwrap();
            world.append(events);
        }
        world
    }

    /// Whether the request can be made: of an order that is there, or of one whose id is fresh. A
    /// retry is the key's next arrival.
    pub fn can_arrive(&self, request: &Request) -> bool {
        match request {
            Request::Place { orders, .. } => !orders.iter().any(|order| self.used.contains(order)),
            request => request.order().is_none_or(|order| self.used.contains(&order)),
        }
    }

    pub fn status(&self, order: u8) -> Option<Status> {
        self.account.order(OrderId(order.into())).map(|order| order.status)
    }

    pub fn order(&self, order: u8) -> Option<&Arc<order::State>> {
        self.account.order(OrderId(order.into()))
    }

    /// The names of what does not hold: each is found once.
    pub fn holds(&self, id: &str) -> bool {
        !self.broken.iter().any(|(broken, _)| *broken == id)
    }

    /// Whether nothing at all was found.
    pub fn is_lawful(&self) -> bool {
        self.broken.is_empty()
    }

    pub fn later(&self) -> Option<Self> {
        (self.now + 1 < MOMENTS.len()).then(|| Self { now: self.now + 1, ..self.clone() })
    }

    /// The world after a request has arrived; `None` where that changes nothing.
    pub fn after(&self, request: &Request, is_answered: bool) -> Option<Self> {
        let command = request.command(self.max_concurrent, moment(self.now));
        let mut next = self.clone();
        let decided = self.account.decide(&command);
        if let Ok(events) = &decided
            && !events.is_empty()
        {
            next.append(events.clone());
            next.judge();
            // The same once more, for its answer was lost: it has been done.
            if next.account.decide(&command).is_ok_and(|again| !again.is_empty()) {
                let id = if matches!(request, Request::Place { .. }) { "I1" } else { "S3" };
                next.broken.insert((id, format!("{request:?} is done twice")));
            }
        }
        if let (Request::Place { key, .. }, true, Ok(_)) = (request, is_answered, &decided) {
            next.answer(*key);
        }
        (next != *self).then_some(next)
    }

    /// The caller of a key learns which orders it names. What it was told before is so still, but
    /// for orders that have ended without a code.
    fn answer(&mut self, key: u8) {
        let named = self.named(key);
        for before in self.told[usize::from(key)].difference(&named) {
            let has_let_go = self.status(*before).is_none_or(|status| {
                matches!(status, Status::Cancelled | Status::Expired | Status::Failed)
            });
            if !has_let_go {
                let detail = format!("key {key} named {before}, and does not");
                self.broken.insert(("I1", detail));
            }
        }
        self.told[usize::from(key)] = named;
    }

    fn named(&self, key: u8) -> Named {
        let at = moment(self.now);
        let known = self.account.keys.get(&key_use(key, at).key, at);
        let orders = known.into_iter().flat_map(Remembered::orders);
        orders.map(|order| u8::try_from(order.0).unwrap()).collect()
    }

    fn append(&mut self, events: Vec<Event>) {
        self.account = fold(std::mem::take(&mut self.account), &events);
        let read: Vec<Event> = events.iter().map(read_again).collect();
        self.replayed = fold(std::mem::take(&mut self.replayed), &read);
        for event in &events {
            if let Event::Order(OrderId(order), order::Event::Placed(_)) = event {
                self.used.insert(u8::try_from(*order).unwrap());
            }
        }
        Arc::make_mut(&mut self.log).push(events);
        self.identity = self.account.snapshot().unwrap();
    }

    fn judge(&mut self) {
        let mut broken = self.audited();
        broken.extend(Tally::of(&self.log).judge(self));
        broken.extend(self.started_again());
        broken.extend(self.quiet());
        self.broken.extend(broken);
    }

    /// What `telenumerus audit verify` says of the log.
    fn audited(&self) -> Vec<(&'static str, String)> {
        let mut auditor = Auditor::default();
        for (index, event) in (0..).zip(self.log.iter().flatten()) {
            auditor.observe(&Recorded {
                id: EventId(u128::from(index) + 1),
                stream: StreamId::account(ACCOUNT),
                revision: Revision(index),
                position: Position(index + 1),
                at: event.at(),
                correlation: event.order(),
                event: event.clone().into(),
            });
        }
        auditor.finish().into_iter().map(|finding| (finding.rule, finding.detail)).collect()
    }

    /// A process that starts now makes the same account of the events' bytes, and of the snapshot.
    fn started_again(&self) -> Option<(&'static str, String)> {
        let read = State::from_snapshot(&self.identity).unwrap();
        let other = [("events", &self.replayed), ("snapshot", &read)]
            .into_iter()
            .find(|(_, other)| !is_same(other, &self.account))?;
        Some(("E5", differences(other.0, other.1, &self.account)))
    }

    /// Once nobody asks for anything and every deadline has passed, nothing is held.
    fn quiet(&self) -> Option<(&'static str, String)> {
        let mut account = self.account.clone();
        for (hours, order) in (1..).zip(self.used.iter().cycle().take(2 * self.used.len())) {
            let at = moment(MOMENTS.len() - 1).plus(Duration::from_hours(hours));
            let expire = Command::Order(OrderId((*order).into()), order::Command::Expire { at });
            let events = account.decide(&expire).unwrap_or_default();
            account = fold(account, &events);
        }
        let is_quiet =
            account.held == Money::ZERO && account.open.is_empty() && account.listening.is_empty();
        (!is_quiet).then(|| ("M6", format!("{account:?}")))
    }
}

/// The event of its bytes.
fn read_again(event: &Event) -> Event {
    let encoded = codec::encode(&event.clone().into());
    let decoded = codec::decode(encoded.name, encoded.version, &encoded.payload);
    decoded.unwrap().try_into().unwrap()
}

/// Whether two accounts are one. Of a key that is free again, one of them may still have its time.
fn is_same(one: &State, other: &State) -> bool {
    let without_keys = |state: &State| {
        let mut state = state.clone();
        state.keys = Keys::default();
        state
    };
    one.snapshot() == other.snapshot() && without_keys(one) == without_keys(other)
}

/// In which of its parts an account that was made anew is another one.
fn differences(of: &str, one: &State, other: &State) -> String {
    let parts = [
        ("standing", one.standing != other.standing),
        ("money", (one.balance, one.held) != (other.balance, other.held)),
        ("orders", (&one.open, &one.recent) != (&other.open, &other.recent)),
        ("listening", one.listening != other.listening),
        ("cancels", one.cancels != other.cancels),
        ("reports", one.reports != other.reports),
        ("conduct", one.conduct != other.conduct),
        ("counts", (one.completed, one.refunded) != (other.completed, other.refunded)),
    ];
    let names = parts.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name);
    format!("made of its {of} it has other {}", names.collect::<Vec<_>>().join(", "))
}

/// The money of a log, counted by another way than the ledger's.
#[derive(Default)]
pub struct Tally {
    credited: i64,
    held: i64,
    completed: u64,
    broken: Vec<(&'static str, String)>,
}

impl Tally {
    fn of(log: &[Vec<Event>]) -> Self {
        let mut tally = Self::default();
        let mut held: Vec<(OrderId, i64)> = Vec::new();
        let mut paid: Vec<OrderId> = Vec::new();
        for append in log {
            for event in append {
                match event {
                    Event::Credited { amount, .. } => tally.credited += amount.micros(),
                    Event::Debited { amount, .. } => tally.credited -= amount.micros(),
                    Event::HoldTaken { order, amount, .. } => {
                        held.push((*order, amount.micros()));
                    }
                    Event::HoldCaptured { order, amount, .. } => {
                        let has = |wanted: fn(&order::Event) -> bool| {
                            let facts = append.iter().filter_map(|event| match event {
                                Event::Order(of, fact) if of == order => Some(fact),
                                _ => None,
                            });
                            facts.into_iter().any(wanted)
                        };
                        let has_code = has(|fact| matches!(fact, order::Event::Completed { .. }));
                        let has_message = has(|fact| matches!(fact, order::Event::SmsReceived(_)));
                        if !(has_code && has_message) {
                            tally.broken.push(("M5", format!("{order} was paid without a code")));
                        }
                        tally.end_hold(&mut held, *order, amount.micros());
                        tally.credited -= amount.micros();
                        tally.completed += 1;
                        paid.push(*order);
                    }
                    Event::HoldReleased { order, amount, .. } => {
                        tally.end_hold(&mut held, *order, amount.micros());
                    }
                    Event::CaptureRefunded { order, amount, .. } => {
                        if !paid.contains(order) {
                            tally.broken.push(("M1", format!("{order} was refunded unpaid")));
                        }
                        paid.retain(|of| of != order);
                        tally.credited += amount.micros();
                    }
                    _ => {}
                }
            }
        }
        tally.held = held.iter().map(|(_, amount)| amount).sum();
        tally
    }

    fn end_hold(&mut self, held: &mut Vec<(OrderId, i64)>, order: OrderId, amount: i64) {
        let before = held.len();
        held.retain(|of| *of != (order, amount));
        if held.len() + 1 != before {
            self.broken.push(("M4", format!("{order}: a hold ended that was none")));
        }
    }

    fn judge(mut self, world: &World) -> Vec<(&'static str, String)> {
        let account = &world.account;
        let mut say = |fits: bool, id: &'static str, detail: String| {
            if !fits {
                self.broken.push((id, detail));
            }
        };
        let (balance, held) = (account.balance.micros(), account.held.micros());
        say(held == self.held, "M2", format!("{held} is held, and the log says {}", self.held));
        say(balance + held == self.credited, "M2", format!("{balance} and {held} are there"));
        say(balance >= 0, "M3", format!("the balance is {balance}"));
        say(account.completed == self.completed, "M9", format!("{} completed", account.completed));
        let running = account.running();
        let may_run = usize::try_from(world.max_concurrent).unwrap();
        say(running <= may_run, "O1", format!("{running} run at a time"));
        for order in account.open.values() {
            say(order.attempts <= MAX_ATTEMPTS, "O4", format!("{}: too many attempts", order.id));
        }
        self.broken
    }
}
