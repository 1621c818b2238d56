//! Facts of a deposit in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, texts, write};
use crate::chain::Block;
use crate::deposit::{Event, Sight, TxHash};
use crate::id::AccountId;
use crate::money::Money;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "DepositClaimed" 1 Claimed { account: AccountId, chain: String, tx_hash: TxHash, output: u32, at: Timestamp }
        "DepositConfirmed" 2 Confirmed { amount: Money, paid: String, rate: String, rate_source: String, rate_at: Timestamp, at: Timestamp }
        "DepositCredited" 1 Credited { at: Timestamp }
        "DepositSeen" 1 Seen { sight: Sight, at: Timestamp }
        "DepositOrphaned" 1 Orphaned { at: Timestamp }
        "DepositReversed" 1 Reversed { at: Timestamp }
        "DepositSettled" 1 Settled { at: Timestamp }
    }
    values {}
    former {
        // The rate was asked when it was confirmed.
        "DepositConfirmed" 1 (i64, String, String, String, i64) => |(amount, paid, rate, rate_source, at)| Event::Confirmed {
            amount: Money::from_micros(amount), paid, rate, rate_source, rate_at: Timestamp::from_millis(at), at: Timestamp::from_millis(at),
        };
    }
    odd {}
    elsewhere {}
}

texts! { "tx_hash" TxHash as_str }

records! {
    Sight { account: Option<AccountId>, chain: String, tx_hash: TxHash, output: u32, paid: String, block: Block }
    Block { height: u64, hash: String }
}
