//! A chain that does what a test says: grows, forks, goes away, lags, lies. Several endpoints may
//! tell of the same one.

use std::ops::RangeInclusive;
use std::sync::Arc;

use events::address::Destination;
use events::chain::Block;
use events::deposit::TxHash;
use parking_lot::Mutex;
use telenumerus_actors::deposit::chain::{Chain, ChainError, Found, Payment, Scan, Tip, Watched};
use telenumerus_actors::store::BoxFuture;

/// The transaction that makes new coins in whatever block has it.
pub const NEW_COINS: u8 = 0xcb;

/// What a transaction pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub tx: u8,
    pub output: u32,
    pub to: Destination,
    pub coins: &'static str,
}

#[derive(Debug, Default)]
struct Ledger {
    blocks: Vec<(String, Vec<Paid>)>,
    waiting: Vec<Paid>,
    mined: u64,
    finalized_depth: Option<u64>,
}

/// What an endpoint does wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// It does not answer.
    Down,
    /// It knows nothing beyond this height.
    LagsAt(u64),
    /// It tells of no payment.
    Hides,
    /// Its blocks do not stand on each other.
    Torn,
    /// A bug of ours ends whoever asks this, once.
    Bug(&'static str),
}

/// An endpoint of a scripted chain. Cloning is the same endpoint.
#[derive(Debug, Clone)]
pub struct Script {
    chain: Arc<Mutex<Ledger>>,
    fault: Arc<Mutex<Fault>>,
}

impl Script {
    /// A chain of one block.
    pub fn new(finalized_depth: Option<u64>) -> Self {
        let script = Self { chain: Arc::default(), fault: Arc::default() };
        script.chain.lock().finalized_depth = finalized_depth;
        script.mine(&[]);
        script
    }

    /// Another endpoint of the same chain.
    pub fn other_endpoint(&self) -> Self {
        Self { chain: Arc::clone(&self.chain), fault: Arc::default() }
    }

    pub fn fail(&self, fault: Fault) {
        *self.fault.lock() = fault;
    }

    pub fn fault(&self) -> Fault {
        *self.fault.lock()
    }

    /// A transaction that no block has.
    pub fn broadcast(&self, paid: &[Paid]) {
        self.chain.lock().waiting.extend_from_slice(paid);
    }

    /// A block with these payments.
    pub fn mine(&self, paid: &[Paid]) {
        let mut chain = self.chain.lock();
        chain.mined += 1;
        let hash = format!("{:064x}", chain.mined);
        chain.waiting.retain(|waiting| !paid.contains(waiting));
        chain.blocks.push((hash, paid.to_vec()));
    }

    pub fn mine_empty(&self, blocks: usize) {
        (0..blocks).for_each(|_| self.mine(&[]));
    }

    /// The last `depth` blocks are no more; one block more than that takes their place, the first
    /// with these payments.
    pub fn reorganise(&self, depth: usize, paid: &[Paid]) {
        let kept = self.chain.lock().blocks.len() - depth;
        self.chain.lock().blocks.truncate(kept);
        self.mine(paid);
        self.mine_empty(depth);
    }

    pub fn height(&self) -> u64 {
        self.chain.lock().blocks.len() as u64 - 1
    }

    fn strike(&self, question: &'static str) {
        let mut fault = self.fault.lock();
        if *fault == Fault::Bug(question) {
            *fault = Fault::None;
            drop(fault);
            panic!("a bug in {question}");
        }
    }

    fn answer<T>(
        &self,
        answer: impl FnOnce(&Ledger, u64, bool) -> Result<T, ChainError>,
    ) -> Result<T, ChainError> {
        let chain = self.chain.lock();
        let last = chain.blocks.len() as u64 - 1;
        match *self.fault.lock() {
            Fault::Down => Err(ChainError::Unreachable {
                endpoint: self.endpoint(),
                detail: "down".to_owned(),
            }),
            Fault::LagsAt(height) => answer(&chain, last.min(height), false),
            Fault::Hides => answer(&chain, last, true),
            Fault::None | Fault::Torn | Fault::Bug(_) => answer(&chain, last, false),
        }
    }
}

