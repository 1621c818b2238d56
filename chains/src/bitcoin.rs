//! BTC and LTC as their nodes tell of them: the JSON-RPC of Bitcoin Core, Knots and Litecoin Core.

use std::ops::RangeInclusive;
use std::sync::Arc;

use events::address::Destination;
use events::chain::Block;
use events::deposit::{Currency, TxHash, coins, units};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::http::{Endpoint, MAX_DETAIL};
use crate::walk::{Walk, same_network};
use actors::deposit::chain::{Chain, ChainError, Found, Payment, Scan, Tip, Watched};
use actors::kernel::foreign::explanation;
use actors::store::BoxFuture;

/// Codes of a node that knows no such transaction, block or height.
const NOT_FOUND: [i64; 2] = [-5, -8];
/// A block of BTC takes a second to tell: more would keep an answer waiting.
const BLOCKS_PER_SCAN: u64 = 8;

/// A node.
#[derive(Debug)]
pub struct BitcoinRpc {
    endpoint: Endpoint,
    currency: Currency,
    /// The hash of the network's first block.
    genesis: String,
}

#[derive(Deserialize)]
struct ChainInfo {
    blocks: u64,
    bestblockhash: String,
}

#[derive(Deserialize)]
struct FullBlock<'a> {
    hash: String,
    height: u64,
    previousblockhash: Option<String>,
    #[serde(borrow)]
    tx: Vec<Transaction<'a>>,
}

#[derive(Deserialize)]
struct Transaction<'a> {
    txid: String,
    #[serde(borrow)]
    vout: Vec<Output<'a>>,
    blockhash: Option<String>,
}

/// What is not there in an output that LTC hides (`ismweb`) is not needed: it pays nobody who could
/// be named.
#[derive(Deserialize)]
struct Output<'a> {
    /// A decimal, as it is written: through a float it would not be exact.
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(rename = "scriptPubKey", default)]
    script: Option<Script>,
    #[serde(default)]
    ismweb: bool,
}

/// A block's transactions by their hashes.
#[derive(Deserialize)]
struct Summary {
    tx: Vec<String>,
}

#[derive(Deserialize)]
struct Script {
    #[serde(default)]
    hex: String,
}

#[derive(Deserialize)]
struct Header {
    height: u64,
}

impl BitcoinRpc {
    /// The node at `endpoint`, which must be of the network that begins with `genesis`.
    pub fn new(endpoint: Endpoint, currency: Currency, genesis: String) -> Self {
        Self { endpoint, currency, genesis }
    }

    /// Calls a method; `None` where the node knows no such thing.
    async fn look_up(
        &self,
        method: &str,
        params: Value,
    ) -> Result<Option<Box<RawValue>>, ChainError> {
        match self.endpoint.call(method, params).await? {
            Ok(raw) => Ok(Some(raw)),
            Err(refusal) if NOT_FOUND.contains(&refusal.code) => Ok(None),
            Err(refusal) => Err(self.endpoint.unreachable(format!(
                "{method}: {} {}",
                refusal.code,
                explanation(&refusal.message, MAX_DETAIL)
            ))),
        }
    }

    async fn hash_at(&self, height: u64) -> Result<Option<String>, ChainError> {
        let raw = self.look_up("getblockhash", json!([height])).await?;
        raw.map(|raw| self.endpoint.parse("getblockhash", raw.get())).transpose()
    }

    async fn blocks(
        &self,
        heights: RangeInclusive<u64>,
        watched: &Watched,
    ) -> Result<Scan, ChainError> {
        let mut walk = Walk::default();
        for height in heights {
            let hash = self.hash_at(height).await?.ok_or(ChainError::Moved)?;
            let raw = self.look_up("getblock", json!([hash, 2])).await?.ok_or(ChainError::Moved)?;
            let full: FullBlock<'_> = self.endpoint.parse("getblock", raw.get())?;
            if full.hash != hash || full.height != height {
                return Err(self
                    .endpoint
                    .nonsense(format!("block {height} is told as block {}", full.height)));
            }
            let block = Block { height, hash };
            let scan = walk.enter(&block, full.previousblockhash.clone())?;
            for transaction in &full.tx {
                scan.payments.extend(self.payments(transaction, Some(&block), watched)?);
            }
        }
        walk.end()
    }

    fn payments(
        &self,
        transaction: &Transaction<'_>,
        block: Option<&Block>,
        watched: &Watched,
    ) -> Result<Vec<Payment>, ChainError> {
        let mut payments = Vec::new();
        for output in &transaction.vout {
            let Some(script) = output.script.as_ref().filter(|_| !output.ismweb) else { continue };
            let Some(to) =
                Destination::from_hex(&script.hex).filter(|to| watched.owner(to).is_some())
            else {
                continue;
            };
            let value = output.value.map_or("nothing", RawValue::get);
            let paid = units(value, self.currency).and_then(|units| coins(units, self.currency));
            let paid = paid.ok_or_else(|| {
                self.endpoint.nonsense("an output of an amount that is none".to_owned())
            })?;
            let number = output
                .n
                .ok_or_else(|| self.endpoint.nonsense("an output without a number".to_owned()))?;
            let tx_hash: TxHash = transaction
                .txid
                .parse()
                .map_err(|_| self.endpoint.nonsense("a txid that is none".to_owned()))?;
            payments.push(Payment { tx_hash, output: number, to, paid, block: block.cloned() });
        }
        payments.retain(|payment| payment.paid != "0");
        Ok(payments)
    }

    async fn transaction(
        &self,
        tx_hash: &TxHash,
        watched: &Watched,
    ) -> Result<Option<Found>, ChainError> {
        let Some(raw) = self.look_up("getrawtransaction", json!([tx_hash.as_str(), true])).await?
        else {
            return Ok(None);
        };
        let transaction: Transaction<'_> = self.endpoint.parse("getrawtransaction", raw.get())?;
        let block = match &transaction.blockhash {
            None => None,
            Some(hash) => {
                let header = self.look_up("getblockheader", json!([hash])).await?;
                let header: Option<Header> = header
                    .map(|raw| self.endpoint.parse("getblockheader", raw.get()))
                    .transpose()?;
                header.map(|header| Block { height: header.height, hash: hash.clone() })
            }
        };
        Ok(Some(Found {
            payments: self.payments(&transaction, block.as_ref(), watched)?,
            failed: false,
        }))
    }
}

impl Chain for BitcoinRpc {
    fn endpoint(&self) -> String {
        self.endpoint.name().to_owned()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChainError>> {
        Box::pin(async move { same_network(&self.endpoint, self.hash_at(0).await?, &self.genesis) })
    }

    fn tip(&self) -> BoxFuture<'_, Result<Tip, ChainError>> {
        Box::pin(async move {
            let info: ChainInfo = self.endpoint.ask("getblockchaininfo", json!([])).await?;
            Ok(Tip {
                block: Block { height: info.blocks, hash: info.bestblockhash },
                finalized: None,
            })
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
            let raw =
                self.look_up("getblock", json!([block.hash, 1])).await?.ok_or(ChainError::Moved)?;
            let summary: Summary = self.endpoint.parse("getblock", raw.get())?;
            let first = summary.tx.first().and_then(|hash| hash.parse().ok());
            first.map(Some).ok_or_else(|| {
                self.endpoint.nonsense(format!("block {} has no transaction", block.height))
            })
        })
    }

    fn blocks_per_scan(&self) -> u64 {
        BLOCKS_PER_SCAN
    }
}
