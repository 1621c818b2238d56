//! The watcher of a chain: follows its blocks, finds what they pay to our addresses without being
//! told, and sees where the chain changes its mind.

use std::sync::{Arc, Weak};
use std::time::Duration;

use events::chain::{Block, Command, State};
use events::deposit::{self, Sight, deposit_id};
use events::envelope::{Actor as Who, StreamId};

use super::chain::{ChainError, Owner, Payment, Tip};
use super::coin::{ChainStatus, Coin};
use super::handle::{Deposits, Inner};
use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::Fault;

/// Final blocks that may go unrecorded: after a crash they are looked through again. A chain that
/// may still change has every step recorded.
const FINAL_STRIDE: u64 = 20;

/// Before a watcher that a bug has ended is replaced.
const AFTER_BUG: Duration = Duration::from_secs(1);
/// How far back a fork is looked for where nothing earlier was looked through.
const FURTHEST_FORK: u64 = 100;

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Looks at the chain again and again, as long as there are deposits; also when a bug has ended a
/// round.
pub async fn watch(deposits: Weak<Inner>, coin: Arc<Coin>, mut progress: Entity<State>) {
    while tokio::spawn(repeat_every(deposits.clone(), Arc::clone(&coin), progress)).await.is_err() {
        tracing::error!(
            chain = %coin.currency(), "a chain's watcher failed; another takes its place"
        );
        progress = loop {
            tokio::time::sleep(AFTER_BUG).await;
            let Some(inner) = deposits.upgrade() else { return };
            match self::progress(&Deposits::of(inner), &coin).await {
                Ok(progress) => break progress,
                Err(fault) => {
                    tracing::warn!(
                        chain = %coin.currency(), error = %fault,
                        "how far the chain was looked through cannot be read; trying again"
                    );
                }
            }
        };
    }
}

async fn repeat_every(deposits: Weak<Inner>, coin: Arc<Coin>, progress: Entity<State>) {
    let mut watcher = Watcher {
        scanned: progress.state().last().cloned(),
        progress,
        coin,
        checked: false,
        shown: None,
        had_moved: false,
    };
    loop {
        let Some(inner) = deposits.upgrade() else { return };
        watcher.round(&Deposits::of(inner)).await;
        let _ =
            tokio::time::timeout(watcher.coin.settings.poll, watcher.coin.wanted.notified()).await;
    }
}

struct Watcher {
    coin: Arc<Coin>,
    progress: Entity<State>,
    /// The last block looked through; it may be ahead of what is recorded.
    scanned: Option<Block>,
    /// Whether the endpoints have been seen to be of the right network.
    checked: bool,
    /// The chain's end when processes last looked.
    shown: Option<Block>,
    /// Whether the chain had changed under the last round.
    had_moved: bool,
}

impl Watcher {
    async fn round(&mut self, deposits: &Deposits) {
        let failure = Box::pin(self.follow(deposits)).await.err();
        let has_moved = matches!(failure, Some(RoundError::Chain(ChainError::Moved)));
        // Chains fork, and the next round begins below the fork; an endpoint that reports another
        // branch in every round is broken.
        let is_usual = has_moved && !self.had_moved;
        self.had_moved = has_moved;
        let error = failure.filter(|_| !is_usual).map(|failure| failure.to_string());
        if error.is_some() && self.coin.status.borrow().error != error {
            tracing::warn!(
                chain = %self.coin.currency(), error, "the chain cannot be followed; deposits wait"
            );
        }
        self.publish(|status| status.error = error);
    }

    fn publish(&self, change: impl FnOnce(&mut ChainStatus)) {
        let scanned = self.scanned.as_ref().map(|block| block.height);
        self.coin.status.send_modify(|status| {
            status.scanned = scanned;
            change(status);
        });
    }

    async fn follow(&mut self, deposits: &Deposits) -> Result<(), RoundError> {
        let chain = Arc::clone(&self.coin.settings.chain);
        if !self.checked {
            chain.check().await?;
            self.checked = true;
        }
        let tip = chain.tip().await?;
        let now = deposits.journal().now();
        let Some(start) = self.standing(&tip, deposits).await? else {
            // The endpoint has fallen behind the blocks that were looked through already.
            self.publish(|status| status.answered_at = Some(now));
            return Ok(());
        };
        self.publish(|status| (status.tip, status.answered_at) = (Some(tip.clone()), Some(now)));
        self.scan(start, &tip, deposits).await?;
        if self.shown.as_ref() != Some(&tip.block) {
            deposits.look_at_all();
            self.shown = Some(tip.block);
        }
        Ok(())
    }

