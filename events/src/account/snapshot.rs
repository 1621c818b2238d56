//! An account's state as bytes, to load a long stream from its tail. Disposable: what cannot be read is replayed.

use std::collections::VecDeque;
use std::sync::Arc;

use bincode::{Decode, Encode};

use super::event::Event;
use super::state::{Standing, State};
use crate::codec;
use crate::id::{AccountId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::time::Timestamp;

/// Changes with the shape below: an older snapshot is then not read but replaced.
const FORMAT: u16 = 1;

#[derive(Encode, Decode)]
struct Shape {
    format: u16,
    /// Reason of the suspension, if suspended.
    suspended: Option<String>,
    id: u128,
    key_hash: [u8; 32],
    webhook_secret: String,
    registered_at: i64,
    balance: i64,
    held: i64,
    completed: u64,
    open: Vec<OrderShape>,
    recent: Vec<OrderShape>,
    deposits: Vec<u128>,
}

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
        Standing::Good => None,
        Standing::Suspended(reason) => Some(reason.clone()),
    };
    let shape = Shape {
        format: FORMAT,
        suspended,
        id: state.id.0,
        key_hash: state.key_hash,
        webhook_secret: state.webhook_secret.to_string(),
        registered_at: state.registered_at.millis(),
        balance: state.balance.micros(),
        held: state.held.micros(),
        completed: state.completed,
        open: state.open.values().map(|order| write_order(order)).collect(),
        recent: state.recent.iter().map(|order| write_order(order)).collect(),
        deposits: state.deposits.iter().map(|deposit| deposit.0).collect(),
    };
    bincode::encode_to_vec(shape, bincode::config::legacy()).ok()
}

/// The state in the bytes; `None` if they are of another format or broken.
pub fn read(bytes: &[u8]) -> Option<State> {
    let (shape, _): (Shape, usize) = bincode::decode_from_slice(bytes, bincode::config::legacy()).ok()?;
    if shape.format != FORMAT {
        return None;
    }
    let orders = |shapes: Vec<OrderShape>| shapes.iter().map(read_order).collect::<Option<Vec<_>>>();
    Some(State {
        standing: shape.suspended.map_or(Standing::Good, Standing::Suspended),
        id: AccountId(shape.id),
        key_hash: shape.key_hash,
        webhook_secret: shape.webhook_secret.into(),
        registered_at: Timestamp::from_millis(shape.registered_at),
        balance: Money::from_micros(shape.balance),
        held: Money::from_micros(shape.held),
        completed: shape.completed,
        open: orders(shape.open)?.into_iter().map(|order| (order.id, order)).collect(),
        recent: VecDeque::from(orders(shape.recent)?),
        deposits: Arc::new(shape.deposits.into_iter().map(DepositId).collect()),
    })
}

fn write_order(order: &order::State) -> OrderShape {
    let facts = order.history.iter().map(|fact| {
        let encoded = codec::encode(&Event::Order(order.id, fact.as_ref().clone()).into());
        (encoded.name.to_owned(), encoded.version, encoded.payload)
    });
    OrderShape { id: order.id.0, facts: facts.collect() }
}

fn read_order(shape: &OrderShape) -> Option<Arc<order::State>> {
    let facts = shape.facts.iter().map(|(name, version, payload)| match codec::decode(name, *version, payload) {
        Ok(crate::Event::Account(Event::Order(_, fact))) => Some(fact),
        _ => None,
    });
    let facts: Vec<order::Event> = facts.collect::<Option<_>>()?;
    order::State::from_history(OrderId(shape.id), &facts).map(Arc::new)
}
