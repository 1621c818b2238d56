//! The callers of a run: what a script has them ask of the process that runs, each call by itself.

use std::sync::Arc;

use events::account::idempotency::KeyUse;
use events::account::{CancelRules, Command, OrderRefusal, PlaceBatch, PlaceOrder, Refusal};
use events::country::Country;
use events::envelope::Actor;
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::Complaint;
use events::platform::Platform;
use events::policy::{self, Judge, Policy, Rule, Ruling};
use parking_lot::Mutex;

use crate::answers::{Answers, No, Seen, Told};
use crate::life::{Life, Outside};
use crate::receivers::{DEAD, URL};
use crate::script::{ACCOUNTS, What};

/// What callers know of their accounts. Cloning shares it.
#[derive(Clone)]
pub struct Callers {
    pub answers: Answers,
    pub known: Arc<Mutex<Known>>,
}

/// Accounts, and the orders that each has asked for.
#[derive(Default)]
pub struct Known {
    pub accounts: Vec<AccountId>,
    pub orders: Vec<Vec<OrderId>>,
}

impl Callers {
    pub fn new(answers: Answers) -> Self {
        Self { answers, known: Arc::default() }
    }

    /// Opens the accounts of a run, with money for a few orders each.
    pub async fn register(&self, life: &Life, outside: &Outside, dead: bool) {
        for dollars in [20, 10, 2, 1].into_iter().take(ACCOUNTS) {
            let journal = life.accounts.journal();
            let (id, at) = (journal.entropy().account_id(journal.now()), journal.now());
            life.accounts.register(id, [7; 32], "whsec_".to_owned()).await.unwrap();
            let amount = Money::from_cents(dollars * 100);
            let credit = Command::Credit { amount, reason: "test".to_owned(), at };
            life.accounts.transact(id, credit, operator(), at).await.unwrap();
            if outside.has_webhooks {
                let url = if dead && dollars == 1 { DEAD } else { URL }.to_owned();
                let set = Command::SetWebhook { url, threshold: Money::from_cents(100), at };
                life.accounts.transact(id, set, Actor::Owner, at).await.unwrap();
            }
            if let (Some(coins), Some(deposits)) = (&outside.coins, &life.deposits) {
                coins.address(deposits, id).await;
            }
            let mut known = self.known.lock();
            known.accounts.push(id);
            known.orders.push(Vec::new());
        }
    }

    fn order(&self, account: usize, order: usize) -> Option<(AccountId, OrderId)> {
        let known = self.known.lock();
        let orders = &known.orders[account];
        // The latest first: those are open.
        let place = orders.len().checked_sub(1 + order % orders.len().max(1))?;
        Some((known.accounts[account], orders[place]))
    }

    fn asked_for(&self, account: usize, orders: &[OrderId]) -> AccountId {
        let mut known = self.known.lock();
        known.orders[account].extend_from_slice(orders);
        known.accounts[account]
    }

    /// Has a caller do what the script says, if that is a caller's; its answer comes when it comes.
    pub fn call(&self, life: &Life, what: &What) {
        match *what {
            What::Place { account, platform, slots, key } => {
                self.place(life, account, wanted(life, platform, slots), key, 1);
            }
            What::PlaceOther { account, key } => {
                self.place(life, account, wanted(life, 0, 3), Some(key), 2);
            }
            What::Batch { account, orders, key } => self.batch(life, account, orders, key),
            What::Cancel { account, order, key } => self.cancel(life, account, order, key),
            What::Finish { account, order } => self.finish(life, account, order),
            What::Report { account, order, complaint } => {
                self.report(life, account, order, Complaint::ALL[complaint % 3]);
            }
            What::Trespass { account, order } => self.trespass(life, account, order),
            What::Credit { account } => self.operate(life, account, |at| Command::Credit {
                amount: Money::from_cents(150),
                reason: "more".to_owned(),
                at,
            }),
            What::Suspend { account } => self
                .operate(life, account, |at| Command::Suspend { reason: "a doubt".to_owned(), at }),
            What::Reinstate { account } => self.operate(life, account, |at| Command::Reinstate {
                reason: "no doubt".to_owned(),
                at,
            }),
            What::Policy { denies } => apply(life, denies),
            What::Pay { .. }
            | What::Mine { .. }
            | What::Reorganise { .. }
            | What::FailChain
            | What::HealChain
            | What::FailAppend { .. }
            | What::FailRead
            | What::SlowAppends { .. }
            | What::SetClock { .. }
            | What::SlowClock { .. }
            | What::Crash { .. }
            | What::CrashBehind { .. } => {}
        }
    }

