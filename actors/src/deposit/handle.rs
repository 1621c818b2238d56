//! Deposits: finds and claims outputs for accounts and lets a process take each to its credit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use events::account;
use events::account::idempotency::{Effect, KeyUse};
use events::deposit::{
    Command, Currency, Refusal, SIMULATED, State, TxHash, deposit_id, transaction_id,
};
use events::envelope::{Actor as Who, StreamId};
use events::id::{AccountId, DepositId};
use futures_util::future::join_all;
use parking_lot::Mutex;
use thiserror::Error;

use super::chain::{Owner, Payment};
use super::coin::{Coin, CoinSettings};
use super::confirmation::ConfirmationSource;
use super::process::DepositProcess;
use super::simulated::Simulated;
use super::watcher;
use crate::account::Accounts;
use crate::account::Replayed;
use crate::kernel::clock::Elapsed;
use crate::kernel::entity::TransactError;
use crate::kernel::fault::{Fault, detached};
use crate::kernel::journal::Journal;
use crate::kernel::process::Processes;

/// How long a caller waits for a chain's word on a transaction.
const CALLERS_PATIENCE: Duration = Duration::from_secs(8);

/// A claim was not taken.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// Another account has it; to this caller the transaction is unknown.
    #[error("the transaction is not a payment to this account")]
    NotYours,
    /// The account refuses it: the key was used for something else.
    #[error(transparent)]
    Refused(account::Refusal),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A claim of a simulated payment, and how far it has come.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which deposit.
    pub deposit: DepositId,
    /// How far it has come.
    pub state: State,
    /// Whether it was claimed before under the same key.
    pub replayed: Replayed,
}

/// What the chains say of a transaction just now.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Payments to the caller's own addresses, and to shared ones that the caller has claimed.
    pub payments: Vec<(Currency, Payment)>,
    /// Whether a chain has taken the transaction and it failed there.
    pub failed: bool,
    /// Chains that did not answer.
    pub unanswered: Vec<Currency>,
    /// Whether it was asked before under the same key.
    pub replayed: Replayed,
}

/// What processes and watchers share.
pub struct Inner {
    pub(super) accounts: Accounts,
    pub(super) journal: Journal,
    pub(super) confirmations: BTreeMap<String, Arc<dyn ConfirmationSource>>,
    pub(super) coins: BTreeMap<Currency, Arc<Coin>>,
    pub(super) processes: Processes<DepositProcess>,
    /// Deposits whose next step fails, and since when.
    pub(super) failing: Mutex<HashMap<DepositId, Elapsed>>,
}

impl Inner {
    /// Notes whether a deposit's step went as it should.
    pub(super) fn stepped(&self, deposit: DepositId, has_failed: bool) {
        let mut failing = self.failing.lock();
        if has_failed {
            failing.entry(deposit).or_insert_with(|| self.journal.clock().elapsed());
        } else {
            failing.remove(&deposit);
        }
    }

    /// Lets a deposit's process look at it again, if there is one.
    pub(super) fn look_at(&self, deposit: DepositId) {
        self.processes.wake(deposit);
    }
}

/// The deposits. Cloning shares them.
#[derive(Clone)]
pub struct Deposits {
    inner: Arc<Inner>,
}

impl Deposits {
    /// Deposits where every hash is a payment.
    pub fn simulated(accounts: Accounts, simulated: Simulated) -> Self {
        let confirmations = BTreeMap::from([(
            SIMULATED.to_owned(),
            Arc::new(simulated) as Arc<dyn ConfirmationSource>,
        )]);
        Self::with(accounts, confirmations, BTreeMap::new())
    }

    /// How many deposits have a next step that has failed, again and again, for so long.
    pub fn failing_for(&self, duration: Duration) -> usize {
        let now = self.inner.journal.clock().elapsed();
        self.inner.failing.lock().values().filter(|since| now.since(**since) >= duration).count()
    }

