//! Any sequence of commands against a model that knows nothing of events: the same money, the same
//! orders, and a lawful log.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use telenumerus_events::account::{Command, Event, PlaceOrder, Refusal, State};
use telenumerus_events::audit::Auditor;
use telenumerus_events::country::Country;
use telenumerus_events::decider::Decider;
use telenumerus_events::envelope::{Position, Recorded, Revision, StreamId};
use telenumerus_events::id::{AccountId, EventId, OrderId};
use telenumerus_events::money::Money;
use telenumerus_events::order::{
    self, AttemptFailure, Complaint, FailureReason, IncomingSms, Receipt, Status,
};
use telenumerus_events::platform::Platform;
use telenumerus_events::policy::Judge;
use telenumerus_events::time::Timestamp;

const ACCOUNT: AccountId = AccountId(1);
const MAX_CONCURRENT: u32 = 2;
const MAX_ATTEMPTS: u8 = 3;

/// What may be tried; numbers pick one of what is there.
#[derive(Debug, Clone)]
enum Try {
    Credit(u16),
    Place { platform: u8 },
    Assign { order: u8 },
    FailAttempt { order: u8 },
    Dead { order: u8 },
    Sms { order: u8, message: u8, kind: u8 },
    Finish { order: u8 },
    Report { order: u8, complaint: u8 },
    Cancel { order: u8 },
    Expire { order: u8, late: bool },
    Fail { order: u8 },
    Suspend,
    Reinstate,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = prop_oneof![
        2 => any::<u16>().prop_map(Try::Credit),
        6 => any::<u8>().prop_map(|platform| Try::Place { platform }),
        6 => any::<u8>().prop_map(|order| Try::Assign { order }),
        1 => any::<u8>().prop_map(|order| Try::FailAttempt { order }),
        1 => any::<u8>().prop_map(|order| Try::Dead { order }),
        5 => (any::<u8>(), 0..4u8, 0..3u8)
            .prop_map(|(order, message, kind)| Try::Sms { order, message, kind }),
        1 => any::<u8>().prop_map(|order| Try::Finish { order }),
        3 => (any::<u8>(), 0..3u8).prop_map(|(order, complaint)| Try::Report { order, complaint }),
        2 => any::<u8>().prop_map(|order| Try::Cancel { order }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(order, late)| Try::Expire { order, late }),
        1 => any::<u8>().prop_map(|order| Try::Fail { order }),
        1 => Just(Try::Suspend),
        1 => Just(Try::Reinstate),
    ];
    prop::collection::vec(one, 1..120)
}

/// An order as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ModelOrder {
    price: i64,
    status: Status,
    attempts: u8,
    /// Whether a number was ever assigned: its life then has an end.
    lived: bool,
    /// Whether it has its code and keeps its number.
    listens: bool,
    messages: Vec<u8>,
    /// Whether a message of its platform has come.
    is_named: bool,
    complaints: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Model {
    balance: i64,
    suspended: bool,
    completed: u64,
    refunded: u64,
    reports: usize,
    orders: BTreeMap<u128, ModelOrder>,
}

impl Model {
    fn open(&self) -> usize {
        self.orders.values().filter(|order| !order.status.is_end()).count()
    }

    fn held(&self) -> i64 {
        self.orders.values().filter(|order| !order.status.is_end()).map(|order| order.price).sum()
    }

    /// The price in micro-dollars by the guide's table, worked out in another way than `events`
    /// does.
    fn price(&self, list: Money) -> i64 {
        let percent = match self.completed - self.refunded {
            0..=19 => 100,
            20..=49 => 95,
            50..=99 => 90,
            _ => 85,
        };
        list.micros() * percent / 100 / 100 * 100
    }

    fn end(&mut self, id: u128, status: Status) {
        let order = self.orders.get_mut(&id).expect("only orders that exist end");
        order.status = status;
        order.listens = status == Status::Completed;
        if status == Status::Completed {
            self.completed += 1;
        } else {
            self.balance += order.price;
        }
    }
}

