//! Invites: codes that an operator gives out, each of which opens so many accounts until a day.
//!
//! Holds: who may still use which. Never holds: a code itself (its hash stands here), whether one
//! is needed (the configuration says so). Leans on: `id`. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use imbl::{OrdMap, OrdSet};
use thiserror::Error;

use crate::decider::Decider;
use crate::id::{AccountId, InviteId};
use crate::text::is_said_within;
use crate::time::Timestamp;

/// Invites that can be used at a time.
pub const MOST_INVITES: usize = 10_000;
/// Accounts that one invite opens at most.
pub const MOST_USES: u32 = 10_000;
/// Longest note or reason, in characters.
pub const LONGEST_TEXT: usize = 500;

/// A fact of the invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An operator has made an invite.
    Created {
        /// Which.
        id: InviteId,
        /// SHA-256 of its code; the code itself is nowhere.
        hash: [u8; 32],
        /// How many accounts it opens.
        uses: u32,
        /// Until when.
        expires_at: Timestamp,
        /// For whom, in the operator's words.
        note: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody opens an account by it.
    Used {
        /// Which.
        id: InviteId,
        /// The account.
        account: AccountId,
        /// When.
        at: Timestamp,
    },
    /// It opens no account any more.
    Revoked {
        /// Which.
        id: InviteId,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        let (Self::Created { at, .. } | Self::Used { at, .. } | Self::Revoked { at, .. }) = self;
        *at
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make an invite.
    Create {
        /// A fresh id.
        id: InviteId,
        /// SHA-256 of its fresh code.
        hash: [u8; 32],
        /// How many accounts it opens.
        uses: u32,
        /// Until when.
        expires_at: Timestamp,
        /// For whom.
        note: String,
        /// Now.
        at: Timestamp,
    },
    /// Open an account by a code.
    Use {
        /// SHA-256 of the code.
        hash: [u8; 32],
        /// The account; the same one uses an invite once.
        account: AccountId,
        /// Now.
        at: Timestamp,
    },
    /// Have an invite open no account any more.
    Revoke {
        /// Which.
        id: InviteId,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
}

/// Why nothing comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The code is none, or opens no account any more; ask the operator for another one. Which of
    /// these it is is not said to whoever guesses.
    #[error("the invite is not valid, or not any more")]
    NotValid,
    /// There is no such invite; look at the list.
    #[error("there is no such invite")]
    NotFound,
    /// An invite opens 1 to 10000 accounts.
    #[error("an invite opens 1 to {MOST_USES} accounts")]
    Uses,
    /// An invite ends in the time to come.
    #[error("an invite ends at a time to come")]
    Ended,
    /// Say for whom, or why.
    #[error(
        "a note or reason is needed, of at most {LONGEST_TEXT} characters, none of them hidden"
    )]
    NoText,
    /// There are as many invites as may be; revoke some.
    #[error("there are {MOST_INVITES} invites that can be used: revoke some")]
    TooMany,
}

/// An invite as its facts have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// SHA-256 of its code.
    pub hash: [u8; 32],
    /// How many accounts it opens.
    pub uses: u32,
    /// Those that it has opened.
    pub accounts: OrdSet<AccountId>,
    /// Until when.
    pub expires_at: Timestamp,
    /// For whom.
    pub note: String,
    /// Why it opens none any more, if an operator has said so.
    pub revoked: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

impl Invite {
    /// Accounts that it still opens at `now`.
    pub fn left(&self, now: Timestamp) -> u32 {
        if self.revoked.is_some() || now >= self.expires_at {
            return 0;
        }
        self.uses.saturating_sub(u32::try_from(self.accounts.len()).unwrap_or(u32::MAX))
    }
}

/// All invites there have been. A clone shares them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    invites: OrdMap<InviteId, Invite>,
    by_hash: OrdMap<[u8; 32], InviteId>,
}

impl State {
    /// All of them, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (InviteId, &Invite)> {
        self.invites.iter().map(|(id, invite)| (*id, invite))
    }

    /// The invite of an id.
    pub fn get(&self, id: InviteId) -> Option<&Invite> {
        self.invites.get(&id)
    }

    /// The invite of a code's hash.
    pub fn of_hash(&self, hash: &[u8; 32]) -> Option<(InviteId, &Invite)> {
        let id = self.by_hash.get(hash)?;
        Some((*id, self.invites.get(id)?))
    }

    fn create(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let Command::Create { id, hash, uses, expires_at, note, at } = command else {
            return Ok(Vec::new());
        };
        if self.invites.contains_key(id) {
            return Ok(Vec::new());
        }
        if !(1..=MOST_USES).contains(uses) {
            return Err(Refusal::Uses);
        }
        if expires_at <= at {
            return Err(Refusal::Ended);
        }
        if !is_said_within(note, LONGEST_TEXT) {
            return Err(Refusal::NoText);
        }
        if self.invites.values().filter(|invite| invite.left(*at) > 0).count() >= MOST_INVITES {
            return Err(Refusal::TooMany);
        }
        let (id, hash, uses, expires_at, at) = (*id, *hash, *uses, *expires_at, *at);
        Ok(vec![Event::Created { id, hash, uses, expires_at, note: note.clone(), at }])
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Create { .. } => self.create(command),
            Command::Use { hash, account, at } => {
                let (id, invite) = self.of_hash(hash).ok_or(Refusal::NotValid)?;
                if invite.accounts.contains(account) {
                    return Ok(Vec::new());
                }
                if invite.left(*at) == 0 {
                    return Err(Refusal::NotValid);
                }
                Ok(vec![Event::Used { id, account: *account, at: *at }])
            }
            Command::Revoke { id, reason, at } => {
                let invite = self.invites.get(id).ok_or(Refusal::NotFound)?;
                if !is_said_within(reason, LONGEST_TEXT) {
                    return Err(Refusal::NoText);
                }
                let revoked = Event::Revoked { id: *id, reason: reason.clone(), at: *at };
                Ok(if invite.revoked.is_some() { Vec::new() } else { vec![revoked] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Created { id, hash, uses, expires_at, note, at } => {
                self.by_hash.insert(*hash, *id);
                let invite = Invite {
                    hash: *hash,
                    uses: *uses,
                    accounts: OrdSet::new(),
                    expires_at: *expires_at,
                    note: note.clone(),
                    revoked: None,
                    created_at: *at,
                };
                self.invites.insert(*id, invite);
            }
            Event::Used { id, account, .. } => {
                if let Some(invite) = self.invites.get_mut(id) {
                    invite.accounts.insert(*account);
                }
            }
            Event::Revoked { id, reason, .. } => {
                if let Some(invite) = self.invites.get_mut(id) {
                    invite.revoked = Some(reason.clone());
                }
            }
        }
        self
    }
}
