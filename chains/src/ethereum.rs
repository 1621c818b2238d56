//! USDT on Ethereum as its nodes tell of it: the token's `Transfer` logs over JSON-RPC, in blocks
//! that the chain calls final.
//!
//! How much one question for logs may ask is learnt from refusals (`Question`).

use std::ops::RangeInclusive;
use std::sync::Arc;

use events::address::Destination;
use events::chain::Block;
use events::deposit::{Currency, TxHash, coins};
use serde::Deserialize;
use serde_json::json;

use crate::http::{Endpoint, MAX_DETAIL};
use crate::question::Question;
use actors::deposit::chain::{Chain, ChainError, Found, Payment, Scan, Tip, Watched};
use actors::kernel::foreign::explanation;
use actors::store::BoxFuture;

mod token;

pub use token::Token;

/// keccak256 of `Transfer(address,address,uint256)`.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// The first four bytes of keccak256 of `transfer(address,uint256)`.
const TRANSFER_CALL: &str = "a9059cbb";
/// Hex digits of a word.
const WORD: usize = 64;

/// A node.
#[derive(Debug)]
pub struct Ethereum {
    endpoint: Endpoint,
    chain_id: u64,
    token: Token,
    question: Question,
}

#[derive(Deserialize)]
struct Header {
    number: String,
    hash: String,
}

#[derive(Deserialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Log {
    address: String,
    topics: Vec<String>,
    data: String,
    block_number: Option<String>,
    block_hash: Option<String>,
    transaction_hash: String,
    #[serde(rename = "logIndex")]
    index: Option<String>,
    #[serde(default)]
    removed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    status: Option<String>,
    block_number: String,
    block_hash: String,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Waiting {
    to: Option<String>,
    input: String,
}

impl Ethereum {
    /// The node at `endpoint`, of the chain with this id, asked about `token`, at most so many
    /// blocks at a time.
    pub fn new(endpoint: Endpoint, chain_id: u64, token: Token, blocks_per_question: u64) -> Self {
        Self { endpoint, chain_id, token, question: Question::new(blocks_per_question) }
    }

    async fn check_chain(&self) -> Result<(), ChainError> {
        let text: String = self.endpoint.ask("eth_chainId", json!([])).await?;
        let id = self.number(&text)?;
        if id == self.chain_id {
            return Ok(());
        }
        Err(ChainError::WrongNetwork {
            endpoint: self.endpoint(),
            detail: format!("its chain id is {id}, not {}", self.chain_id),
        })
    }