fn now(step: usize) -> Timestamp {
    Timestamp::from_millis(1_000_000 + i64::try_from(step).unwrap() * 10)
}

fn phone(order: u128) -> telenumerus_events::phone::Phone {
    format!("+1202555{order:04}").parse().unwrap()
}

struct Run {
    state: State,
    model: Model,
    auditor: Auditor,
    recorded: u64,
    next_order: u128,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            state: State::default(),
            model: Model::default(),
            auditor: Auditor::default(),
            recorded: 0,
            next_order: 1,
        };
        let register = Command::Register {
            id: ACCOUNT,
            key_hash: [0; 32],
            webhook_secret: String::new(),
            at: now(0),
        };
        run.apply(&register).expect("a fresh account registers");
        run
    }

    fn apply(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = self.state.decide(command)?;
        for event in &events {
            self.state = self.state.clone().evolve(event);
            self.recorded += 1;
            self.auditor.observe(&Recorded {
                id: EventId(self.recorded.into()),
                stream: StreamId::account(ACCOUNT),
                revision: Revision(self.recorded - 1),
                position: Position(self.recorded),
                at: event.at(),
                correlation: event.order(),
                event: event.clone().into(),
            });
        }
        Ok(events)
    }

    fn pick(&self, number: u8) -> Option<u128> {
        let ids: Vec<u128> = self.model.orders.keys().copied().collect();
        // Mostly one of the last: older ones have ended long ago.
        let recent = &ids[ids.len().saturating_sub(3)..];
        recent.get(usize::from(number) % recent.len().max(1)).copied()
    }

    fn order(&mut self, id: u128, command: order::Command) -> Result<Vec<Event>, Refusal> {
        self.apply(&Command::Order(OrderId(id), command))
    }

    fn step(&mut self, step: usize, attempt: &Try) {
        let at = now(step);
        match attempt {
            Try::Credit(cents) => {
                let amount = Money::from_cents(i64::from(*cents));
                let taken =
                    self.apply(&Command::Credit { amount, reason: String::new(), at }).is_ok();
                assert_eq!(taken, *cents > 0);
                self.model.balance += amount.micros();
            }
            Try::Suspend => {
                self.apply(&Command::Suspend { reason: String::new(), at }).unwrap();
                self.model.suspended = true;
            }
            Try::Reinstate => {
                self.apply(&Command::Reinstate { reason: String::new(), at }).unwrap();
                self.model.suspended = false;
            }
            Try::Place { platform } => {
                self.place(Platform::ALL[usize::from(*platform) % Platform::ALL.len()], at);
            }
            Try::Assign { order }
            | Try::FailAttempt { order }
            | Try::Dead { order }
            | Try::Fail { order }
            | Try::Finish { order }
            | Try::Cancel { order } => {
                if let Some(id) = self.pick(*order) {
                    self.simple(id, attempt, at);
                }
            }
            Try::Sms { order, message, kind } => {
                if let Some(id) = self.pick(*order) {
                    self.sms(id, *message, *kind, at);
                }
            }
            Try::Report { order, complaint } => {
                if let Some(id) = self.pick(*order) {
                    self.report(id, *complaint, at);
                }
            }
            Try::Expire { order, late } => {
                if let Some(id) = self.pick(*order) {
                    self.expire(id, *late, at);
                }
            }
        }
    }

    fn place(&mut self, platform: Platform, at: Timestamp) {
        let list_price = Money::from_cents(platform.us_price_cents());
        let price = self.model.price(list_price);
        let allowed = !self.model.suspended
            && self.model.open() < MAX_CONCURRENT as usize
            && self.model.balance >= price;
        let id = self.next_order;
        let placed = self.apply(&Command::PlaceOrder(PlaceOrder {
            order: OrderId(id),
            platform,
            country: Country::Us,
            list_price,
            max_price: None,
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_attempts: MAX_ATTEMPTS,
            listen_seconds: 300,
            max_concurrent: MAX_CONCURRENT,
            cancels: telenumerus_events::account::CancelRules::default(),
            judge: Judge::default(),
            scenario: None,
            first_answer: None,
            at,
        }));
        assert_eq!(placed.is_ok(), allowed, "{placed:?}");
        if allowed {
            self.next_order += 1;
            self.model.balance -= price;
            let (messages, complaints) = (Vec::new(), Vec::new());
            let (attempts, lived, listens, is_named) = (0, false, false, false);
            let order = ModelOrder {
                price,
                status: Status::Pending,
                attempts,
                lived,
                listens,
                messages,
                is_named,
                complaints,
            };
            self.model.orders.insert(id, order);
        }
    }

    fn simple(&mut self, id: u128, attempt: &Try, at: Timestamp) {
        let order = self.model.orders[&id].clone();
        let pending = order.status == Status::Pending;
        let supplier: telenumerus_events::supplier::SupplierName = "own".parse().unwrap();
        let (command, happens) = match attempt {
            Try::Assign { .. } => (
                order::Command::AssignNumber {
                    attempt: order.attempts + 1,
                    supplier,
                    phone: phone(id),
                    at,
                },
                pending,
            ),
            Try::FailAttempt { .. } => (
                order::Command::FailAttempt {
                    attempt: order.attempts + 1,
                    supplier,
                    reason: AttemptFailure::NoNumber,
                    at,
                },
                pending,
            ),
            Try::Dead { .. } => (
                order::Command::ReportNumberDead { attempt: order.attempts, at },
                order.status == Status::Active || order.listens,
            ),
            Try::Finish { .. } => (order::Command::Finish { at }, order.listens),
            Try::Fail { .. } => {
                (order::Command::Fail { reason: FailureReason::NoSourceLeft, at }, pending)
            }
            _ => (order::Command::Cancel { at }, !order.status.is_end()),
        };
        let events = self.order(id, command).unwrap_or_default();
        assert_eq!(!events.is_empty(), happens, "{attempt:?} on {order:?}");
        if !happens {
            return;
        }
        let last_attempt = order.attempts + 1 >= MAX_ATTEMPTS;
        let entry = self.model.orders.get_mut(&id).expect("it was just there");
        match attempt {
            Try::Assign { .. } => {
                entry.attempts += 1;
                entry.status = Status::Active;
                entry.lived = true;
            }
            Try::FailAttempt { .. } => {
                entry.attempts += 1;
                if last_attempt {
                    self.model.end(id, Status::Failed);
                }
            }
            Try::Finish { .. } | Try::Dead { .. } if order.listens => entry.listens = false,
            Try::Dead { .. } if order.attempts >= MAX_ATTEMPTS => {
                self.model.end(id, Status::Failed);
            }
            Try::Dead { .. } => entry.status = Status::Pending,
            Try::Fail { .. } => self.model.end(id, Status::Failed),
            _ => self.model.end(id, Status::Cancelled),
        }
    }

    fn sms(&mut self, id: u128, message: u8, kind: u8, at: Timestamp) {
        let order = self.model.orders[&id].clone();
        let platform =
            self.state.order(OrderId(id)).map_or(Platform::Google, |order| order.placed.platform);
        let text = match kind {
            0 => "Hello".to_owned(),
            1 => format!("Your {} verification code is 482913", platform.name()),
            _ => "Your verification code is 482913".to_owned(),
        };
        let sms = IncomingSms {
            message_id: message.to_string(),
            supplier: "own".parse().unwrap(),
            to: phone(id),
            sender: "VERIFY".to_owned(),
            text,
            receipt: Receipt::At(at),
            freed_at: None,
            hold: Vec::new(),
            at,
        };
        let events = self.order(id, order::Command::ReceiveSms(sms)).unwrap_or_default();
        let is_new =
            (order.status == Status::Active || order.listens) && !order.messages.contains(&message);
        assert_eq!(!events.is_empty(), is_new, "{order:?}");
        if !is_new {
            return;
        }
        let entry = self.model.orders.get_mut(&id).expect("it was just there");
        entry.messages.push(message);
        entry.is_named |= kind == 1;
        // Steam's codes have letters; six digits are still clearly its code when the message says
        // so. One that names nobody is for the extractor to judge.
        let has_code = events
            .iter()
            .any(|event| matches!(event, Event::Order(_, order::Event::Completed { .. })));
        assert!(kind != 0 || !has_code);
        assert!(kind != 1 || order.listens || has_code);
        if has_code {
            self.model.end(id, Status::Completed);
        }
    }

    fn report(&mut self, id: u128, complaint: u8, at: Timestamp) {
        let order = self.model.orders[&id].clone();
        let is_known = self.state.order(OrderId(id)).is_some();
        let fits = match complaint {
            0 => order.status == Status::Completed,
            1 => order.status != Status::Completed,
            _ => true,
        };
        let happens = is_known
            && order.lived
            && fits
            && !order.complaints.contains(&complaint)
            && self.model.reports < 20;
        let command =
            order::Command::Report { complaint: Complaint::ALL[usize::from(complaint)], at };
        let events = self.order(id, command).unwrap_or_default();
        assert_eq!(!events.is_empty(), happens, "{order:?} {complaint}");
        if !happens {
            return;
        }
        let is_refunded = complaint == 0
            && order.listens
            && !order.is_named
            && self.model.refunded < 1 + self.model.completed / 10;
        assert_eq!(events.len(), if is_refunded { 3 } else { 1 }, "{events:?}");
        self.model.reports += 1;
        let entry = self.model.orders.get_mut(&id).expect("it was just there");
        entry.complaints.push(complaint);
        if is_refunded {
            entry.listens = false;
            self.model.refunded += 1;
            self.model.balance += order.price;
        }
    }

    fn expire(&mut self, id: u128, late: bool, at: Timestamp) {
        let order = self.model.orders[&id].clone();
        let when = if late { at.plus(Duration::from_secs(301)) } else { at };
        let events = self.order(id, order::Command::Expire { at: when }).unwrap_or_default();
        let happens = late && (!order.status.is_end() || order.listens);
        assert_eq!(!events.is_empty(), happens, "{order:?}");
        if order.listens && happens {
            self.model.orders.get_mut(&id).expect("it was just there").listens = false;
        } else if happens {
            self.model.end(id, if order.lived { Status::Expired } else { Status::Failed });
        }
    }

    fn compare(&self) {
        assert_eq!(self.state.balance.micros(), self.model.balance);
        assert_eq!(self.state.held.micros(), self.model.held());
        assert_eq!(
            (self.state.completed, self.state.refunded),
            (self.model.completed, self.model.refunded)
        );
        assert_eq!(
            self.state.listening.len(),
            self.model.orders.values().filter(|order| order.listens).count()
        );
        assert_eq!(self.state.open.len(), self.model.open());
        for (id, order) in &self.state.open {
            assert_eq!(order.status, self.model.orders[&id.0].status);
        }
        assert!(!self.state.balance.is_negative());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_law_and_the_model_agree_at_every_step(tries in tries()) {
        let mut run = Run::new();
        for (step, attempt) in tries.iter().enumerate() {
            run.step(step, attempt);
            run.compare();
        }
        let findings = run.auditor.finish();
        prop_assert!(findings.is_empty(), "{findings:#?}");
    }

    #[test]
    fn extraction_never_panics_and_keeps_its_bounds(text in "\\PC{0,300}") {
        let message = telenumerus_events::code::Message::new(&text);
        let service = Some(Platform::Steam.service());
        let extraction = telenumerus_events::code::extract(&message, service);
        prop_assert!(extraction.candidates.len() <= 5);
    }
}
