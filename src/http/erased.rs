//! What was erased of an order, for its owner: nothing stands in its place, and the answer says
//! that it was erased. The words that the log has there are never shown as a code or a number.

use events::codec::Withheld;
use events::order::{Event, State};
use events::phone::Phone;

/// A text of the log for its reader; `None` where it was erased.
pub fn told(text: &str) -> Option<&str> {
    (!Withheld::is_word(text)).then_some(text)
}

/// A number of the log for its reader; `None` where it was erased.
pub fn number(phone: &Phone) -> Option<&str> {
    (!phone.is_erased()).then(|| phone.as_str())
}

/// Whether what messages of the order said is erased, its codes with it.
pub fn messages_of(order: &State) -> bool {
    order.history.iter().any(|fact| message_of(fact))
}

/// Whether the order's number is erased.
pub fn number_of(order: &State) -> bool {
    order.assignment.as_ref().is_some_and(|assignment| assignment.phone.is_erased())
}

/// Whether something that the fact said is erased.
pub fn of_fact(fact: &Event) -> bool {
    if let Event::NumberAssigned { phone, .. } = fact {
        return phone.is_erased();
    }
    message_of(fact)
}

fn message_of(fact: &Event) -> bool {
    match fact {
        Event::SmsReceived(sms) => Withheld::is_word(&sms.text),
        Event::Completed { code, .. } | Event::CodeReplaced { code, .. } => Withheld::is_word(code),
        _ => false,
    }
}
