//! M7 over a log: an output is one account's, and at no point credited more than once.

use std::collections::BTreeMap;

use crate::account;
use crate::deposit::Event;
use crate::id::{AccountId, DepositId};
use crate::money::Money;

/// A deposit as the auditor knows it.
#[derive(Debug, Clone, Default)]
struct Audited {
    account: Option<AccountId>,
    confirmed: Option<Money>,
    credited: bool,
    kept: bool,
    orphaned: bool,
}

/// All deposits of a log. What is wrong is said in words.
#[derive(Debug, Default)]
pub struct Deposits {
    known: BTreeMap<DepositId, Audited>,
}

impl Deposits {
    /// Looks at a deposit's own event.
    pub fn observe(&mut self, id: DepositId, event: &Event) -> Option<String> {
        let fresh = !self.known.contains_key(&id);
        let deposit = self.known.entry(id).or_default();
        let (lawful, wrong) = match event {
            Event::Claimed { account, .. } => {
                let free = deposit.account.is_none();
                deposit.account = Some(*account);
                (free, "is claimed a second time")
            }
            Event::Seen { sight, .. } => {
                let same = sight.account.is_none() || fresh || deposit.account == sight.account;
                deposit.account = deposit.account.or(sight.account);
                (same, "is seen as another account's")
            }
            Event::Orphaned { .. } => {
                deposit.orphaned = true;
                (!fresh, "was never seen, and is orphaned")
            }
            Event::Confirmed { amount, .. } => {
                let first = deposit.account.is_some() && deposit.confirmed.is_none();
                deposit.confirmed = Some(*amount);
                deposit.orphaned = false;
                (first, "is confirmed a second time, or is nobody's")
            }
            Event::Credited { .. } => (
                deposit.credited || deposit.confirmed == Some(Money::ZERO),
                "counts as credited, and no account has it",
            ),
            Event::Reversed { .. } => {
                let gone = deposit.orphaned && !deposit.credited && !deposit.kept;
                deposit.confirmed = None;
                (gone, "counts as reversed, and its account has it still")
            }
            Event::Settled { .. } => (
                deposit.credited || deposit.confirmed == Some(Money::ZERO),
                "is settled, and no account has it",
            ),
        };
        (!lawful).then(|| format!("{id} {wrong}"))
    }

    /// Whether the deposit that an account speaks of has been seen.
    pub fn has(&self, event: &account::Event) -> bool {
        deposit_in(event).is_some_and(|id| self.known.contains_key(&id))
    }

    /// Looks at what an account makes of a deposit.
    pub fn in_account(&mut self, account: AccountId, event: &account::Event) -> Option<String> {
        let (account::Event::DepositCredited { deposit: id, amount, .. }
        | account::Event::DepositReversed { deposit: id, amount, .. }
        | account::Event::DustKept { deposit: id, amount, .. }
        | account::Event::DustDropped { deposit: id, amount, .. }) = event
        else {
            return None;
        };
        let Some(deposit) = self.known.get_mut(id) else {
            return Some(format!("{id} is in an account, and nobody has seen it"));
        };
        let own = deposit.account == Some(account) && deposit.confirmed == Some(*amount);
        let (lawful, wrong) = if let account::Event::DepositCredited { .. } = event {
            deposit.kept = false;
            (
                own && !std::mem::replace(&mut deposit.credited, true),
                "is credited a second time, to another account, or otherwise than it was confirmed",
            )
        } else if let account::Event::DepositReversed { .. } = event {
            let was_credited = std::mem::replace(&mut deposit.credited, false);
            (
                own && was_credited && deposit.orphaned,
                "is reversed and was not credited so, or stands in its block still",
            )
        } else if let account::Event::DustKept { .. } = event {
            (
                own && !deposit.credited && !std::mem::replace(&mut deposit.kept, true),
                "is kept as too small a second time, or credited already",
            )
        } else {
            (
                own && std::mem::replace(&mut deposit.kept, false) && deposit.orphaned,
                "is dropped and was not kept, or stands in its block still",
            )
        };
        (!lawful).then(|| format!("{id} {wrong}"))
    }
}

fn deposit_in(event: &account::Event) -> Option<DepositId> {
    let (account::Event::DepositCredited { deposit, .. }
    | account::Event::DepositReversed { deposit, .. }
    | account::Event::DustKept { deposit, .. }
    | account::Event::DustDropped { deposit, .. }) = event
    else {
        return None;
    };
    Some(*deposit)
}
