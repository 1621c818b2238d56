//! Invites: used so often, until a day, by nobody twice.

use super::*;
use crate::spec::given;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_500_000_000 + seconds * 1_000)
}

fn created(uses: u32) -> Event {
    Event::Created {
        id: InviteId(1),
        hash: [7; 32],
        uses,
        expires_at: at(100),
        note: "for ada".to_owned(),
        at: at(0),
    }
}

fn wanted(account: u128, seconds: i64) -> Command {
    Command::Use { hash: [7; 32], account: AccountId(account), at: at(seconds) }
}

fn used(account: u128, seconds: i64) -> Event {
    Event::Used { id: InviteId(1), account: AccountId(account), at: at(seconds) }
}

#[test]
fn an_invite_opens_as_many_accounts_as_it_says() {
    given(State::default(), &[created(2)]).when(&wanted(1, 1)).then(&[used(1, 1)]);
    given(State::default(), &[created(2), used(1, 1)]).when(&wanted(2, 2)).then(&[used(2, 2)]);
    let spent = [created(2), used(1, 1), used(2, 2)];
    given(State::default(), &spent).when(&wanted(3, 3)).then_refused(&Refusal::NotValid);
    given(State::default(), &spent).when(&wanted(2, 3)).then_nothing();
}

#[test]
fn an_invite_that_is_over_revoked_or_unknown_opens_nothing_and_none_of_these_is_told_apart() {
    let refused = Refusal::NotValid;
    given(State::default(), &[created(1)]).when(&wanted(1, 100)).then_refused(&refused);
    let revoked = Event::Revoked { id: InviteId(1), reason: "leaked".to_owned(), at: at(5) };
    given(State::default(), &[created(1), revoked]).when(&wanted(1, 6)).then_refused(&refused);
    given(State::default(), &[]).when(&wanted(1, 1)).then_refused(&refused);
}

#[test]
fn an_invite_says_how_often_until_when_and_for_whom() {
    let create = |uses, seconds, note: &str| Command::Create {
        id: InviteId(1),
        hash: [7; 32],
        uses,
        expires_at: at(seconds),
        note: note.to_owned(),
        at: at(0),
    };
    given(State::default(), &[]).when(&create(1, 100, "for ada")).then(&[created(1)]);
    for (command, refusal) in [
        (create(0, 100, "x"), Refusal::Uses),
        (create(MOST_USES + 1, 100, "x"), Refusal::Uses),
        (create(1, 0, "x"), Refusal::Ended),
        (create(1, 100, " "), Refusal::NoText),
    ] {
        given(State::default(), &[]).when(&command).then_refused(&refusal);
    }
}