    fn number(&self, hex: &str) -> Result<u64, ChainError> {
        hex.strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.endpoint.nonsense("a number that is none".to_owned()))
    }

    async fn header(&self, tag: &str) -> Result<Option<Block>, ChainError> {
        let header: Option<Header> =
            self.endpoint.ask("eth_getBlockByNumber", json!([tag, false])).await?;
        header
            .map(|header| {
                Ok(Block { height: self.number(&header.number)?, hash: plain(&header.hash) })
            })
            .transpose()
    }

    /// The payment that a log is, if it is one to a watched address.
    fn payment(&self, log: &Log, watched: &Watched) -> Result<Option<Payment>, ChainError> {
        let from_token = Destination::from_hex(&log.address).as_ref() == Some(&self.token.contract);
        let [topic, _, to] = log.topics.as_slice() else { return Ok(None) };
        let to =
            Destination::from_hex(last_digits(to, 40)).filter(|to| watched.owner(to).is_some());
        let Some(to) =
            to.filter(|_| from_token && topic.eq_ignore_ascii_case(TRANSFER) && !log.removed)
        else {
            return Ok(None);
        };
        let paid = amount(&log.data).ok_or_else(|| {
            self.endpoint.nonsense("a transfer of an amount that is none".to_owned())
        })?;
        let (Some(number), Some(hash), Some(index)) =
            (&log.block_number, &log.block_hash, &log.index)
        else {
            return Ok(None);
        };
        let output = u32::try_from(self.number(index)?)
            .map_err(|_| self.endpoint.nonsense("a log's number that is none".to_owned()))?;
        let tx_hash: TxHash = log
            .transaction_hash
            .parse()
            .map_err(|_| self.endpoint.nonsense("a transaction hash that is none".to_owned()))?;
        let block = Some(Block { height: self.number(number)?, hash: plain(hash) });
        // Transfers of nothing are made by others to plant their addresses.
        Ok((paid != "0").then_some(Payment { tx_hash, output, to, paid, block }))
    }

    async fn logs(
        &self,
        heights: &RangeInclusive<u64>,
        watched: &Watched,
    ) -> Result<Vec<Payment>, ChainError> {
        let destinations: Vec<String> =
            watched.destinations().map(|to| format!("0x{:0>WORD$}", to.as_str())).collect();
        let mut payments = Vec::new();
        let mut from = *heights.start();
        while from <= *heights.end() {
            let (to, logs) = self.some_logs(from, *heights.end(), &destinations).await?;
            for log in &logs {
                payments.extend(self.payment(log, watched)?);
            }
            from = to + 1;
        }
        payments.sort_by_key(|payment| {
            (payment.block.as_ref().map_or(0, |block| block.height), payment.output)
        });
        for payment in &payments {
            self.vouch(payment, watched).await?;
        }
        Ok(payments)
    }

    /// The logs of some blocks from `from` on, as many as a question may ask, and the last of these
    /// blocks.
    async fn some_logs(
        &self,
        from: u64,
        end: u64,
        destinations: &[String],
    ) -> Result<(u64, Vec<Log>), ChainError> {
        'smaller: loop {
            let asked = self.question.size();
            let to = end.min(from + asked.blocks - 1);
            let mut logs = Vec::new();
            for addresses in destinations.chunks(asked.addresses) {
                let filter = json!([{
                    "address": format!("0x{}", self.token.contract.as_str()),
                    "fromBlock": format!("{from:#x}"),
                    "toBlock": format!("{to:#x}"),
                    "topics": [TRANSFER, null, addresses],
                }]);
                match self.endpoint.call("eth_getLogs", filter).await {
                    Ok(Ok(raw)) => {
                        logs.extend(self.endpoint.parse::<Vec<Log>>("eth_getLogs", raw.get())?);
                    }
                    Ok(Err(refusal)) => {
                        if refusal.is_about_pace()
                            || !self.question.refused(to - from + 1, addresses.len())
                        {
                            return Err(self.endpoint.unreachable(format!(
                                "eth_getLogs: {} {}",
                                refusal.code,
                                explanation(&refusal.message, MAX_DETAIL)
                            )));
                        }
                        tracing::debug!(
                            endpoint = self.endpoint.name(),
                            code = refusal.code,
                            "a question for logs was refused; smaller ones follow"
                        );
                        continue 'smaller;
                    }
                    Err(error) => {
                        // It may have been too much to answer: the next look asks less.
                        self.question.refused(to - from + 1, addresses.len());
                        return Err(error);
                    }
                }
            }
            self.question.answered();
            return Ok((to, logs));
        }
    }

    /// A log counts only if its transaction's receipt has it too, and says that the transaction
    /// went well.
    async fn vouch(&self, payment: &Payment, watched: &Watched) -> Result<(), ChainError> {
        let found = self.receipt(&payment.tx_hash, watched).await?;
        let vouched = found.is_some_and(|found| !found.failed && found.payments.contains(payment));
        if vouched {
            Ok(())
        } else {
            Err(self
                .endpoint
                .nonsense(format!("a log that its receipt has not: {}", payment.tx_hash.as_str())))
        }
    }

    async fn receipt(
        &self,
        tx_hash: &TxHash,
        watched: &Watched,
    ) -> Result<Option<Found>, ChainError> {
        let receipt: Option<Receipt> = self
            .endpoint
            .ask("eth_getTransactionReceipt", json!([format!("0x{}", tx_hash.as_str())]))
            .await?;
        let Some(receipt) = receipt else { return Ok(None) };
        let failed = receipt.status.as_deref() != Some("0x1");
        let mut payments = Vec::new();
        for log in receipt.logs.iter().filter(|_| !failed) {
            let in_block =
                plain(log.block_hash.as_deref().unwrap_or_default()) == plain(&receipt.block_hash);
            if in_block && log.block_number.as_ref() == Some(&receipt.block_number) {
                payments.extend(self.payment(log, watched)?);
            }
        }
        Ok(Some(Found { payments, failed }))
    }

    /// What a transaction that is in no block would pay, if it is a plain transfer of the token.
    async fn waiting(
        &self,
        tx_hash: &TxHash,
        watched: &Watched,
    ) -> Result<Option<Found>, ChainError> {
        let waiting: Option<Waiting> = self
            .endpoint
            .ask("eth_getTransactionByHash", json!([format!("0x{}", tx_hash.as_str())]))
            .await?;
        let Some(Waiting { to: Some(called), input }) = waiting else { return Ok(None) };
        let words = plain(&input);
        let call = words
            .strip_prefix(TRANSFER_CALL)
            .filter(|_| Destination::from_hex(&called).as_ref() == Some(&self.token.contract));
        let parts = call.and_then(|words| Some((words.get(..WORD)?, words.get(WORD..2 * WORD)?)));
        let to = parts
            .and_then(|(to, _)| Destination::from_hex(last_digits(to, 40)))
            .filter(|to| watched.owner(to).is_some());
        let paid = parts.and_then(|(_, value)| amount(value)).filter(|paid| paid != "0");
        let payments = to.zip(paid).map(|(to, paid)| Payment {
            tx_hash: tx_hash.clone(),
            output: 0,
            to,
            paid,
            block: None,
        });
        Ok(Some(Found { payments: payments.into_iter().collect(), failed: false }))
    }
}

