//! Parts of an account's facts as numbers, for events and snapshots alike.

use crate::account::batch::{BatchItem, ItemRefusal};
use crate::account::idempotency::Effect;
use crate::id::{DepositId, OrderId};
use crate::money::Money;

/// An effect's number, and the id it is about.
pub fn effect_parts(effect: Effect) -> (u8, u128) {
    match effect {
        Effect::Order(order) => (0, order.0),
        Effect::Batch => (1, 0),
        Effect::Cancel(order) => (2, order.0),
        Effect::Deposit(deposit) => (3, deposit.0),
        Effect::Operator => (4, 0),
    }
}

/// The effect of these parts.
pub fn effect_of(kind: u8, subject: u128) -> Result<Effect, String> {
    match kind {
        0 => Ok(Effect::Order(OrderId(subject))),
        1 => Ok(Effect::Batch),
        2 => Ok(Effect::Cancel(OrderId(subject))),
        3 => Ok(Effect::Deposit(DepositId(subject))),
        4 => Ok(Effect::Operator),
        other => Err(format!("effect {other}")),
    }
}

/// An order of a batch: its id, how it was refused, and the refusal's two amounts.
pub fn item_parts(item: &BatchItem) -> (u128, u8, i64, i64) {
    let (refused, first, second) = match item.refused {
        None => (0, Money::ZERO, Money::ZERO),
        Some(ItemRefusal::InsufficientBalance { needed, available }) => (1, needed, available),
        Some(ItemRefusal::PriceAboveMaximum { price, max_price }) => (2, price, max_price),
    };
    (item.order.0, refused, first.micros(), second.micros())
}

/// The order of a batch in these parts.
pub fn item_of((order, refused, first, second): (u128, u8, i64, i64)) -> Result<BatchItem, String> {
    let (first, second) = (Money::from_micros(first), Money::from_micros(second));
    let refused = match refused {
        0 => None,
        1 => Some(ItemRefusal::InsufficientBalance { needed: first, available: second }),
        2 => Some(ItemRefusal::PriceAboveMaximum { price: first, max_price: second }),
        other => return Err(format!("refusal {other}")),
    };
    Ok(BatchItem { order: OrderId(order), refused })
}
