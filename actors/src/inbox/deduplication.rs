//! The last messages of each number, whoever had it then: a message that is brought again after its
//! order has ended is not the next order's.

use std::collections::{HashMap, HashSet, VecDeque};

use events::id::OrderId;
use events::phone::Phone;
use events::supplier::SupplierName;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// Messages of a number that are remembered: more than come between a message and its repetition.
const REMEMBERED: usize = 8;

/// A number's messages, the latest last.
#[derive(Debug, Default)]
struct Number {
    /// Each by a part of its digest and of its order's id: small, for there are many numbers.
    messages: VecDeque<(u64, u64)>,
    /// Whether those from before this process are among them.
    knows_past: bool,
}

/// The last messages of numbers.
#[derive(Debug, Default)]
pub struct RecentMessages {
    /// Numbers that were on orders not long before this process: only of these there is a past to
    /// look up.
    with_past: HashSet<Phone>,
    /// Whether numbers are among them of which a keyed hash is left: then every number may be one.
    has_erased: bool,
    numbers: Mutex<HashMap<Phone, Number>>,
}

impl RecentMessages {
    /// No message yet, and a past that some numbers have.
    pub fn after(with_past: HashSet<Phone>) -> Self {
        let has_erased = with_past.iter().any(Phone::is_erased);
        Self { with_past, has_erased, numbers: Mutex::default() }
    }

    /// Whether another order had the message, or none; `None` if the number's past must be looked
    /// up first.
    pub fn was_anothers(
        &self,
        phone: &Phone,
        supplier: &SupplierName,
        message_id: &str,
        order: OrderId,
    ) -> Option<bool> {
        let message = digest(supplier, message_id);
        let numbers = self.numbers.lock();
        let number = numbers.get(phone);
        let is_it =
            |(recent, whose): &(u64, u64)| *recent == message && *whose != part(Some(order));
        let known = number.is_some_and(|number| number.messages.iter().any(is_it));
        let may_have_past = self.has_erased || self.with_past.contains(phone);
        let knows_past = number.is_some_and(|number| number.knows_past) || !may_have_past;
        (known || knows_past).then_some(known)
    }

    /// Says that an order has the message, or nobody.
    pub fn add(
        &self,
        phone: &Phone,
        supplier: &SupplierName,
        message_id: &str,
        whose: Option<OrderId>,
    ) {
        let message = (digest(supplier, message_id), part(whose));
        let mut numbers = self.numbers.lock();
        let number = numbers.entry(phone.clone()).or_default();
        if number.messages.contains(&message) {
            return;
        }
        number.messages.push_back(message);
        if number.messages.len() > REMEMBERED {
            number.messages.pop_front();
        }
    }

    /// Says what the number's messages were before this process, the latest last.
    pub fn learn<'a>(
        &self,
        phone: &Phone,
        before: impl DoubleEndedIterator<Item = (&'a SupplierName, &'a str, OrderId)>,
    ) {
        let before = before.map(|(supplier, id, order)| (digest(supplier, id), part(Some(order))));
        let mut numbers = self.numbers.lock();
        let number = numbers.entry(phone.clone()).or_default();
        for message in before.rev().take(REMEMBERED.saturating_sub(number.messages.len())) {
            number.messages.push_front(message);
        }
        number.knows_past = true;
    }
}

fn digest(supplier: &SupplierName, message_id: &str) -> u64 {
    let digest = Sha256::new_with_prefix(supplier.as_str())
        .chain_update([0])
        .chain_update(message_id)
        .finalize();
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

/// The random part of an order's id; 0 for no order.
fn part(order: Option<OrderId>) -> u64 {
    order.map_or(0, |order| u64::try_from(order.0 & u128::from(u64::MAX)).expect("64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_order_had_is_known_and_what_is_its_own_is_not_anothers() {
        let (phone, supplier): (Phone, SupplierName) =
            ("+12025550123".parse().unwrap(), "acme".parse().unwrap());
        let recent = RecentMessages::after(HashSet::from([phone.clone()]));
        let was =
            |id: &str, order: u128| recent.was_anothers(&phone, &supplier, id, OrderId(order));
        assert_eq!(was("m1", 1), None);
        assert_eq!(
            RecentMessages::default().was_anothers(&phone, &supplier, "m1", OrderId(1)),
            Some(false),
            "there is no past"
        );
        recent.add(&phone, &supplier, "m1", Some(OrderId(1)));
        // What is known for certain needs no past.
        assert_eq!((was("m1", 2), was("m1", 1), was("m2", 2)), (Some(true), None, None));
        recent.learn(&phone, [(&supplier, "m0", OrderId(7))].into_iter());
        assert_eq!(
            (was("m0", 2), was("m1", 1), was("m2", 2)),
            (Some(true), Some(false), Some(false))
        );
        recent.add(&phone, &supplier, "kept", None);
        assert_eq!(was("kept", 2), Some(true));
        for number in 0..REMEMBERED {
            recent.add(&phone, &supplier, &format!("n{number}"), Some(OrderId(3)));
        }
        assert_eq!(was("m1", 2), Some(false), "memory is bounded");
    }
}