    /// Deposits of these coins. Starts a watcher for each.
    pub async fn watching(accounts: Accounts, coins: Vec<CoinSettings>) -> Result<Self, Fault> {
        let (mut known, mut confirmations) = (BTreeMap::new(), BTreeMap::new());
        for settings in coins {
            let coin = Arc::new(Coin::open(accounts.journal().clone(), settings).await?);
            confirmations.insert(
                coin.currency().name().to_owned(),
                Arc::clone(&coin) as Arc<dyn ConfirmationSource>,
            );
            known.insert(coin.currency(), coin);
        }
        let deposits = Self::with(accounts, confirmations, known);
        for coin in deposits.coins() {
            let progress = watcher::progress(&deposits, coin).await?;
            tokio::spawn(watcher::watch(
                Arc::downgrade(&deposits.inner),
                Arc::clone(coin),
                progress,
            ));
        }
        Ok(deposits)
    }

    fn with(
        accounts: Accounts,
        confirmations: BTreeMap<String, Arc<dyn ConfirmationSource>>,
        coins: BTreeMap<Currency, Arc<Coin>>,
    ) -> Self {
        let processes = Processes::new(accounts.journal().clock());
        let inner = Arc::new(Inner {
            journal: accounts.journal().clone(),
            accounts,
            confirmations,
            coins,
            processes,
            failing: Mutex::default(),
        });
        inner.processes.start(
            &inner,
            |_, _| (),
            |inner, deposit, ()| async move { Self { inner }.follow(deposit).await },
        );
        Self { inner }
    }

    pub(super) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// Whether every hash is a payment.
    pub fn is_simulated(&self) -> bool {
        self.inner.confirmations.contains_key(SIMULATED)
    }

    /// The names of the chains that deposits can be on.
    pub fn chains(&self) -> Vec<String> {
        self.inner.confirmations.keys().cloned().collect()
    }

    /// The coins that are taken.
    pub fn coins(&self) -> impl Iterator<Item = &Arc<Coin>> {
        self.inner.coins.values()
    }

    /// One of them.
    pub fn coin(&self, currency: Currency) -> Option<&Arc<Coin>> {
        self.inner.coins.get(&currency)
    }

    /// Claims a simulated transaction for an account, or finds the account's earlier claim; answers
    /// with how far it has come.
    pub async fn claim(
        &self,
        account: AccountId,
        tx_hash: TxHash,
        key: Option<KeyUse>,
    ) -> Result<Claimed, ClaimError> {
        let deposits = self.clone();
        let claiming = async move {
            // The simulated chain's transactions have one output.
            let deposit = deposit_id(SIMULATED, &tx_hash, 0);
            let replayed = deposits.remember(account, deposit, key).await?;
            let state = deposits.claim_output(account, SIMULATED, &tx_hash, 0).await?;
            Ok(Claimed { deposit, state, replayed })
        };
        detached(claiming).await?
    }

    /// Asks the chains about a transaction and lets their watchers look at once; a payment to a
    /// shared address becomes the caller's, if it is nobody's yet.
    pub async fn look(
        &self,
        account: AccountId,
        tx_hash: TxHash,
        currency: Option<Currency>,
        key: Option<KeyUse>,
    ) -> Result<Looked, ClaimError> {
        let deposits = self.clone();
        let looking = async move {
            let replayed = deposits.remember(account, transaction_id(&tx_hash), key).await?;
            let asked: Vec<_> = deposits
                .coins()
                .filter(|coin| currency.is_none_or(|currency| currency == coin.currency()))
                .cloned()
                .collect();
            let found = join_all(asked.iter().map(|coin| {
                coin.look_now();
                tokio::time::timeout(
                    CALLERS_PATIENCE,
                    coin.settings.chain.find(tx_hash.clone(), coin.book.watched()),
                )
            }));
            let mut looked =
                Looked { payments: Vec::new(), failed: false, unanswered: Vec::new(), replayed };
            for (coin, found) in asked.iter().zip(found.await) {
                match found {
                    Err(_) | Ok(Err(_)) => looked.unanswered.push(coin.currency()),
                    Ok(Ok(None)) => {}
                    Ok(Ok(Some(found))) => {
                        looked.failed |= found.failed;
                        for payment in found.payments {
                            if deposits.is_for(account, coin, &payment).await? {
                                looked.payments.push((coin.currency(), payment));
                            }
                        }
                    }
                }
            }
            Ok(looked)
        };
        detached(looking).await?
    }

