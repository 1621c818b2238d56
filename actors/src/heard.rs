//! The last messages of each number, whoever had it then: a message that is brought again after its order has ended is not the next order's.

use std::collections::{HashMap, VecDeque};

use events::id::OrderId;
use events::phone::Phone;
use events::supplier::SupplierName;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// Messages of a number that are remembered: more than come between a message and its repetition.
const REMEMBERED: usize = 16;

/// A message by a part of its digest, and the order that had it; `None` for one that no order had.
type Message = (u64, Option<OrderId>);

/// The last messages of numbers. What was before this process is looked up once a number.
#[derive(Debug, Default)]
pub struct Heard {
    numbers: Mutex<HashMap<Phone, VecDeque<Message>>>,
}

impl Heard {
    /// Whether another order had the message, or none; `None` if nothing is known of the number yet.
    pub fn was_anothers(&self, phone: &Phone, supplier: &SupplierName, message_id: &str, order: OrderId) -> Option<bool> {
        let message = digest(supplier, message_id);
        let numbers = self.numbers.lock();
        let known = numbers.get(phone)?;
        Some(known.iter().any(|(heard, whose)| *heard == message && *whose != Some(order)))
    }

    /// Says that an order has the message, or nobody.
    pub fn add(&self, phone: &Phone, supplier: &SupplierName, message_id: &str, whose: Option<OrderId>) {
        let message = digest(supplier, message_id);
        if let Some(known) = self.numbers.lock().get_mut(phone) {
            push(known, (message, whose));
        }
    }

    /// Says what the number's messages were before this process, the latest last.
    pub fn learn<'a>(&self, phone: &Phone, before: impl IntoIterator<Item = (&'a SupplierName, &'a str, OrderId)>) {
        let before: Vec<_> = before.into_iter().map(|(supplier, id, order)| (digest(supplier, id), Some(order))).collect();
        let mut numbers = self.numbers.lock();
        let known = numbers.entry(phone.clone()).or_default();
        for message in before {
            push(known, message);
        }
    }
}

fn digest(supplier: &SupplierName, message_id: &str) -> u64 {
    let digest = Sha256::new_with_prefix(supplier.as_str()).chain_update([0]).chain_update(message_id).finalize();
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

fn push(known: &mut VecDeque<Message>, message: Message) {
    known.push_back(message);
    if known.len() > REMEMBERED {
        known.pop_front();
    }
}
