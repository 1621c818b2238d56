//! What seeds have found, told without a seed.

use std::sync::Arc;
use std::time::Duration;

use actors::account::{Listener, Settings};
use actors::kernel::clock::Clock;
use actors::kernel::entity::TransactError;
use actors::kernel::entropy::Entropy;
use actors::store::failing::FailingStore;
use actors::store::memory::{Failure, MemoryStore};
use actors::{Accounts, Fault, Journal};
use events::account::{Command, Event, Standing, State};
use events::envelope::Actor;
use events::id::AccountId;
use events::money::Money;
use parking_lot::Mutex;

use crate::life::START;

/// A book-keeper that leaves after a fault works off what was sent to it, while the next one is
/// there already and does not know. It finds out at its next append; where nothing more follows
/// from what it was asked, it went on showing what had been, and an order's runner that waited for
/// the end asked for it again and again.
#[tokio::test(start_paused = true)]
async fn an_account_shows_what_it_has_learned_also_where_nothing_follows_from_it() {
    let store = Arc::new(MemoryStore::default());
    let accounts = |seed| {
        let (clock, entropy) = (Clock::simulated(START), Entropy::seeded(seed));
        Accounts::new(Journal::new(store.clone(), clock, entropy), Settings::default())
    };
    let (one, other) = (accounts(1), accounts(2));
    let id = AccountId(7);
    one.register(id, [7; 32], "whsec_".to_owned()).await.unwrap();
    let (at, operator) = (START, || Actor::Operator("test".into()));
    let (amount, reason) = (Money::from_cents(100), || "a doubt".to_owned());
    let credit = Command::Credit { amount, reason: reason(), at };
    one.transact(id, credit, operator(), at).await.unwrap();
    let shown = async |accounts: &Accounts| {
        let published = accounts.read(id).await.unwrap();
        (published.state.standing.clone(), published.state.balance)
    };
    assert_eq!(shown(&other).await, (Standing::Good, amount));

    let suspend = || Command::Suspend { reason: reason(), at };
    one.transact(id, suspend(), operator(), at).await.unwrap();
    let decided = other.transact(id, suspend(), operator(), at).await.unwrap();
    assert!(decided.events.is_empty(), "{decided:?}");
    assert_eq!(shown(&other).await, (Standing::Suspended(reason()), amount));

    let debit = || Command::Debit { amount, reason: reason(), may_overdraw: false, at };
    one.transact(id, debit(), operator(), at).await.unwrap();
    let refused = other.transact(id, debit(), operator(), at).await;
    assert!(matches!(refused, Err(TransactError::Refused(_))), "{refused:?}");
    assert_eq!(shown(&other).await, (Standing::Suspended(reason()), Money::ZERO));
}

/// What listeners were told of an account's balance.
#[derive(Default)]
struct Told(Mutex<Vec<Money>>);

impl Listener for Told {
    fn committed(&self, _account: AccountId, _events: &[Event]) {}

    fn learned(&self, _account: AccountId, state: &State) {
        self.0.lock().push(state.balance);
    }
}

/// A fact that was written while nobody could say so, or read it, was in the log and told to
/// nobody: a webhook that was due by it waited for the next one, or for a restart.
#[tokio::test(start_paused = true)]
async fn listeners_learn_what_was_written_while_nothing_could_be_read() {
    let store = Arc::new(FailingStore::before(Arc::new(MemoryStore::default())));
    let journal = Journal::new(store.clone(), Clock::simulated(START), Entropy::seeded(1));
    let (accounts, told) = (Accounts::new(journal, Settings::default()), Arc::new(Told::default()));
    accounts.listen(told.clone());
    let (id, at, amount) = (AccountId(7), START, Money::from_cents(100));
    accounts.register(id, [7; 32], "whsec_".to_owned()).await.unwrap();
    store.fail_appends([Some(Failure::AfterWriting)]);
    store.fail_reads([true, true, true]);
    let credit = Command::Credit { amount, reason: "test".to_owned(), at };
    let unknown = accounts.transact(id, credit, Actor::Operator("test".into()), at).await;
    assert!(matches!(unknown, Err(TransactError::Fault(Fault::Unknown(_)))), "{unknown:?}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(*told.0.lock(), [amount]);
}
