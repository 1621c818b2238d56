//! BTC and LTC as an Esplora service tells of them, over its REST interface.

use std::ops::RangeInclusive;
use std::sync::Arc;

use events::address::Destination;
use events::chain::Block;
use events::deposit::{Currency, TxHash, coins};
use serde::Deserialize;

use crate::http::Endpoint;
use crate::walk::{Walk, same_network};
use actors::deposit::chain::{Chain, ChainError, Found, Payment, Scan, Tip, Watched};
use actors::store::BoxFuture;

/// Transactions on a page of a block.
const PAGE: u64 = 25;
/// A block of BTC is a hundred pages and more.
const BLOCKS_PER_SCAN: u64 = 2;

/// A service.
#[derive(Debug)]
pub struct Esplora {
    endpoint: Endpoint,
    currency: Currency,
    /// The hash of the network's first block.
    genesis: String,
}

#[derive(Deserialize)]
struct BlockSummary {
    id: String,
    height: u64,
    tx_count: u64,
    previousblockhash: Option<String>,
}

#[derive(Deserialize)]
struct Transaction {
    txid: String,
    vout: Vec<Output>,
    status: Status,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    scriptpubkey: String,
    /// Whole smallest units; absent where amounts are hidden.
    #[serde(default)]
    value: u64,
}

#[derive(Deserialize)]
struct Status {
    confirmed: bool,
    block_height: Option<u64>,
    block_hash: Option<String>,
}

impl Esplora {
    /// The service at `endpoint`, which must be of the network that begins with `genesis`.
    pub fn new(endpoint: Endpoint, currency: Currency, genesis: String) -> Self {
        Self { endpoint, currency, genesis }
    }

    /// The text at a path; `None` where the service has none.
    async fn text(&self, path: &str) -> Result<Option<String>, ChainError> {
        let answer = self.endpoint.get(path).await?;
        match answer.status {
            200 => String::from_utf8(answer.body)
                .map(Some)
                .map_err(|_| self.endpoint.nonsense(format!("{path}: not text"))),
            404 => Ok(None),
            // What Esplora says of a height beyond the end, and of a hash it does not know.
            400 if String::from_utf8_lossy(&answer.body).contains("not found") => Ok(None),
            status => Err(self.endpoint.unreachable(format!("{path}: HTTP {status}"))),
        }
    }

    async fn hash_at(&self, height: u64) -> Result<Option<String>, ChainError> {
        let text = self.text(&format!("/block-height/{height}")).await?;
        Ok(text.map(|text| text.trim().to_ascii_lowercase()))
    }

    async fn blocks(
        &self,
        heights: RangeInclusive<u64>,
        watched: &Watched,
    ) -> Result<Scan, ChainError> {
        let mut walk = Walk::default();
        for height in heights {
            let hash = self.hash_at(height).await?.ok_or(ChainError::Moved)?;
            let summary = self.text(&format!("/block/{hash}")).await?.ok_or(ChainError::Moved)?;
            let summary: BlockSummary = self.endpoint.parse("block", &summary)?;
            if summary.id != hash || summary.height != height {
                return Err(self
                    .endpoint
                    .nonsense(format!("block {height} is told as block {}", summary.height)));
            }
            let block = Block { height, hash };
            let scan = walk.enter(&block, summary.previousblockhash.clone())?;
            let mut start = 0;
            while start < summary.tx_count {
                let page = self
                    .text(&format!("/block/{}/txs/{start}", block.hash))
                    .await?
                    .ok_or(ChainError::Moved)?;
                let page: Vec<Transaction> =
                    self.endpoint.parse("a block's transactions", &page)?;
                if page.is_empty() {
                    return Err(self.endpoint.nonsense(format!(
                        "block {height} has {} transactions, and none at {start}",
                        summary.tx_count
                    )));
                }
                for transaction in &page {
                    scan.payments.extend(self.payments(transaction, Some(&block), watched)?);
                }
                start += PAGE;
            }
        }
        walk.end()
    }

