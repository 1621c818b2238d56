//! An account's state as bytes, to load a long stream from its tail. Disposable: what cannot be
//! read is replayed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bincode::{Decode, Encode};

use super::admission::Admission;
use super::batch::BatchItem;
use super::event::Event;
use super::idempotency::{Effect, Keys, Remembered};
use super::keyring::{HeldKey, Keyring};
use super::recent::Recent;
use super::state::{Standing, State, Webhook};
use super::test_mode::Mode;
use crate::codec::{self, Wire};
use crate::country::Country;
use crate::id::{AccountId, ApiKeyId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::platform::Platform;
use crate::policy::{Class, Conduct, RuleId};
use crate::time::Timestamp;

/// Changes with the shape below: an older snapshot is then not read but replaced.
const FORMAT: u16 = 10;

/// The live account that a test account belongs to, if to one.
#[derive(Encode, Decode)]
struct TestOf(Option<u128>);

#[derive(Encode, Decode)]
struct Shape {
    format: u16,
    /// Reason of the suspension, if suspended.
    suspended: Option<String>,
    /// Whether it was closed, whether it was ever used, since when it might have been, and bytes
    /// that it caused without money.
    unused: (bool, bool, i64, u64),
    /// Whether it waits for an operator, and why one has said no.
    admission: (bool, Option<String>),
    /// The terms that it accepted.
    terms: Option<String>,
    id: u128,
    /// Whether it is for tests, and the live account that it then belongs to.
    test: Option<TestOf>,
    test_account: Option<u128>,
    /// Id, name, hash and since when of each key.
    api_keys: Vec<(u128, String, [u8; 32], i64)>,
    webhook_secret: String,
    previous_secret: Option<(String, i64)>,
    /// Where, threshold, since when.
    webhook: Option<(String, i64, i64)>,
    webhook_sequence: u64,
    registered_at: i64,
    balance: i64,
    held: i64,
    completed: u64,
    refunded: u64,
    reports: Vec<i64>,
    open: Vec<OrderShape>,
    queue: Vec<u128>,
    listening: Vec<OrderShape>,
    recent: Vec<OrderShape>,
    /// Which, and what it brought; the same of those too small.
    deposits: Vec<(u128, i64)>,
    dust: Vec<(u128, i64)>,
    keys: Vec<KeyShape>,
    /// Moments of cancels and of webhook tests.
    cancels: Vec<i64>,
    tests: Vec<i64>,
    conduct: ConductShape,
}

/// An account's class and figures.
#[derive(Encode, Decode)]
struct ConductShape {
    class: u8,
    day: i64,
    orders: Vec<(String, u32)>,
    numbers: Vec<u64>,
    refused: Vec<(String, String, String)>,
    with_number: Vec<u128>,
    /// The last orders that got a code, those that were cancelled, and how many these are of.
    ended: (u64, u64, u32),
}

#[derive(Encode, Decode)]
struct KeyShape {
    digest: u128,
    fingerprint: [u8; 32],
    /// As in the event's frozen shape.
    effect: (u8, u128),
    batch: Option<Vec<ItemShape>>,
    let_go: Vec<u128>,
    at: i64,
}

/// An order of a batch, in its frozen shape.
type ItemShape = <BatchItem as Wire>::Disk;

/// An order as its facts, in their frozen shapes: the order's state needs no shape of its own.
#[derive(Encode, Decode)]
struct OrderShape {
    id: u128,
    facts: Vec<(String, u16, Vec<u8>)>,
}

/// The state as bytes; `None` for an account that nobody has registered.
pub fn write(state: &State) -> Option<Vec<u8>> {
    let suspended = match &state.standing {
        Standing::Unregistered => return None,
        Standing::Good | Standing::Removed => None,
        Standing::Suspended(reason) => Some(reason.clone()),
    };
    let shape = Shape {
        format: FORMAT,
        suspended,
        unused: write_unused(state),
        admission: write_admission(&state.admission),
        terms: state.terms.as_deref().map(str::to_owned),
        id: state.id.0,
        test: write_mode(state.mode),
        test_account: state.test_account.map(|account| account.0),
        api_keys: state
            .api_keys
            .iter()
            .map(|key| (key.id.0, key.name.to_string(), key.hash, key.since.millis()))
            .collect(),
        webhook_secret: state.webhook_secret.to_string(),
        previous_secret: state
            .previous_secret
            .as_ref()
            .map(|(secret, until)| (secret.to_string(), until.millis())),
        webhook: state.webhook.as_ref().map(|webhook| {
            (webhook.url.to_string(), webhook.threshold.micros(), webhook.since.millis())
        }),
        webhook_sequence: state.webhook_sequence,
        registered_at: state.registered_at.millis(),
        balance: state.balance.micros(),
        held: state.held.micros(),
        completed: state.completed,
        refunded: state.refunded,
        reports: state.reports.iter().map(|at| at.millis()).collect(),
        listening: state.listening.values().map(|order| write_order(order)).collect(),
        open: state.open.values().map(|order| write_order(order)).collect(),
        queue: state.queue.iter().map(|order| order.0).collect(),
        recent: state.recent.iter().map(|order| write_order(order)).collect(),
        deposits: write_deposits(&state.deposits),
        dust: write_deposits(&state.dust),
        keys: state.keys.entries().map(|(digest, known)| write_key(digest, known)).collect(),
        cancels: state.cancels.moments().map(Timestamp::millis).collect(),
        tests: state.tests.moments().map(Timestamp::millis).collect(),
        conduct: write_conduct(&state.conduct),
    };
    bincode::encode_to_vec(shape, bincode::config::legacy()).ok()
}

/// The state in the bytes; `None` if they are of another format or broken.
pub fn read(bytes: &[u8]) -> Option<State> {
    let (shape, _): (Shape, usize) =
        bincode::decode_from_slice(bytes, bincode::config::legacy()).ok()?;
    if shape.format != FORMAT {
        return None;
    }
    let orders =
        |shapes: Vec<OrderShape>| shapes.iter().map(read_order).collect::<Option<Vec<_>>>();
    let open: BTreeMap<OrderId, Arc<order::State>> =
        orders(shape.open)?.into_iter().map(|order| (order.id, order)).collect();
    let keys = shape.keys.into_iter().map(read_key).collect::<Option<Vec<_>>>()?;
    let keys = Keys::from_entries(keys, |order| open.contains_key(&order));
    let (is_removed, is_used, usable_since, unfunded_bytes) = shape.unused;
    let otherwise = if is_removed { Standing::Removed } else { Standing::Good };
    Some(State {
        standing: shape.suspended.map_or(otherwise, Standing::Suspended),
        is_used,
        usable_since: Timestamp::from_millis(usable_since),
        unfunded_bytes,
        admission: read_admission(shape.admission),
        terms: shape.terms.map(Into::into),
        id: AccountId(shape.id),
        mode: shape.test.map_or(Mode::Live, |TestOf(of)| Mode::Test { of: of.map(AccountId) }),
        test_account: shape.test_account.map(AccountId),
        api_keys: Keyring::from_keys(shape.api_keys.into_iter().map(read_api_key).collect()),
        webhook_secret: shape.webhook_secret.into(),
        previous_secret: shape
            .previous_secret
            .map(|(secret, until)| (secret.into(), Timestamp::from_millis(until))),
        webhook: shape.webhook.map(|(url, threshold, since)| Webhook {
            url: url.into(),
            threshold: Money::from_micros(threshold),
            since: Timestamp::from_millis(since),
        }),
        webhook_sequence: shape.webhook_sequence,
        conduct: read_conduct(shape.conduct, Timestamp::from_millis(shape.registered_at))?,
        registered_at: Timestamp::from_millis(shape.registered_at),
        balance: Money::from_micros(shape.balance),
        held: Money::from_micros(shape.held),
        completed: shape.completed,
        refunded: shape.refunded,
        reports: shape.reports.into_iter().map(Timestamp::from_millis).collect(),
        open,
        listening: orders(shape.listening)?.into_iter().map(|order| (order.id, order)).collect(),
        queue: shape.queue.into_iter().map(OrderId).collect(),
        recent: VecDeque::from(orders(shape.recent)?),
        deposits: Arc::new(read_deposits(shape.deposits)),
        dust: Arc::new(read_deposits(shape.dust)),
        keys,
        cancels: Recent::from_moments(shape.cancels.into_iter().map(Timestamp::from_millis)),
        tests: Recent::from_moments(shape.tests.into_iter().map(Timestamp::from_millis)),
        batch: None,
    })
}

fn write_unused(state: &State) -> (bool, bool, i64, u64) {
    let is_removed = state.standing == Standing::Removed;
    (is_removed, state.is_used, state.usable_since.millis(), state.unfunded_bytes)
}

fn write_admission(admission: &Admission) -> (bool, Option<String>) {
    match admission {
        Admission::Given => (false, None),
        Admission::Awaited => (true, None),
        Admission::Declined(reason) => (true, Some(reason.clone())),
    }
}

fn read_admission(admission: (bool, Option<String>)) -> Admission {
    match admission {
        (_, Some(reason)) => Admission::Declined(reason),
        (true, None) => Admission::Awaited,
        (false, None) => Admission::Given,
    }
}

fn write_conduct(conduct: &Conduct) -> ConductShape {
    let refused = conduct
        .refused
        .iter()
        .map(|(platform, country, rule)| (platform.freeze(), country.freeze(), rule.freeze()));
    ConductShape {
        class: conduct.class.freeze(),
        day: conduct.day,
        orders: conduct
            .orders
            .iter()
            .map(|(platform, count)| (platform.freeze(), *count))
            .collect(),
        numbers: conduct.numbers.iter().copied().collect(),
        refused: refused.collect(),
        with_number: conduct.with_number.iter().map(|order| order.0).collect(),
        ended: (conduct.completed, conduct.cancelled, conduct.ended),
    }
}

fn read_conduct(shape: ConductShape, registered_at: Timestamp) -> Option<Conduct> {
    let orders = shape
        .orders
        .into_iter()
        .map(|(platform, count)| Platform::thaw(platform).ok().map(|platform| (platform, count)));
    let refused = shape.refused.into_iter().map(|(platform, country, rule)| {
        let platform = Platform::thaw(platform).ok()?;
        Some((platform, Country::thaw(country).ok()?, RuleId::thaw(rule).ok()?))
    });
    let (completed, cancelled, ended) = shape.ended;
    Some(Conduct {
        class: Class::thaw(shape.class).ok()?,
        registered_at,
        day: shape.day,
        orders: orders.collect::<Option<_>>()?,
        numbers: shape.numbers.into_iter().collect(),
        refused: refused.collect::<Option<_>>()?,
        with_number: shape.with_number.into_iter().map(OrderId).collect(),
        completed,
        cancelled,
        ended,
    })
}

fn write_mode(mode: Mode) -> Option<TestOf> {
    match mode {
        Mode::Live => None,
        Mode::Test { of } => Some(TestOf(of.map(|account| account.0))),
    }
}

fn read_api_key((id, name, hash, since): (u128, String, [u8; 32], i64)) -> HeldKey {
    HeldKey { id: ApiKeyId(id), name: name.into(), hash, since: Timestamp::from_millis(since) }
}

fn write_deposits(deposits: &BTreeMap<DepositId, Money>) -> Vec<(u128, i64)> {
    deposits.iter().map(|(deposit, amount)| (deposit.0, amount.micros())).collect()
}

fn read_deposits(shapes: Vec<(u128, i64)>) -> BTreeMap<DepositId, Money> {
    shapes
        .into_iter()
        .map(|(deposit, amount)| (DepositId(deposit), Money::from_micros(amount)))
        .collect()
}

fn write_key(digest: u128, known: &Remembered) -> KeyShape {
    let batch = known.batch.as_ref().map(|items| items.iter().map(Wire::freeze).collect());
    let (effect, let_go) =
        (known.effect.freeze(), known.let_go.iter().map(|order| order.0).collect());
    KeyShape {
        digest,
        fingerprint: known.fingerprint,
        effect,
        batch,
        let_go,
        at: known.at.millis(),
    }
}

fn read_key(shape: KeyShape) -> Option<(u128, Remembered)> {
    let effect = Effect::thaw(shape.effect).ok()?;
    let items = shape.batch.map(|items| {
        items
            .into_iter()
            .map(|parts| BatchItem::thaw(parts).ok())
            .collect::<Option<Vec<BatchItem>>>()
    });
    let batch = match items {
        Some(items) => Some(items?.into()),
        None => None,
    };
    let (let_go, at) =
        (shape.let_go.into_iter().map(OrderId).collect(), Timestamp::from_millis(shape.at));
    Some((shape.digest, Remembered { fingerprint: shape.fingerprint, effect, batch, let_go, at }))
}

fn write_order(order: &order::State) -> OrderShape {
    let facts = order.history.iter().map(|fact| {
        let encoded = codec::encode(&Event::Order(order.id, fact.as_ref().clone()).into());
        (encoded.name.to_owned(), encoded.version, encoded.payload)
    });
    OrderShape { id: order.id.0, facts: facts.collect() }
}

fn read_order(shape: &OrderShape) -> Option<Arc<order::State>> {
    let facts = shape.facts.iter().map(|(name, version, payload)| {
        match codec::decode(name, *version, payload) {
            Ok(crate::Event::Account(Event::Order(_, fact))) => Some(fact),
            _ => None,
        }
    });
    let facts: Vec<order::Event> = facts.collect::<Option<_>>()?;
    order::State::from_history(OrderId(shape.id), &facts).map(Arc::new)
}
