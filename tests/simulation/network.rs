//! The world of numbers outside the service: it goes on while the process is down. Platforms send
//! messages to numbers on orders; what carries them repeats, delays, mistakes and misdates them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actors::inbox::{Delivery, InboundSms};
use actors::kernel::clock::Clock;
use actors::numbers::Lease;
use actors::{Inbox, Orders};
use events::id::OrderId;
use events::number::Unclaimed;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::dice::Dice;
use crate::life::{REST, numbers_of};
use crate::marks::{Mark, Marks};

/// What a source says of when it received a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    Honest,
    WholeSeconds,
    None,
    Of1970,
    Future,
}

/// A message under way, by true time.
#[derive(Debug, Clone)]
pub struct Letter {
    pub supplier: SupplierName,
    pub to: Phone,
    pub message_id: String,
    pub text: String,
    pub code: Option<String>,
    pub stamp: Stamp,
    pub sent: Timestamp,
    pub arrives: Timestamp,
}

/// A message that the service has taken from its source, and what it said.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub letter: Letter,
    pub delivery: Delivery,
    /// Records in the log by then.
    pub records: usize,
    /// When, by true time.
    pub at: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    under_way: BTreeMap<u64, Letter>,
    /// Handed to a process, which has not answered.
    handed_over: BTreeMap<u64, Letter>,
    deaths: Vec<(Timestamp, Lease)>,
    assigned: BTreeSet<(OrderId, u8)>,
    sent: Vec<Letter>,
    acknowledged: Vec<Acknowledged>,
    next: u64,
}

/// The world outside. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Network {
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
    pub dice: Dice,
    pub marks: Marks,
}

impl Network {
    pub fn new(seed: u64, marks: Marks) -> Self {
        Self { state: Arc::default(), news: Arc::default(), dice: Dice::of(seed, 2), marks }
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        let state = self.state.lock();
        state.under_way.is_empty() && state.handed_over.is_empty() && state.deaths.is_empty()
    }

