//! Keys of an account: added, taken away, replaced by an operator.

use super::*;
use crate::account::ApiKeyRefusal;
use crate::account::keyring::MAX_API_KEYS;
use crate::id::ApiKeyId;

const FIRST: ApiKeyId = ApiKeyId(7);

fn add(id: u128, at: Timestamp) -> Command {
    Command::AddApiKey { id: ApiKeyId(id), name: format!("key {id}"), hash: [2; 32], at }
}

fn held(state: &State) -> Vec<u128> {
    state.api_keys.iter().map(|key| key.id.0).collect()
}

#[test]
fn registration_gives_the_first_key_and_its_owner_adds_and_removes_others() {
    let state =
        given(State::default(), &[registered()]).when(&add(8, NOW)).then(&[Event::ApiKeyAdded {
            id: ApiKeyId(8),
            name: "key 8".to_owned(),
            hash: [2; 32],
            at: NOW,
        }]);
    assert_eq!(held(&state), [7, 8]);
    assert_eq!(
        (&*state.api_keys.get(FIRST).unwrap().name, state.api_keys.get(FIRST).unwrap().hash),
        ("first", [1; 32])
    );
    given(state.clone(), &[]).when(&add(8, NOW)).then_nothing();
    let remove = Command::RemoveApiKey { id: FIRST, at: NOW };
    let state =
        given(state, &[]).when(&remove).then(&[Event::ApiKeyRemoved { id: FIRST, at: NOW }]);
    assert_eq!(held(&state), [8]);
    given(state.clone(), &[])
        .when(&remove)
        .then_refused(&Refusal::ApiKey(ApiKeyRefusal::ApiKeyNotFound));
    given(state.clone(), &[])
        .when(&Command::RemoveApiKey { id: ApiKeyId(8), at: NOW })
        .then_refused(&Refusal::ApiKey(ApiKeyRefusal::LastApiKey));
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()).unwrap(), state);
}

#[test]
fn an_account_has_so_many_keys() {
    let mut state = fold(State::default(), &[registered()]);
    for id in 100..100 + u128::try_from(MAX_API_KEYS).unwrap() - 1 {
        let events = state.decide(&add(id, NOW)).unwrap();
        state = fold(state, &events);
    }
    given(state, &[])
        .when(&add(99, NOW))
        .then_refused(&Refusal::ApiKey(ApiKeyRefusal::TooManyApiKeys));
}

#[test]
fn an_operator_s_replacement_leaves_one_key_and_nothing_else_changes() {
    let state = fold(
        with_open_order(),
        &[Event::ApiKeyAdded { id: ApiKeyId(8), name: "x".to_owned(), hash: [2; 32], at: NOW }],
    );
    let replace = Command::ReplaceApiKeys {
        id: ApiKeyId(9),
        hash: [3; 32],
        reason: "lost".to_owned(),
        at: NOW,
    };
    let replaced = Event::ApiKeysReplaced {
        id: ApiKeyId(9),
        hash: [3; 32],
        reason: "lost".to_owned(),
        at: NOW,
    };
    let after = given(state.clone(), &[]).when(&replace).then(&[replaced]);
    assert_eq!(held(&after), [9]);
    assert_eq!(State { api_keys: state.api_keys.clone(), ..after }, state);
}

#[test]
fn no_hash_is_ever_shown() {
    let added =
        Event::ApiKeyAdded { id: ApiKeyId(8), name: "x".to_owned(), hash: [0xab; 32], at: NOW };
    let replaced = Event::ApiKeysReplaced {
        id: ApiKeyId(8),
        hash: [0xab; 32],
        reason: "x".to_owned(),
        at: NOW,
    };
    let state = fold(State::default(), &[registered(), added.clone()]);
    for shown in [format!("{added:?}"), format!("{replaced:?}"), format!("{:?}", state.api_keys)] {
        assert!(!shown.contains("171") && !shown.contains("hash"), "{shown}");
    }
}
