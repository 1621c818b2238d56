//! Terms as scenarios: each is taken once, and released once.

use super::*;
use crate::spec::given;

const NOW: Timestamp = Timestamp::from_millis(5_000);

fn leader() -> Leader {
    Leader {
        node: "north".to_owned(),
        url: "https://north.example.com".to_owned(),
        version: "0.1.0".to_owned(),
        configuration: [7; 32],
    }
}

fn taken() -> Event {
    Event::Taken { leader: leader(), at: NOW }
}

fn released() -> Event {
    Event::Released { reason: "SIGTERM".to_owned(), at: NOW }
}

fn take() -> Command {
    Command::Take { leader: leader(), at: NOW }
}

fn release() -> Command {
    Command::Release { reason: "SIGTERM".to_owned(), at: NOW }
}

#[test]
fn a_term_is_taken_once() {
    given(State::default(), &[]).when(&take()).then(&[taken()]);
    given(State::default(), &[taken()]).when(&take()).then_refused(&Refusal::TakenBefore);
    given(State::default(), &[taken(), released()])
        .when(&take())
        .then_refused(&Refusal::TakenBefore);
}

#[test]
fn a_term_is_released_once_and_only_after_it_was_taken() {
    given(State::default(), &[taken()]).when(&release()).then(&[released()]);
    given(State::default(), &[taken(), released()]).when(&release()).then_nothing();
    given(State::default(), &[]).when(&release()).then_refused(&Refusal::NeverTaken);
}
