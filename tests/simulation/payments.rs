//! Payments on a chain that forks, and what the accounts must have of them in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actors::deposit::CoinSettings;
use actors::deposit::chain::{Chain, Rate, Watched};
use actors::kernel::clock::Clock;
use actors::store::BoxFuture;
use actors::{Accounts, Deposits, Fault};
use events::address::{AccountKey, Destination, Network};
use events::deposit::{Agreement, Currency, Policy};
use events::id::AccountId;
use parking_lot::Mutex;

use crate::chain::{Fault as ChainFault, Paid, Script, hash};
use crate::dice::Dice;
use crate::marks::{Mark, Marks};

const XPUB: &str = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V";
/// What a coin is worth.
const DOLLARS: i64 = 1_000;
/// The amounts that are paid, in cents.
const PAID: [(&str, i64); 3] = [("0.003", 300), ("0.02", 2_000), ("0.09", 9_000)];

/// One coin is worth the same all the time.
#[derive(Debug)]
struct Fixed(Clock);

impl Rate for Fixed {
    fn now(&self) -> BoxFuture<'_, Result<Agreement, Fault>> {
        Box::pin(async {
            let rate = DOLLARS.to_string().parse().unwrap();
            Ok(Agreement { rate, source: "fixed".to_owned(), at: self.0.now() })
        })
    }

    fn known(&self) -> Option<events::deposit::Rate> {
        DOLLARS.to_string().parse().ok()
    }
}

/// To whom a payment is, and which of the amounts.
type Made = (AccountId, Destination, usize);

/// The chain, and who was paid on it. Cloning shares it.
#[derive(Clone)]
pub struct Coins {
    chain: Script,
    dice: Dice,
    marks: Marks,
    paid: Arc<Mutex<BTreeMap<u8, Made>>>,
    addresses: Arc<Mutex<BTreeMap<AccountId, Destination>>>,
}

impl Coins {
    pub fn new(seed: u64, marks: Marks) -> Self {
        let (paid, addresses) = (Arc::default(), Arc::default());
        Self { chain: Script::new(None), dice: Dice::of(seed, 5), marks, paid, addresses }
    }

    /// A process that watches the chain.
    pub async fn watched(&self, accounts: &Accounts, clock: Clock) -> Result<Deposits, Fault> {
        let currency = Currency::Btc;
        let settings = CoinSettings {
            currency,
            chain: Arc::new(self.chain.clone()),
            rates: Arc::new(Fixed(clock)),
            policy: Policy::usual(currency),
            settle_confirmations: 30,
            poll: Duration::from_secs(10),
            key: Some(AccountKey::parse(currency, Network::Mainnet, XPUB).unwrap()),
            shared: None,
            start_height: None,
        };
        Deposits::watching(accounts.clone(), vec![settings]).await
    }

    /// Gives an account the address that it is paid at.
    pub async fn address(&self, deposits: &Deposits, account: AccountId) {
        let coin = deposits.coin(Currency::Btc).unwrap();
        let address = coin.book().address(account).await.unwrap().unwrap();
        self.addresses.lock().insert(account, address.destination);
    }

    /// Somebody pays an account, in a block.
    pub fn pay(&self, account: AccountId) {
        let Some(to) = self.addresses.lock().get(&account).cloned() else { return };
        let mut paid = self.paid.lock();
        let (tx, amount) = (u8::try_from(paid.len() % 200).unwrap(), self.dice.index(PAID.len()));
        let payment = Paid { tx, output: 0, to: to.clone(), coins: PAID[amount].0 };
        paid.insert(tx, (account, to, amount));
        self.chain.mine(&[payment]);
    }

    /// Blocks without a payment of ours.
    pub fn mine(&self, blocks: usize) {
        self.chain.mine_empty(blocks);
    }

    /// The last blocks are no more; what they paid is paid again at once, later, or never.
    pub async fn reorganise(&self, depth: usize) {
        let depth = depth.min(usize::try_from(self.chain.height()).unwrap());
        let before = self.on_chain().await;
        self.chain.reorganise(depth, &[]);
        let after = self.on_chain().await;
        for tx in before.keys().filter(|tx| !after.contains_key(tx)) {
            self.marks.see(Mark::PaymentUndone);
            if self.dice.chance(50) {
                let (_, to, amount) = self.paid.lock()[tx].clone();
                let coins = PAID[amount].0;
                self.chain.mine(&[Paid { tx: *tx, output: 0, to, coins }]);
            }
        }
    }

    /// The node does not answer, lags, or tells of blocks that do not stand on each other.
    pub fn fail(&self) {
        let lags = ChainFault::LagsAt(self.chain.height().saturating_sub(2));
        self.chain.fail(self.dice.pick(&[ChainFault::Down, ChainFault::Torn, lags]));
    }

    pub fn heal(&self) {
        self.chain.fail(ChainFault::None);
    }

    /// What the chain has paid to whom, in cents, by transaction.
    async fn on_chain(&self) -> BTreeMap<u8, (AccountId, i64)> {
        let (paid, fault) = (self.paid.lock().clone(), self.chain.fault());
        self.heal();
        let mut on_chain = BTreeMap::new();
        for (tx, (account, to, amount)) in paid {
            let watched = Arc::new(Watched { shared: Some(to), ..Watched::default() });
            if self.chain.find(hash(tx), watched).await.unwrap().is_some() {
                on_chain.insert(tx, (account, PAID[amount].1));
            }
        }
        self.chain.fail(fault);
        on_chain
    }

    /// What each account must have of the chain, in cents.
    pub async fn owed(&self) -> BTreeMap<AccountId, i64> {
        let mut owed: BTreeMap<AccountId, i64> =
            self.addresses.lock().keys().map(|account| (*account, 0)).collect();
        for (account, cents) in self.on_chain().await.into_values() {
            *owed.entry(account).or_default() += cents;
        }
        owed
    }
}