fn payment(paid: &Paid, block: Option<Block>) -> Payment {
    Payment {
        tx_hash: hash(paid.tx),
        output: paid.output,
        to: paid.to.clone(),
        paid: paid.coins.to_owned(),
        block,
    }
}

/// The hash of a scripted transaction.
pub fn hash(tx: u8) -> TxHash {
    format!("{tx:02x}").repeat(32).parse().unwrap()
}

impl Chain for Script {
    fn endpoint(&self) -> String {
        "script".to_owned()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChainError>> {
        Box::pin(async move { self.answer(|_, _, _| Ok(())) })
    }

    fn tip(&self) -> BoxFuture<'_, Result<Tip, ChainError>> {
        self.strike("tip");
        Box::pin(async move {
            self.answer(|chain, last, _| {
                let block = Block {
                    height: last,
                    hash: chain.blocks[usize::try_from(last).unwrap()].0.clone(),
                };
                Ok(Tip {
                    block,
                    finalized: chain.finalized_depth.map(|depth| last.saturating_sub(depth)),
                })
            })
        })
    }

    fn block_hash(&self, height: u64) -> BoxFuture<'_, Result<Option<String>, ChainError>> {
        self.strike("block_hash");
        Box::pin(async move {
            self.answer(|chain, last, _| {
                Ok((height <= last)
                    .then(|| chain.blocks[usize::try_from(height).unwrap()].0.clone()))
            })
        })
    }

    fn scan(
        &self,
        heights: RangeInclusive<u64>,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Scan, ChainError>> {
        Box::pin(async move {
            let torn = *self.fault.lock() == Fault::Torn;
            self.answer(|chain, last, hides| {
                if *heights.end() > last {
                    return Err(ChainError::Moved);
                }
                let at = |height: u64| &chain.blocks[usize::try_from(height).unwrap()];
                let parent = heights
                    .start()
                    .checked_sub(1)
                    .map(|parent| if torn { "torn".to_owned() } else { at(parent).0.clone() });
                let mut payments = Vec::new();
                for height in heights.clone().filter(|_| !hides) {
                    let (hash, paid) = at(height);
                    let ours = paid.iter().filter(|paid| watched.owner(&paid.to).is_some());
                    payments.extend(
                        ours.map(|paid| payment(paid, Some(Block { height, hash: hash.clone() }))),
                    );
                }
                Ok(Scan {
                    parent,
                    last: Block { height: *heights.end(), hash: at(*heights.end()).0.clone() },
                    payments,
                })
            })
        })
    }

    fn find(
        &self,
        tx_hash: TxHash,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Option<Found>, ChainError>> {
        Box::pin(async move {
            self.answer(|chain, _, _| {
                let ours =
                    |paid: &&Paid| hash(paid.tx) == tx_hash && watched.owner(&paid.to).is_some();
                let mut payments: Vec<Payment> =
                    chain.waiting.iter().filter(ours).map(|paid| payment(paid, None)).collect();
                for ((hash, paid), height) in chain.blocks.iter().zip(0..) {
                    payments.extend(
                        paid.iter()
                            .filter(ours)
                            .map(|paid| payment(paid, Some(Block { height, hash: hash.clone() }))),
                    );
                }
                Ok((!payments.is_empty()).then_some(Found { payments, failed: false }))
            })
        })
    }

    fn coinbase(&self, block: Block) -> BoxFuture<'_, Result<Option<TxHash>, ChainError>> {
        Box::pin(async move {
            self.answer(|chain, _, _| {
                let (_, paid) = chain
                    .blocks
                    .iter()
                    .find(|(hash, _)| *hash == block.hash)
                    .ok_or(ChainError::Moved)?;
                Ok(paid.iter().any(|paid| paid.tx == NEW_COINS).then(|| hash(NEW_COINS)))
            })
        })
    }

    fn blocks_per_scan(&self) -> u64 {
        5
    }
}
