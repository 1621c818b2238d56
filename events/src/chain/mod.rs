//! How far a chain has been looked through: the blocks it was seen to have, so that a later look
//! sees where it has changed its mind.
//!
//! Holds: scanned blocks, forks. Never holds: payments (`deposit` does), how a chain is asked
//! (`chains/src` does). Leans on: nothing. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::convert::Infallible;

use crate::decider::Decider;
use crate::time::Timestamp;

/// Scanned blocks that are remembered: a fork older than all of them starts over at the oldest.
pub const REMEMBERED: usize = 256;

/// A block of a chain: its height and its hash in lower-case hex, without `0x`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// How many blocks stand before it.
    pub height: u64,
    /// Its hash.
    pub hash: String,
}

/// A fact of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Every payment up to and including this block is known.
    Scanned {
        /// The last block looked through.
        block: Block,
        /// When.
        at: Timestamp,
    },
    /// The chain has other blocks than those scanned after this one: they are looked through anew.
    Forked {
        /// The last block that is still the chain's.
        block: Block,
        /// When.
        at: Timestamp,
    },
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Everything up to this block is known.
    Advance {
        /// The last block looked through.
        block: Block,
        /// Blocks that may go unrecorded: after a crash they are looked through again, which
        /// changes nothing.
        stride: u64,
        /// Now.
        at: Timestamp,
    },
    /// The chain has left the blocks after this one.
    Fork {
        /// The last block that is still the chain's.
        block: Block,
        /// Now.
        at: Timestamp,
    },
}

/// The blocks remembered, the lowest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    scanned: VecDeque<Block>,
}

impl State {
    /// The last block looked through; `None` before the first.
    pub fn last(&self) -> Option<&Block> {
        self.scanned.back()
    }

    /// The blocks remembered, the highest first: where a fork is looked for.
    pub fn newest_first(&self) -> impl Iterator<Item = &Block> {
        self.scanned.iter().rev()
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Infallible;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Infallible> {
        let last = self.last();
        Ok(match command {
            Command::Advance { block, stride, at } => {
                let is_due = last.is_none_or(|last| {
                    block.height >= last.height.saturating_add((*stride).max(1))
                });
                if is_due {
                    vec![Event::Scanned { block: block.clone(), at: *at }]
                } else {
                    Vec::new()
                }
            }
            Command::Fork { block, at } => {
                let is_fork = last.is_some_and(|last| block.height < last.height);
                if is_fork {
                    vec![Event::Forked { block: block.clone(), at: *at }]
                } else {
                    Vec::new()
                }
            }
        })
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Scanned { block, .. } => {
                self.scanned.push_back(block.clone());
                if self.scanned.len() > REMEMBERED {
                    self.scanned.pop_front();
                }
            }
            Event::Forked { block, .. } => {
                self.scanned.retain(|scanned| scanned.height < block.height);
                self.scanned.push_back(block.clone());
            }
        }
        self
    }
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Scanned { at, .. } | Self::Forked { at, .. } => *at,
        }
    }

    /// The block it speaks of.
    pub fn block(&self) -> &Block {
        match self {
            Self::Scanned { block, .. } | Self::Forked { block, .. } => block,
        }
    }
}
