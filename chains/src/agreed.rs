//! Several endpoints of one chain as one: what two say alike counts, what one says alone does not.

use std::ops::RangeInclusive;
use std::sync::Arc;

use events::chain::Block;
use events::deposit::TxHash;
use futures_util::future::join_all;

use actors::deposit::chain::{Chain, ChainError, Found, Scan, Tip, Watched};
use actors::store::BoxFuture;

/// How many must say it.
const NEEDED: usize = 2;

/// At least two endpoints of one chain.
#[derive(Debug)]
pub struct Agreed(Vec<Arc<dyn Chain>>);

impl Agreed {
    /// The chain that these endpoints tell of: themselves, if there is only one.
    pub fn of(mut endpoints: Vec<Arc<dyn Chain>>) -> Option<Arc<dyn Chain>> {
        if endpoints.len() > 1 { Some(Arc::new(Self(endpoints))) } else { endpoints.pop() }
    }

    /// Asks all of them at once.
    async fn all<'a, T: Send + 'a>(
        &'a self,
        ask: impl Fn(&'a dyn Chain) -> BoxFuture<'a, Result<T, ChainError>>,
    ) -> Vec<Result<T, ChainError>> {
        join_all(self.0.iter().map(|chain| ask(chain.as_ref()))).await
    }

    async fn hash_at(&self, height: u64) -> Result<Option<String>, ChainError> {
        agree(self.all(|chain| chain.block_hash(height)).await, || format!("block {height}"))
    }

    async fn ends(&self) -> Result<Tip, ChainError> {
        let mut tips = answered(self.all(|chain| chain.tip()).await)?;
        tips.sort_by_key(|tip| std::cmp::Reverse(tip.block.height));
        // The height that two have reached.
        let height = tips.get(NEEDED - 1).map_or(0, |tip| tip.block.height);
        let hash = self.hash_at(height).await?.ok_or(ChainError::Moved)?;
        let mut finalized: Vec<Option<u64>> = tips.iter().map(|tip| tip.finalized).collect();
        finalized.sort_by_key(|finalized| std::cmp::Reverse(*finalized));
        Ok(Tip {
            block: Block { height, hash },
            finalized: finalized.get(NEEDED - 1).copied().flatten(),
        })
    }

    async fn found(
        &self,
        tx_hash: TxHash,
        watched: Arc<Watched>,
    ) -> Result<Option<Found>, ChainError> {
        let answers =
            answered(self.all(|chain| chain.find(tx_hash.clone(), Arc::clone(&watched))).await)?;
        if let Some(same) =
            answers.iter().find(|one| answers.iter().filter(|other| other == one).count() >= NEEDED)
        {
            return Ok(same.clone());
        }
        // One has it and the others do not yet, or not in this block: it is on its way.
        let mut first = answers.into_iter().flatten().find(|found| !found.failed);
        for payment in first.iter_mut().flat_map(|found| &mut found.payments) {
            payment.block = None;
        }
        Ok(first)
    }
}

/// What enough of them have answered; the first failure otherwise.
fn answered<T>(answers: Vec<Result<T, ChainError>>) -> Result<Vec<T>, ChainError> {
    let (mut said, mut failure) = (Vec::with_capacity(answers.len()), None);
    for answer in answers {
        match answer {
            Ok(answer) => said.push(answer),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    if said.len() >= NEEDED { Ok(said) } else { Err(failure.unwrap_or(ChainError::Moved)) }
}

/// What two say alike.
fn agree<T: PartialEq + Clone>(
    answers: Vec<Result<T, ChainError>>,
    about: impl Fn() -> String,
) -> Result<T, ChainError> {
    let said = answered(answers)?;
    let same = said.iter().find(|one| said.iter().filter(|other| other == one).count() >= NEEDED);
    same.cloned().ok_or_else(|| ChainError::Disagreement { about: about() })
}

impl Chain for Agreed {
    fn endpoint(&self) -> String {
        self.0.iter().map(|chain| chain.endpoint()).collect::<Vec<_>>().join(", ")
    }

    /// All must be of the right network: one that is not is a mistake in the configuration.
    fn check(&self) -> BoxFuture<'_, Result<(), ChainError>> {
        Box::pin(async move {
            let answers = self.all(|chain| chain.check()).await;
            if let Some(wrong) = answers
                .iter()
                .find_map(|answer| answer.as_ref().err().filter(|error| error.is_for_good()))
            {
                return Err(wrong.clone());
            }
            answered(answers).map(drop)
        })
    }

    fn tip(&self) -> BoxFuture<'_, Result<Tip, ChainError>> {
        Box::pin(self.ends())
    }

    fn block_hash(&self, height: u64) -> BoxFuture<'_, Result<Option<String>, ChainError>> {
        Box::pin(self.hash_at(height))
    }

    fn scan(
        &self,
        heights: RangeInclusive<u64>,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Scan, ChainError>> {
        Box::pin(async move {
            let answers = self.all(|chain| chain.scan(heights.clone(), Arc::clone(&watched))).await;
            agree(answers, || {
                format!("the payments in blocks {} to {}", heights.start(), heights.end())
            })
        })
    }

    fn find(
        &self,
        tx_hash: TxHash,
        watched: Arc<Watched>,
    ) -> BoxFuture<'_, Result<Option<Found>, ChainError>> {
        Box::pin(self.found(tx_hash, watched))
    }

    fn coinbase(&self, block: Block) -> BoxFuture<'_, Result<Option<TxHash>, ChainError>> {
        Box::pin(async move {
            agree(self.all(|chain| chain.coinbase(block.clone())).await, || {
                format!("block {}", block.height)
            })
        })
    }

    fn blocks_per_scan(&self) -> u64 {
        self.0.iter().map(|chain| chain.blocks_per_scan()).min().unwrap_or(1)
    }
}
