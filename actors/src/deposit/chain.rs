//! What can be asked of every chain, of whatever node or service tells of it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use events::address::{self, Destination};
use events::chain::Block;
use events::deposit::{Agreement, Ends, TxHash};
use events::id::AccountId;
use thiserror::Error;

use crate::kernel::fault::Fault;
use crate::store::BoxFuture;

/// The chain could not be asked, or what it said cannot be used. Nothing is lost: it is asked
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// The endpoint did not answer.
    #[error("{endpoint} does not answer: {detail}")]
    Unreachable {
        /// Which.
        endpoint: String,
        /// Why.
        detail: String,
    },
    /// The endpoint said something that makes no sense.
    #[error("{endpoint} answers what cannot be understood: {detail}")]
    Nonsense {
        /// Which.
        endpoint: String,
        /// What.
        detail: String,
    },
    /// The endpoint tells of another chain or network; the configuration must be mended.
    #[error("{endpoint} is of another network: {detail}")]
    WrongNetwork {
        /// Which.
        endpoint: String,
        /// How it differs.
        detail: String,
    },
    /// The contract is not the token that it should be; the configuration must be mended.
    #[error("{endpoint} tells of another token: {detail}")]
    WrongToken {
        /// Which.
        endpoint: String,
        /// How it differs.
        detail: String,
    },
    /// Two endpoints say different things; one of them lies or has fallen behind.
    #[error("the endpoints disagree about {about}")]
    Disagreement {
        /// About what.
        about: String,
    },
    /// The chain has changed while it was looked through; the next look begins where it forked.
    #[error("the chain has changed while it was looked through")]
    Moved,
}

impl ChainError {
    /// Whether asking again is of no use: the endpoint is of another chain, or the token is
    /// another.
    pub fn is_for_good(&self) -> bool {
        matches!(self, Self::WrongNetwork { .. } | Self::WrongToken { .. })
    }
}

impl From<ChainError> for Fault {
    fn from(error: ChainError) -> Self {
        Self::Chain(error.to_string().into())
    }
}

/// Where a chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Its last block.
    pub block: Block,
    /// The height up to which it calls its blocks final; `None` for chains that never do.
    pub finalized: Option<u64>,
}

impl Tip {
    /// Where the chain ends, in heights.
    pub fn ends(&self) -> Ends {
        Ends { height: self.block.height, finalized: self.finalized }
    }
}

/// An output that pays one of the watched destinations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payment {
    /// The transaction.
    pub tx_hash: TxHash,
    /// The output's number in it; on EVM chains the log's number in the block.
    pub output: u32,
    /// What it pays.
    pub to: Destination,
    /// How much, in the coin's unit, as decimal text.
    pub paid: String,
    /// The block that has it; `None` while none has.
    pub block: Option<Block>,
}

/// Blocks that were looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The hash of the block before the first, where the chain's blocks name it.
    pub parent: Option<String>,
    /// The last of them.
    pub last: Block,
    /// What they pay to watched destinations, in the chain's order.
    pub payments: Vec<Payment>,
}

/// What a chain knows of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it pays to watched destinations.
    pub payments: Vec<Payment>,
    /// Whether it was taken into a block and failed there: it pays nothing.
    pub failed: bool,
}

/// Whose money a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This account's.
    Account(AccountId),
    /// Whoever claims it first: it was paid to the shared address.
    Shared,
}

/// The destinations to look for: every account's, and the shared one.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Every account's.
    pub book: address::State,
    /// The shared one, where there is one.
    pub shared: Option<Destination>,
}

impl Watched {
    /// Whose money comes in at `destination`, if it is watched.
    pub fn owner(&self, destination: &Destination) -> Option<Owner> {
        let shared = || (self.shared.as_ref() == Some(destination)).then_some(Owner::Shared);
        self.book.owner(destination).map(Owner::Account).or_else(shared)
    }

    /// All of them.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.book.destinations().chain(&self.shared)
    }
}

/// A chain, watched from outside.
pub trait Chain: Send + Sync + std::fmt::Debug + 'static {
    /// Where it is asked, without anything secret.
    fn endpoint(&self) -> String;

    /// Whether it is the chain and the network that it should be.
    fn check(&self) -> BoxFuture<'_, Result<(), ChainError>>;

    /// Where it ends now.
    fn tip(&self) -> BoxFuture<'_, Result<Tip, ChainError>>;

    /// The hash of its block at `height`; `None` beyond its end.
    fn block_hash(&self, height: u64) -> BoxFuture<'_, Result<Option<String>, ChainError>>;

    /// What the blocks at `heights` pay to watched destinations.
    fn scan(
        &self,
        heights: RangeInclusive<u64>,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Scan, ChainError>>;

    /// What it knows of a transaction; `None` if nothing.
    fn find(
        &self,
        tx_hash: TxHash,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Option<Found>, ChainError>>;

    /// The transaction that made new coins in a block, whose outputs are worth nothing before they
    /// are mature; `None` on chains that have no such thing.
    fn coinbase(&self, block: Block) -> BoxFuture<'_, Result<Option<TxHash>, ChainError>> {
        drop(block);
        Box::pin(async { Ok(None) })
    }

    /// Blocks that one scan may take.
    fn blocks_per_scan(&self) -> u64;
}

/// What a coin is worth.
pub trait Rate: Send + Sync + std::fmt::Debug + 'static {
    /// The rate just now; a fault where there is none, and whoever asks waits.
    fn now(&self) -> BoxFuture<'_, Result<Agreement, Fault>>;

    /// The rate as it was last agreed upon, without asking anybody: good enough to say what to
    /// expect.
    fn known(&self) -> Option<events::deposit::Rate>;
}