    fn ask(
        &self,
        life: &Life,
        account: AccountId,
        answer: impl Future<Output = Told> + Send + 'static,
    ) {
        let (answers, accounts) = (self.answers.clone(), life.accounts.clone());
        tokio::spawn(async move {
            answers.of(account, answer).await;
            let Ok(Some(published)) = accounts.find(account).await else { return };
            let state = &published.state;
            let shown = state.open.values().chain(state.listening.values());
            answers.seen(
                account,
                Seen {
                    revision: published.revision,
                    position: published.position,
                    balance: state.balance,
                    held: state.held,
                    orders: shown
                        .map(|order| (order.id, order.status, order.code.clone()))
                        .collect(),
                },
            );
        });
    }

    fn place(&self, life: &Life, account: usize, wanted: PlaceOrder, key: Option<u8>, body: u8) {
        let (orders, order) = (life.orders.clone(), wanted.order);
        let account = self.asked_for(account, &[order]);
        let used = key.map(|key| used(life, key, body));
        self.ask(life, account, async move {
            let is = orders.place(account, wanted, used).await;
            let is = is.map(|(order, replayed)| (order, replayed.0)).map_err(No::from);
            Told::Placed { order, key: key.filter(|_| body == 1), is }
        });
    }

    fn batch(&self, life: &Life, account: usize, count: usize, key: Option<u8>) {
        let rows: Vec<_> = (0..count).map(|place| wanted(life, place, 3)).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.order).collect();
        let account = self.asked_for(account, &ids);
        // A body is part of what a key names: batches of other lengths have other keys.
        let key = key.map(|key| 20 + key * 10 + u8::try_from(count).unwrap());
        let (orders, used) = (life.orders.clone(), key.map(|key| used(life, key, 1)));
        let batch = PlaceBatch { orders: rows, at: life.accounts.journal().now() };
        self.ask(life, account, async move {
            let is = orders.place_batch(account, batch, used).await;
            let is = is.map(|(items, replayed)| (items, replayed.0)).map_err(No::from);
            Told::Batch { orders: ids, is }
        });
    }

    fn cancel(&self, life: &Life, account: usize, order: usize, key: Option<u8>) {
        let Some((account, order)) = self.order(account, order) else { return };
        let (accounts, orders) = (life.accounts.clone(), life.orders.clone());
        let used = key.map(|key| {
            // The order is in the path: part of what the key names.
            let mut used = used(life, key, 1);
            used.fingerprint[..16].copy_from_slice(&order.0.to_be_bytes());
            used
        });
        self.ask(life, account, async move {
            let is = match accounts.order(account, order).await {
                Ok(Some(known)) => orders
                    .cancel(account, &known, used)
                    .await
                    .map(|replayed| replayed.0)
                    .map_err(No::from),
                Ok(None) => Err(not_found()),
                Err(fault) => Err(fault.into()),
            };
            Told::Cancelled { order, is }
        });
    }

    fn finish(&self, life: &Life, account: usize, order: usize) {
        let Some((account, order)) = self.order(account, order) else { return };
        let (accounts, orders) = (life.accounts.clone(), life.orders.clone());
        self.ask(life, account, async move {
            let is = match accounts.order(account, order).await {
                Ok(Some(known)) => {
                    orders.finish(account, &known, Actor::Owner).await.map_err(No::from)
                }
                Ok(None) => Err(not_found()),
                Err(fault) => Err(fault.into()),
            };
            Told::Finished { order, is }
        });
    }

    fn report(&self, life: &Life, account: usize, order: usize, complaint: Complaint) {
        let Some((account, order)) = self.order(account, order) else { return };
        let orders = life.orders.clone();
        self.ask(life, account, async move {
            let is = orders.report(account, order, complaint).await.map_err(No::from);
            Told::Reported { order, complaint, is }
        });
    }

    fn trespass(&self, life: &Life, account: usize, order: usize) {
        let Some((_, order)) = self.order(account, order) else { return };
        let stranger = self.known.lock().accounts[(account + 1) % ACCOUNTS];
        let (accounts, at) = (life.accounts.clone(), life.accounts.journal().now());
        self.ask(life, stranger, async move {
            let cancel = events::order::Command::Cancel { at };
            let is = accounts.transact_order(stranger, order, cancel, Actor::Owner, at).await;
            Told::Trespassed { is: is.map(drop).map_err(No::from) }
        });
    }

    fn operate(
        &self,
        life: &Life,
        account: usize,
        command: impl FnOnce(events::time::Timestamp) -> Command,
    ) {
        let account = self.known.lock().accounts[account];
        let (accounts, at) = (life.accounts.clone(), life.accounts.journal().now());
        let command = command(at);
        self.ask(life, account, async move {
            let credits = matches!(command, Command::Credit { .. });
            let is = accounts.transact(account, command, operator(), at).await;
            let is = is.map(drop).map_err(No::from);
            if credits { Told::Credited { is } } else { Told::Suspended { is } }
        });
    }
}