impl Chain for Ethereum {
    fn endpoint(&self) -> String {
        self.endpoint.name().to_owned()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ChainError>> {
        Box::pin(async move {
            self.check_chain().await?;
            self.check_token().await
        })
    }

    fn tip(&self) -> BoxFuture<'_, Result<Tip, ChainError>> {
        Box::pin(async move {
            let missing =
                |what: &str| self.endpoint.unreachable(format!("it has no {what} block yet"));
            let finalized = self.header("finalized").await?.ok_or_else(|| missing("final"))?;
            let block = self.header("latest").await?.ok_or_else(|| missing("last"))?;
            Ok(Tip { block, finalized: Some(finalized.height) })
        })
    }

    fn block_hash(&self, height: u64) -> BoxFuture<'_, Result<Option<String>, ChainError>> {
        Box::pin(
            async move { Ok(self.header(&format!("{height:#x}")).await?.map(|block| block.hash)) },
        )
    }

    fn scan(
        &self,
        heights: RangeInclusive<u64>,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Scan, ChainError>> {
        Box::pin(async move {
            let payments = self.logs(&heights, &watched).await?;
            let last =
                self.header(&format!("{:#x}", heights.end())).await?.ok_or(ChainError::Moved)?;
            Ok(Scan { parent: None, last, payments })
        })
    }

    fn find(
        &self,
        tx_hash: TxHash,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Option<Found>, ChainError>> {
        Box::pin(async move {
            match self.receipt(&tx_hash, &watched).await? {
                Some(found) => Ok(Some(found)),
                None => self.waiting(&tx_hash, &watched).await,
            }
        })
    }

    fn blocks_per_scan(&self) -> u64 {
        self.question.size().blocks
    }
}

/// Lower-case hex without `0x`.
fn plain(hex: &str) -> String {
    hex.strip_prefix("0x").unwrap_or(hex).to_ascii_lowercase()
}

fn last_digits(hex: &str, digits: usize) -> &str {
    hex.len().checked_sub(digits).and_then(|start| hex.get(start..)).unwrap_or_default()
}

/// A word as a whole number.
fn whole(word: &str) -> Option<u128> {
    let significant = word.trim_start_matches('0');
    if significant.is_empty() { Some(0) } else { u128::from_str_radix(significant, 16).ok() }
}

/// A word as an amount of the token.
fn amount(word: &str) -> Option<String> {
    let digits = plain(word);
    whole(&digits)
        .filter(|_| digits.len() == WORD)
        .and_then(|units| coins(units, Currency::UsdtErc20))
}
