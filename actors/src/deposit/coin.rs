//! A coin at work: its chain, its addresses, its table of confirmations; and how a deposit of it
//! stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use events::address::{AccountKey, Address};
use events::chain::Block;
use events::deposit::{Currency, Finality, Policy, State, Status, TxHash, worth};
use events::time::Timestamp;
use tokio::sync::{Mutex, Notify, watch};

use super::book::AddressBook;
use super::chain::{Chain, ChainError, Rate, Tip};
use super::confirmation::{ConfirmationSource, Final, Observation};
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::store::BoxFuture;

/// How a coin is set up.
#[derive(Debug)]
pub struct CoinSettings {
    /// Which coin.
    pub currency: Currency,
    /// Its chain.
    pub chain: Arc<dyn Chain>,
    /// What it is worth.
    pub rates: Arc<dyn Rate>,
    /// How many confirmations an amount needs.
    pub policy: Policy,
    /// Confirmations after which a credited deposit is not looked at any more.
    pub settle_confirmations: u64,
    /// How often to look for new blocks.
    pub poll: Duration,
    /// The operator's key, for addresses of accounts.
    pub key: Option<AccountKey>,
    /// The address for those without a key.
    pub shared: Option<Address>,
    /// The first block to look through, where none has been yet; the one after the chain's last, if
    /// unset.
    pub start_height: Option<u64>,
}

/// How a chain is followed just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainStatus {
    /// Where it ends, as last heard.
    pub tip: Option<Tip>,
    /// The last block looked through.
    pub scanned: Option<u64>,
    /// When it last answered.
    pub answered_at: Option<Timestamp>,
    /// Why it cannot be followed, if it cannot.
    pub error: Option<String>,
}

impl ChainStatus {
    /// Blocks that are there and have not been looked through; blocks that are not final do not
    /// count where the chain calls them final.
    pub fn lag(&self) -> u64 {
        let head = self.tip.as_ref().map(|tip| tip.finalized.unwrap_or(tip.block.height));
        head.zip(self.scanned).map_or(0, |(head, scanned)| head.saturating_sub(scanned))
    }
}

/// A coin.
#[derive(Debug)]
pub struct Coin {
    pub(super) settings: CoinSettings,
    pub(super) book: AddressBook,
    pub(super) status: watch::Sender<ChainStatus>,
    pub(super) wanted: Notify,
    /// Blocks that were asked for since the chain has ended where it does: many deposits stand in
    /// few blocks, and a node takes few questions at once.
    asked: Mutex<Asked>,
    /// Which transaction made new coins, of blocks with deposits.
    new_coins: parking_lot::Mutex<BTreeMap<Block, Option<TxHash>>>,
}

/// Blocks whose new coins are remembered.
const MAX_NEW_COINS: usize = 10_000;

#[derive(Debug, Default)]
struct Asked {
    tip: Option<Block>,
    hashes: BTreeMap<u64, Option<String>>,
}

impl Coin {
    pub(super) async fn open(journal: Journal, settings: CoinSettings) -> Result<Self, Fault> {
        let book = AddressBook::open(
            journal,
            settings.currency,
            settings.key.clone(),
            settings.shared.clone(),
        )
        .await?;
        Ok(Self {
            settings,
            book,
            status: watch::Sender::default(),
            wanted: Notify::new(),
            asked: Mutex::default(),
            new_coins: parking_lot::Mutex::default(),
        })
    }

    /// Which coin.
    pub fn currency(&self) -> Currency {
        self.settings.currency
    }

    /// Its addresses.
    pub fn book(&self) -> &AddressBook {
        &self.book
    }

    /// Where its chain is asked.
    pub fn endpoint(&self) -> String {
        self.settings.chain.endpoint()
    }

    /// Whether its chain is the one it should be; a failure to answer says nothing.
    pub async fn check(&self) -> Result<(), ChainError> {
        self.settings.chain.check().await
    }

    /// How its chain is followed just now.
    pub fn status(&self) -> ChainStatus {
        self.status.borrow().clone()
    }

    /// Whether it is known from which block on its chain is followed: no address is given out
    /// before.
    pub fn is_followed(&self) -> bool {
        self.status.borrow().scanned.is_some()
    }