    /// Whether a payment is the account's; one to a shared address is claimed for it.
    async fn is_for(
        &self,
        account: AccountId,
        coin: &Coin,
        payment: &Payment,
    ) -> Result<bool, ClaimError> {
        match coin.book.watched().owner(&payment.to) {
            Some(Owner::Account(owner)) => Ok(owner == account),
            None => Ok(false),
            // A token's payment has no number before a block has it.
            Some(Owner::Shared)
                if coin.currency() == Currency::UsdtErc20 && payment.block.is_none() =>
            {
                Ok(true)
            }
            Some(Owner::Shared) => match self
                .claim_output(account, coin.currency().name(), &payment.tx_hash, payment.output)
                .await
            {
                Ok(_) => Ok(true),
                Err(ClaimError::NotYours) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }

    /// Lets the caller's key name the claim before it is made: repeating a claim is harmless,
    /// repeating a key with another is not.
    async fn remember(
        &self,
        account: AccountId,
        deposit: DepositId,
        key: Option<KeyUse>,
    ) -> Result<Replayed, ClaimError> {
        let Some(used) = key else { return Ok(Replayed(false)) };
        let (at, effect) = (used.at, Effect::Deposit(deposit));
        let command = account::Command::Keyed { used, effect, command: None };
        match self.inner.accounts.transact(account, command, Who::Owner, at).await {
            Ok(committed) => Ok(Replayed(committed.events.is_empty())),
            Err(TransactError::Refused(refusal)) => Err(ClaimError::Refused(refusal)),
            Err(TransactError::Fault(fault)) => Err(fault.into()),
        }
    }

    async fn claim_output(
        &self,
        account: AccountId,
        chain: &str,
        tx_hash: &TxHash,
        output: u32,
    ) -> Result<State, ClaimError> {
        let at = self.inner.journal.now();
        let claim = Command::Claim {
            account,
            chain: chain.to_owned(),
            tx_hash: tx_hash.clone(),
            output,
            at,
        };
        match self.transact(deposit_id(chain, tx_hash, output), &claim, Who::Owner).await {
            Ok(state) => Ok(state),
            Err(TransactError::Fault(fault)) => Err(fault.into()),
            Err(TransactError::Refused(_)) => Err(ClaimError::NotYours),
        }
    }

    /// Records a payment that the chain has in a block.
    pub(super) async fn see(&self, deposit: DepositId, see: Command) -> Result<(), Fault> {
        match self.transact(deposit, &see, Who::Chain).await {
            Ok(_) => Ok(()),
            Err(TransactError::Fault(fault)) => Err(fault),
            Err(TransactError::Refused(refusal)) => {
                tracing::error!(
                    %deposit, %refusal,
                    "a payment is seen where it should not be; an operator must look at it"
                );
                Ok(())
            }
        }
    }

    async fn transact(
        &self,
        deposit: DepositId,
        command: &Command,
        actor: Who,
    ) -> Result<State, TransactError<Refusal>> {
        let journal = &self.inner.journal;
        let mut entity = journal.load::<State>(StreamId::deposit(deposit)).await?;
        journal.transact(&mut entity, command, actor, journal.now()).await?;
        let state = entity.state().clone();
        self.follow(deposit).await?;
        Ok(state)
    }

    /// Lets every deposit's process look at it again.
    pub(super) fn look_at_all(&self) {
        self.inner.processes.wake_all();
    }

    /// Lets a deposit go on: what recovery does with each that is not at its end.
    pub async fn follow(&self, deposit: DepositId) -> Result<(), Fault> {
        let inner = Arc::clone(&self.inner);
        let make = || async move { Ok::<_, Fault>(DepositProcess::new(deposit, inner)) };
        if !self.inner.processes.run(deposit, (), make).await? {
            self.inner.processes.wake(deposit);
        }
        Ok(())
    }
}