    pub fn sent(&self) -> Vec<Letter> {
        self.state.lock().sent.clone()
    }

    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.state.lock().acknowledged.clone()
    }

    /// A process starts: what the one before it has not answered is brought again.
    pub fn bring_again(&self, now: Timestamp) {
        let mut state = self.state.lock();
        let unanswered = std::mem::take(&mut state.handed_over);
        for (id, letter) in unanswered {
            let arrives = now.plus(Duration::from_secs(1));
            state.under_way.insert(id, Letter { arrives, ..letter });
        }
    }

    /// A number is on an order: its platform writes to it, once, in one of the ways things go.
    pub fn assigned(&self, lease: &Lease, now: Timestamp) {
        if !self.state.lock().assigned.insert((lease.order, lease.attempt)) {
            return;
        }
        let dice = &self.dice;
        if dice.chance(20) && lease.supplier.as_str() == "remote" {
            let dies = now.plus(Duration::from_secs(dice.pick(&[0, 1, 5, 10])));
            let mut state = self.state.lock();
            state.deaths.push((dies, lease.clone()));
            // Said again, when the order may have another number.
            if dice.chance(50) {
                let again = dies.plus(Duration::from_secs(dice.pick(&[1, 5, 15])));
                state.deaths.push((again, lease.clone()));
            }
        }
        if dice.chance(12) {
            // Meant for whoever had the number before.
            let early = now.minus(Duration::from_secs(dice.pick(&[2, 10, 30])));
            self.send(lease, early, now.plus(Duration::from_secs(1)), true);
        }
        if dice.chance(75) {
            let sent = now.plus(Duration::from_secs(dice.pick(&[0, 1, 2, 5, 10, 20, 40, 60, 70])));
            self.send(lease, sent, sent, !dice.chance(8));
            if dice.chance(25) {
                let again = sent.plus(Duration::from_secs(dice.pick(&[1, 10, 30, 130])));
                self.send(lease, again, again, true);
            }
        }
        self.news.notify_one();
    }

    fn send(&self, lease: &Lease, sent: Timestamp, arrives: Timestamp, has_code: bool) {
        let dice = &self.dice;
        let never_says = lease.supplier.as_str() == "silent";
        let stamp = match dice.below(20) {
            _ if never_says => Stamp::None,
            0 => Stamp::Of1970,
            1 => Stamp::Future,
            2 => Stamp::WholeSeconds,
            _ => Stamp::Honest,
        };
        let late = if dice.chance(25) { dice.pick(&[1, 5, 30, 50, 100, 300]) } else { 0 };
        // What never says when is never later than its numbers rest.
        let late = if never_says { late.min(REST.as_secs() - 10) } else { late };
        let mut state = self.state.lock();
        state.next += 1;
        let id = state.next;
        let code = has_code.then(|| format!("{:06}", 100_000 + id * 7_919 % 899_999));
        let text = code.as_ref().map_or_else(
            || format!("Your new device was added ({})", "x".repeat(1 + dice.index(7))),
            |code| format!("Your verification code is {code}"),
        );
        let mut letter = Letter {
            supplier: lease.supplier.clone(),
            to: lease.phone.clone(),
            message_id: format!("m{id}"),
            text,
            code,
            stamp,
            sent,
            arrives: arrives.plus(Duration::from_secs(late)),
        };
        if dice.chance(6) {
            let others = numbers_of(lease.supplier.as_str());
            letter.to =
                if dice.chance(30) { "+12025550999" } else { dice.pick(others) }.parse().unwrap();
        }
        state.sent.push(letter.clone());
        if dice.chance(20) {
            let again = letter.arrives.plus(Duration::from_secs(dice.pick(&[0, 1, 40, 90, 150])));
            // A message that was brought once is known, however late it is brought again.
            state.next += 1;
            let place = state.next;
            state.under_way.insert(place, Letter { arrives: again, ..letter.clone() });
        }
        state.under_way.insert(id, letter);
    }

    fn due(&self, now: Timestamp) -> (Vec<(u64, Letter)>, Vec<Lease>) {
        let mut state = self.state.lock();
        let due: Vec<u64> = state
            .under_way
            .iter()
            .filter(|(_, letter)| letter.arrives <= now)
            .map(|(id, _)| *id)
            .collect();
        let letters: Vec<_> =
            due.into_iter().filter_map(|id| Some((id, state.under_way.remove(&id)?))).collect();
        for (id, letter) in &letters {
            state.handed_over.insert(*id, letter.clone());
        }
        let (dead, alive) =
            std::mem::take(&mut state.deaths).into_iter().partition(|(at, _)| *at <= now);
        state.deaths = alive;
        let dead: Vec<(Timestamp, Lease)> = dead;
        (letters, dead.into_iter().map(|(_, lease)| lease).collect())
    }

    fn next_due(&self) -> Option<Timestamp> {
        let state = self.state.lock();
        let letters = state.under_way.values().map(|letter| letter.arrives);
        letters.chain(state.deaths.iter().map(|(at, _)| *at)).min()
    }

    /// Carries messages to a process for as long as it lives.
    pub async fn carry(self, inbox: Inbox, orders: Orders, clock: Clock, records: impl Records) {
        loop {
            let now = clock.now();
            let (letters, dead) = self.due(now);
            for (id, letter) in letters {
                let (network, inbox, records) = (self.clone(), inbox.clone(), records.clone());
                tokio::spawn(async move {
                    let answer = inbox.deliver(sms(&letter)).await;
                    network.answered(id, letter, answer.ok(), clock.now(), records.count());
                });
            }
            for lease in dead {
                let orders = orders.clone();
                self.marks.see(Mark::DeadNumber);
                tokio::spawn(async move { orders.report_dead(&lease).await });
            }
            let sleep = self.next_due().map_or(Duration::from_hours(1), |next| next.since(now));
            let _ = tokio::time::timeout(sleep, self.news.notified()).await;
        }
    }

    fn answered(
        &self,
        id: u64,
        letter: Letter,
        delivery: Option<Delivery>,
        now: Timestamp,
        records: usize,
    ) {
        let mut state = self.state.lock();
        state.handed_over.remove(&id);
        let Some(delivery) = delivery else {
            let arrives = now.plus(Duration::from_secs(2));
            state.under_way.insert(id, Letter { arrives, ..letter });
            drop(state);
            return self.news.notify_one();
        };
        self.marks.see(match delivery {
            Delivery::Taken(_) => Mark::Taken,
            Delivery::Repeated => Mark::Repeated,
            Delivery::Kept(Unclaimed::NotAssigned) => Mark::KeptNotAssigned,
            Delivery::Kept(Unclaimed::UnknownNumber) => Mark::KeptUnknownNumber,
            Delivery::Kept(Unclaimed::OrderEnded | Unclaimed::TooManyMessages) => {
                Mark::KeptOrderEnded
            }
        });
        match letter.stamp {
            Stamp::Of1970 => self.marks.see(Mark::ClockOf1970),
            Stamp::Future => self.marks.see(Mark::ClockOfTheFuture),
            Stamp::WholeSeconds => self.marks.see(Mark::WholeSeconds),
            Stamp::Honest | Stamp::None => {}
        }
        if now.since(letter.sent) > Duration::from_mins(1) {
            self.marks.see(Mark::Late);
        }
        state.acknowledged.push(Acknowledged { letter, delivery, records, at: now });
    }
}

/// Says how many records the log has.
pub trait Records: Clone + Send + Sync + 'static {
    fn count(&self) -> usize;
}

impl Records for crate::disk::Disk {
    fn count(&self) -> usize {
        self.log.len()
    }
}

fn sms(letter: &Letter) -> InboundSms {
    let received_at = match letter.stamp {
        Stamp::None => None,
        Stamp::Honest => Some(letter.sent),
        Stamp::WholeSeconds => Some(Timestamp::from_millis(letter.sent.millis() / 1_000 * 1_000)),
        Stamp::Of1970 => Some(Timestamp::from_millis(60_000)),
        Stamp::Future => Some(letter.sent.plus(Duration::from_hours(1))),
    };
    InboundSms {
        supplier: letter.supplier.clone(),
        message_id: letter.message_id.clone(),
        to: letter.to.clone(),
        sender: "Sender".to_owned(),
        text: letter.text.clone(),
        received_at,
    }
}