    /// The last block looked through that is still the chain's; `None` if the chain has not come so
    /// far (again).
    async fn standing(
        &mut self,
        tip: &Tip,
        deposits: &Deposits,
    ) -> Result<Option<Block>, RoundError> {
        let chain = Arc::clone(&self.coin.settings.chain);
        let Some(mut block) = self.scanned.clone() else {
            let height = self
                .coin
                .settings
                .start_height
                .map_or(tip.finalized.unwrap_or(tip.block.height), |first| first.saturating_sub(1));
            let hash = chain.block_hash(height).await?.ok_or(ChainError::Moved)?;
            return Ok(Some(self.advance(Block { height, hash }, 1, deposits).await?));
        };
        let before = block.height;
        loop {
            match chain.block_hash(block.height).await? {
                None => return Ok(None),
                Some(hash) if hash == block.hash => break,
                Some(_) => {}
            }
            let earlier = self
                .progress
                .state()
                .newest_first()
                .find(|earlier| earlier.height < block.height)
                .cloned();
            block = if let Some(earlier) = earlier {
                earlier
            } else {
                // Older than anything remembered: so far back that no fork is older.
                let height = block.height.saturating_sub(FURTHEST_FORK);
                Block { height, hash: chain.block_hash(height).await?.ok_or(ChainError::Moved)? }
            };
        }
        if block.height < before {
            tracing::warn!(
                chain = %self.coin.currency(), from = before, to = block.height,
                "the chain has left blocks that were looked through"
            );
            self.record(
                &Command::Fork { block: block.clone(), at: deposits.journal().now() },
                deposits,
            )
            .await?;
            self.scanned = Some(block.clone());
        }
        Ok(Some(block))
    }

    async fn scan(
        &mut self,
        mut last: Block,
        tip: &Tip,
        deposits: &Deposits,
    ) -> Result<(), RoundError> {
        let chain = Arc::clone(&self.coin.settings.chain);
        let end = tip.finalized.unwrap_or(tip.block.height);
        let stride = if tip.finalized.is_some() { FINAL_STRIDE } else { 1 };
        while last.height < end {
            let to = end.min(last.height + chain.blocks_per_scan().max(1));
            let watched = self.coin.book.watched();
            let scan = chain.scan(last.height + 1..=to, Arc::clone(&watched)).await?;
            if scan.parent.is_some_and(|parent| parent != last.hash) {
                return Err(ChainError::Moved.into());
            }
            let stride = if scan.payments.is_empty() { stride } else { 1 };
            for payment in scan.payments {
                let owner = watched.owner(&payment.to);
                self.see(payment, owner, deposits).await?;
            }
            // Only now: what was found is in the log.
            last = self.advance(scan.last, stride, deposits).await?;
            self.publish(|_| {});
        }
        Ok(())
    }

    async fn see(
        &self,
        payment: Payment,
        owner: Option<Owner>,
        deposits: &Deposits,
    ) -> Result<(), Fault> {
        let (Some(owner), Some(block)) = (owner, payment.block) else { return Ok(()) };
        let chain = self.coin.currency().name().to_owned();
        let deposit = deposit_id(&chain, &payment.tx_hash, payment.output);
        let account = match owner {
            Owner::Account(account) => Some(account),
            Owner::Shared => None,
        };
        let sight = Sight {
            account,
            chain,
            tx_hash: payment.tx_hash,
            output: payment.output,
            paid: payment.paid,
            block,
        };
        deposits.see(deposit, deposit::Command::See { sight, at: deposits.journal().now() }).await
    }

    async fn advance(
        &mut self,
        block: Block,
        stride: u64,
        deposits: &Deposits,
    ) -> Result<Block, Fault> {
        self.record(
            &Command::Advance { block: block.clone(), stride, at: deposits.journal().now() },
            deposits,
        )
        .await?;
        self.scanned = Some(block.clone());
        Ok(block)
    }

    async fn record(&mut self, command: &Command, deposits: &Deposits) -> Result<(), Fault> {
        let journal = deposits.journal();
        match journal.transact(&mut self.progress, command, Who::Chain, journal.now()).await {
            Ok(_) => Ok(()),
            Err(TransactError::Refused(never)) => match never {},
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }
}

/// How far a coin's chain has been looked through, as the log has it.
pub async fn progress(deposits: &Deposits, coin: &Coin) -> Result<Entity<State>, Fault> {
    let progress = deposits.journal().load::<State>(StreamId::chain(coin.currency())).await?;
    coin.status
        .send_modify(|status| status.scanned = progress.state().last().map(|block| block.height));
    Ok(progress)
}