    fn payments(
        &self,
        transaction: &Transaction,
        block: Option<&Block>,
        watched: &Watched,
    ) -> Result<Vec<Payment>, ChainError> {
        let mut payments = Vec::new();
        for (output, place) in transaction.vout.iter().zip(0u32..) {
            let Some(to) = Destination::from_hex(&output.scriptpubkey)
                .filter(|to| watched.owner(to).is_some())
            else {
                continue;
            };
            let paid = coins(u128::from(output.value), self.currency)
                .ok_or_else(|| self.endpoint.nonsense("an amount that is none".to_owned()))?;
            let tx_hash: TxHash = transaction
                .txid
                .parse()
                .map_err(|_| self.endpoint.nonsense("a txid that is none".to_owned()))?;
            payments.push(Payment { tx_hash, output: place, to, paid, block: block.cloned() });
        }
        payments.retain(|payment| payment.paid != "0");
        Ok(payments)
    }

    async fn transaction(
        &self,
        tx_hash: &TxHash,
        watched: &Watched,
    ) -> Result<Option<Found>, ChainError> {
        let Some(text) = self.text(&format!("/tx/{}", tx_hash.as_str())).await? else {
            return Ok(None);
        };
        let transaction: Transaction = self.endpoint.parse("a transaction", &text)?;
        let Status { confirmed, block_height, block_hash } = &transaction.status;
        let block = block_height
            .zip(block_hash.clone())
            .filter(|_| *confirmed)
            .map(|(height, hash)| Block { height, hash });
        Ok(Some(Found {
            payments: self.payments(&transaction, block.as_ref(), watched)?,
            failed: false,
        }))
    }
}

impl Chain for Esplora {
    fn endpoint(&self) -> String {
        self.endpoint.name().to_owned()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChainError>> {
        Box::pin(async move { same_network(&self.endpoint, self.hash_at(0).await?, &self.genesis) })
    }

    fn tip(&self) -> BoxFuture<'_, Result<Tip, ChainError>> {
        Box::pin(async move {
            let text = self.text("/blocks/tip/height").await?.unwrap_or_default();
            let height = text
                .trim()
                .parse()
                .map_err(|_| self.endpoint.nonsense("a height that is none".to_owned()))?;
            let hash = self.hash_at(height).await?.ok_or(ChainError::Moved)?;
            Ok(Tip { block: Block { height, hash }, finalized: None })
        })
    }

    fn block_hash(&self, height: u64) -> BoxFuture<'_, Result<Option<String>, ChainError>> {
        Box::pin(self.hash_at(height))
    }

    fn scan(
        &self,
        heights: RangeInclusive<u64>,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Scan, ChainError>> {
        Box::pin(async move { self.blocks(heights, &watched).await })
    }

    fn find(
        &self,
        tx_hash: TxHash,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Option<Found>, ChainError>> {
        Box::pin(async move { self.transaction(&tx_hash, &watched).await })
    }

    fn coinbase(&self, block: Block) -> BoxFuture<'_, Result<Option<TxHash>, ChainError>> {
        Box::pin(async move {
            // The page that a scan reads, too: not every service has a path for a single hash.
            let page = self
                .text(&format!("/block/{}/txs/0", block.hash))
                .await?
                .ok_or(ChainError::Moved)?;
            let page: Vec<Transaction> = self.endpoint.parse("a block's transactions", &page)?;
            let first = page.first().ok_or_else(|| {
                self.endpoint.nonsense("a block without a transaction".to_owned())
            })?;
            first
                .txid
                .parse()
                .map(Some)
                .map_err(|_| self.endpoint.nonsense("a txid that is none".to_owned()))
        })
    }

    fn blocks_per_scan(&self) -> u64 {
        BLOCKS_PER_SCAN
    }
}
