//! Accounts for tests: their orders are free, follow scenarios, and have numbers that are made up.
//! A live account has at most one beside it.

use super::command::{Command, TestKey};
use super::event::Event;
use super::refusal::{Refusal, StandingRefusal};
use super::state::{Standing, State};
use crate::id::{AccountId, ApiKeyId, DepositId, OrderId};
use crate::money::Money;
use crate::order::{self, Scenario};
use crate::time::Timestamp;

/// What [`Scenario::DepositReorg`] credits and takes back.
pub const REORG_AMOUNT: Money = Money::from_cents(500);

/// Whether an account's orders are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Orders cost money and have real numbers.
    #[default]
    Live,
    /// Orders are free and follow scenarios.
    Test {
        /// The live account that it belongs to, if to one.
        of: Option<AccountId>,
    },
}

impl State {
    /// Whether its orders are tests.
    pub fn is_test(&self) -> bool {
        matches!(self.mode, Mode::Test { .. })
    }

    /// The live account that a test account belongs to.
    pub fn live_account(&self) -> Option<AccountId> {
        match self.mode {
            Mode::Live => None,
            Mode::Test { of } => of,
        }
    }

    /// Opens an account for tests that belongs to no other.
    pub(super) fn register_for_tests(
        &self,
        id: AccountId,
        key_hash: [u8; 32],
        webhook_secret: &str,
        at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        if self.standing != Standing::Unregistered {
            return Err(StandingRefusal::AlreadyRegistered.into());
        }
        let registered =
            Event::Registered { id, key_hash, webhook_secret: webhook_secret.to_owned(), at };
        Ok(vec![registered, Event::OpenedForTests { of: None, at }])
    }

    /// A key of a live account's test account, which is opened with its first. Registration's own
    /// key has no name to choose: the first takes its place.
    pub(super) fn add_test_key(&self, wanted: &TestKey) -> Result<Vec<Event>, Refusal> {
        let TestKey { account, live, id, name, hash, webhook_secret, at } = wanted;
        match self.standing {
            Standing::Unregistered => Ok(vec![
                Event::Registered {
                    id: *account,
                    key_hash: *hash,
                    webhook_secret: webhook_secret.clone(),
                    at: *at,
                },
                Event::OpenedForTests { of: Some(*live), at: *at },
                Event::ApiKeyAdded { id: *id, name: name.clone(), hash: *hash, at: *at },
                Event::ApiKeyRemoved { id: ApiKeyId(account.0), at: *at },
            ]),
            Standing::Good | Standing::Suspended(_) if self.live_account() == Some(*live) => {
                Ok(self.api_keys.add(*id, name, *hash, *at)?)
            }
            Standing::Good | Standing::Suspended(_) => Err(StandingRefusal::WrongMode.into()),
            // A live account's is never closed by itself.
            Standing::Removed => Err(StandingRefusal::Removed.into()),
        }
    }

    /// The account gets a test account beside it; the one it has stays.
    pub(super) fn open_test_account(
        &self,
        id: AccountId,
        at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        self.is_admitted()?;
        match (self.is_test(), self.test_account) {
            (true, _) => Err(StandingRefusal::WrongMode.into()),
            (false, Some(_)) => Ok(Vec::new()),
            (false, None) => Ok(vec![Event::TestAccountOpened { id, at }]),
        }
    }

    /// Test accounts order by scenarios, and no others do: a number that costs money is never a
    /// test's, nor a made-up one a caller's who pays.
    pub(super) fn check_mode(&self, scenario: Option<Scenario>) -> Result<(), Refusal> {
        if self.is_test() == scenario.is_some() {
            Ok(())
        } else {
            Err(StandingRefusal::WrongMode.into())
        }
    }

    /// Money never enters or leaves a test account by an operator's hand.
    pub(super) fn refuses_money(&self, command: &Command) -> bool {
        self.is_test() && matches!(command, Command::Credit { .. } | Command::Debit { .. })
    }
}

/// The facts that choose an order's scenario, after its hold.
pub(super) fn chosen(order: OrderId, scenario: Scenario, at: Timestamp) -> Vec<Event> {
    let mut facts = vec![Event::Order(order, order::Event::ScenarioChosen { scenario, at })];
    if scenario == Scenario::DepositReorg {
        facts.push(Event::DepositCredited { deposit: deposit_of(order), amount: REORG_AMOUNT, at });
    }
    facts
}

/// What the end of a test order does beside its hold.
pub(super) fn at_the_end_of(order: &order::State, fact: &order::Event) -> Option<Event> {
    let reverses = fact.is_end() && order.scenario == Some(Scenario::DepositReorg);
    reverses.then(|| Event::DepositReversed {
        deposit: deposit_of(order.id),
        amount: REORG_AMOUNT,
        at: fact.at(),
    })
}

/// The deposit of a test order: no chain has it, and no other order.
pub const fn deposit_of(order: OrderId) -> DepositId {
    DepositId(order.0)
}