    /// Lets the watcher look now.
    pub fn look_now(&self) {
        self.wanted.notify_one();
    }

    /// Blocks on a block of this height, itself counted.
    pub fn confirmations(&self, height: u64) -> u64 {
        self.status.borrow().tip.as_ref().map_or(0, |tip| tip.ends().confirmations(height))
    }

    /// What it was worth as far as is known, without asking anybody.
    pub fn known_rate(&self) -> Option<events::deposit::Rate> {
        self.settings.rates.known()
    }

    /// When a payment will be final, at the rate as far as it is known; `None` if none is.
    pub fn finality(
        &self,
        paid: &str,
        tx_hash: &TxHash,
        block: Option<&Block>,
    ) -> Option<Finality> {
        let usual = worth(paid, self.settings.rates.known()?)
            .map(|amount| self.settings.policy.finality(amount))?;
        let has_new_coins = block.is_some_and(|block| {
            self.new_coins.lock().get(block).is_some_and(|known| known.as_ref() == Some(tx_hash))
        });
        Some(if has_new_coins { usual.of_new_coins() } else { usual })
    }

    /// Whether a transaction in `block` made new coins.
    async fn has_new_coins(&self, tx_hash: Option<&TxHash>, block: &Block) -> Result<bool, Fault> {
        let known = self.new_coins.lock().get(block).cloned();
        let coinbase = if let Some(coinbase) = known {
            coinbase
        } else {
            let coinbase = self.settings.chain.coinbase(block.clone()).await?;
            let mut known = self.new_coins.lock();
            if known.len() >= MAX_NEW_COINS {
                known.pop_first();
            }
            known.insert(block.clone(), coinbase.clone());
            coinbase
        };
        Ok(coinbase.is_some() && coinbase.as_ref() == tx_hash)
    }

    /// The hash of the block at `height` of the chain that ends so. One question at a time.
    async fn block_hash(&self, tip: &Tip, height: u64) -> Result<Option<String>, Fault> {
        let mut asked = self.asked.lock().await;
        if asked.tip.as_ref() != Some(&tip.block) {
            *asked = Asked { tip: Some(tip.block.clone()), hashes: BTreeMap::new() };
        }
        if let Some(hash) = asked.hashes.get(&height) {
            return Ok(hash.clone());
        }
        let hash = self.settings.chain.block_hash(height).await?;
        asked.hashes.insert(height, hash.clone());
        Ok(hash)
    }

    async fn stands(&self, deposit: &State) -> Result<Observation, Fault> {
        let tip = self.status.borrow().tip.clone();
        let (Some(tip), Some(block)) = (tip, &deposit.block) else {
            return Ok(Observation::Waiting);
        };
        match self.block_hash(&tip, block.height).await? {
            Some(hash) if hash != block.hash => return Ok(Observation::Gone),
            // The node has fallen behind: what it does not have yet is not gone.
            None => return Ok(Observation::Waiting),
            Some(_) => {}
        }
        if deposit.status == Status::Credited {
            let is_settled = self.settings.policy.is_settled(
                block.height,
                tip.ends(),
                self.settings.settle_confirmations,
            );
            return Ok(if is_settled { Observation::Settled } else { Observation::Waiting });
        }
        let has_new_coins = self.has_new_coins(deposit.tx_hash.as_ref(), block).await?;
        let agreement = self.settings.rates.now().await?;
        let amount = worth(&deposit.paid, agreement.rate);
        let amount = amount.ok_or_else(|| {
            Fault::Chain(format!("{} {} is no amount", deposit.paid, deposit.chain).into())
        })?;
        let usual = self.settings.policy.finality(amount);
        let finality = if has_new_coins { usual.of_new_coins() } else { usual };
        if !finality.is_reached(block.height, tip.ends()) {
            return Ok(Observation::Waiting);
        }
        let (paid, rate) = (deposit.paid.clone(), agreement.rate.to_string());
        Ok(Observation::Final(Final {
            amount,
            paid,
            rate,
            rate_source: agreement.source,
            rate_at: agreement.at,
        }))
    }
}

impl ConfirmationSource for Coin {
    fn look<'a>(&'a self, deposit: &'a State) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(self.stands(deposit))
    }

    fn pause(&self) -> Option<Duration> {
        None
    }
}