fn apply(life: &Life, denies: bool) {
    let (policies, at) = (life.policies.clone(), life.accounts.journal().now());
    let apply = policy::Command::Apply {
        policy: policy(denies),
        replaces: None,
        by: "test".to_owned(),
        basis: "a trial".to_owned(),
        at,
    };
    tokio::spawn(async move { policies.transact(&apply, operator()).await.map(drop) });
}

fn policy(denies: bool) -> Policy {
    let rule = Rule {
        id: "no-second".parse().unwrap(),
        platforms: vec![Platform::ALL[1]],
        countries: Vec::new(),
        classes: Vec::new(),
        ruling: Ruling::Deny,
        reason: "a trial".to_owned(),
        basis: String::new(),
    };
    Policy { rules: if denies { vec![rule] } else { Vec::new() }, ..Policy::default() }
}

fn not_found() -> No {
    No::Refused(Refusal::Order(OrderRefusal::NotFound))
}

fn operator() -> Actor {
    Actor::Operator("test".into())
}

fn used(life: &Life, key: u8, body: u8) -> KeyUse {
    let at = life.accounts.journal().now();
    KeyUse { key: format!("key-{key}").parse().unwrap(), fingerprint: [body; 32], at }
}

fn wanted(life: &Life, platform: usize, max_concurrent: u32) -> PlaceOrder {
    let journal = life.accounts.journal();
    let at = journal.now();
    PlaceOrder {
        order: journal.entropy().order_id(at),
        platform: Platform::ALL[platform % Platform::ALL.len()],
        country: Country::Us,
        list_price: Money::from_cents(50),
        max_price: None,
        lifetime_seconds: 60,
        seek_seconds: 20,
        // Some may ask more often than there are sources.
        max_attempts: if platform == 3 { 5 } else { 3 },
        listen_seconds: 60,
        max_concurrent,
        cancels: CancelRules { free_per_hour: 1, pause_seconds: 30, max_pause_seconds: 60 },
        judge: Judge { policy: life.policies.in_force(), real_numbers: true },
        scenario: None,
        first_answer: None,
        at,
    }
}
